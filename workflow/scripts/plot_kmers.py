"""Draw the k-mers that differ most between cell types."""

from pathlib import Path

from cisgrammar.common.files import read_table
from cisgrammar.common.logs import log_to
from cisgrammar.plots.kmers import kmer_heatmap
from cisgrammar.plots.style import save

with log_to(snakemake.log[0]):
    figure = kmer_heatmap(read_table(snakemake.input.kmers))
    save(figure, Path(snakemake.output.heatmap).with_suffix(""))
