"""Write what motif families do to pools as an AnnData that scanpy draws as it is."""

from cisgrammar.common.files import read_h5ad, write_h5ad
from cisgrammar.common.logs import log_to
from cisgrammar.interpret.for_scanpy import pools_for_scanpy
from cisgrammar.plots.cell_types import cell_type_colours

files = snakemake.input
with log_to(snakemake.log[0]):
    pools = pools_for_scanpy(
        read_h5ad(files.influence),
        read_h5ad(files.families),
        cell_type_colours(files.cell_types),
        snakemake.params.score,
    )
    write_h5ad(pools, snakemake.output.pools)
