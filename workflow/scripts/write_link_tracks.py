"""Write links as tracks for genome browsers."""

from pathlib import Path

from cisgrammar.common.files import read_h5ad, read_table
from cisgrammar.common.logs import log_to
from cisgrammar.interpret.link_tracks import write_bedpe, write_beds, write_interact

out = snakemake.output
with log_to(snakemake.log[0]):
    links = read_table(snakemake.input.links)
    links = links[links["call"] != ""]
    peaks = read_h5ad(snakemake.input.accessibility, backed="r").var
    write_bedpe(links, peaks, out.bedpe)
    write_interact(links, peaks, out.interact, snakemake.wildcards.name)
    Path(out.by_type).mkdir(parents=True, exist_ok=True)
    write_beds(links, out.by_type)
