"""Write the activity of TFs in cells, with the cells' map, as an AnnData that scanpy draws."""

from cisgrammar.common.files import read_h5ad, write_h5ad
from cisgrammar.common.logs import log_to
from cisgrammar.interpret.for_scanpy import cells_for_scanpy
from cisgrammar.plots.cell_types import cell_type_colours
from cisgrammar.plots.tf_activity import row_names

files = snakemake.input
with log_to(snakemake.log[0]):
    activity = read_h5ad(files.activity)
    cells = cells_for_scanpy(
        activity,
        read_h5ad(files.embedding),
        row_names(activity.var),
        cell_type_colours(files.cell_types),
    )
    write_h5ad(cells, snakemake.output.cells)
