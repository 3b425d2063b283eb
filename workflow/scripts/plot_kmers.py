"""Draw the k-mers that differ most between cell types."""

from pathlib import Path

from cisgrammar.common.files import read_table
from cisgrammar.common.logs import log_to
from cisgrammar.plots.cell_types import asked_order
from cisgrammar.plots.kmers import kmer_heatmap
from cisgrammar.plots.style import save

with log_to(snakemake.log[0]):
    order = asked_order(snakemake.input.cell_types)
    figure = kmer_heatmap(read_table(snakemake.input.kmers), order=order)
    save(figure, Path(snakemake.output.heatmap).with_suffix(""))
