"""List the cell types in the order of figures, each with its colour."""

from cisgrammar.common.files import read_h5ad, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.plots.cell_types import cell_type_table

with log_to(snakemake.log[0]):
    labels = read_h5ad(snakemake.input.labels, backed="r").obs["cell_type"]
    table = cell_type_table(labels, snakemake.params.order)
    write_table(table, snakemake.output.table)
