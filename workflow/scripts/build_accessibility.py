"""Make counts of peaks 0 or 1, filter them, and put the sequences of peaks beside them."""

from cisgrammar.common.files import read_h5ad, write_h5ad, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.data.accessibility import build_accessibility
from cisgrammar.genome.regions import read_bed

files, params = snakemake.input, snakemake.params
with log_to(snakemake.log[0]):
    accessibility, counts = build_accessibility(
        read_h5ad(files.cells),
        files.genome,
        files.work,
        **params.settings,
        chromosomes=params.chromosomes,
        blacklist=read_bed(files.blacklist, "peaks.blacklist") if files.blacklist else None,
    )
    write_h5ad(accessibility, snakemake.output.accessibility)
    write_table(counts, snakemake.output.counts)
