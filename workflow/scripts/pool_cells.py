"""Sketch seed cells and sum each with its nearest neighbours."""

from anndata import read_h5ad

from cisgrammar.files import write_h5ad, write_table
from cisgrammar.logs import log_to
from cisgrammar.pooling import make_pools
from cisgrammar.seeds import derive_seed

with log_to(snakemake.log[0]):
    cells = read_h5ad(snakemake.input.cells)
    seed = derive_seed(snakemake.params.seed, "pool_cells")
    pools, members = make_pools(cells, **snakemake.params.settings, seed=seed)
    write_h5ad(pools, snakemake.output.pools)
    write_table(members, snakemake.output.members)
