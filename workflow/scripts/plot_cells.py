"""Draw the UMAP of cells with the pools' seeds, and the purity of pools."""

from pathlib import Path

from cisgrammar.common.files import read_h5ad
from cisgrammar.common.logs import log_to
from cisgrammar.plots.cell_types import cell_type_colours
from cisgrammar.plots.cells import pool_purity, umap_cells
from cisgrammar.plots.style import save

with log_to(snakemake.log[0]):
    cells = read_h5ad(snakemake.input.cells, backed="r")  # counts stay in the file
    pools = read_h5ad(snakemake.input.pools, backed="r")
    colours = cell_type_colours(snakemake.input.cell_types)
    umap = umap_cells(cells, pools.obs["seed"], colours)
    save(umap, Path(snakemake.output.umap).with_suffix(""))
    save(pool_purity(pools), Path(snakemake.output.purity).with_suffix(""))
