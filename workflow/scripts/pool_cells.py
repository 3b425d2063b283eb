"""Sketch seed cells and sum each with its nearest neighbours."""

from cisgrammar.cells.pooling import make_pools, pool_as
from cisgrammar.common.files import read_h5ad, write_h5ad, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.common.seeds import derive_seed
from cisgrammar.genome.gene_match import with_gene_names
from cisgrammar.genome.tss import read_tss

files, params = snakemake.input, snakemake.params
with log_to(snakemake.log[0]):
    cells = read_h5ad(files.cells)
    seed = derive_seed(params.seed, "pool_cells")
    pools, members = make_pools(cells, **params.settings, seed=seed)
    expression = pools
    if files.expression:
        expression = pool_as(read_h5ad(files.expression), pools, members)
    if files.annotation and "gene_name" not in expression.var:
        expression.var = with_gene_names(
            expression.var, read_tss(files.annotation, **params.genome)
        )
    write_h5ad(pools, snakemake.output.pools)
    if files.expression:
        write_h5ad(expression, snakemake.output.expression)
    write_table(members, snakemake.output.members)
