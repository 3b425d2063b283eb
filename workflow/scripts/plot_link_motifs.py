"""Draw the motifs in linked peaks, what their peaks do to genes, and their TFs."""

from pathlib import Path

from cisgrammar.common.files import read_table
from cisgrammar.common.logs import log_to
from cisgrammar.plots.link_motifs import link_motifs
from cisgrammar.plots.style import save

files = snakemake.input
with log_to(snakemake.log[0]):
    figure = link_motifs(read_table(files.motifs), read_table(files.regulators))
    save(figure, Path(snakemake.output.motifs).with_suffix(""))
