"""Pool with another number of cells, and join the pools with the sequences."""

from cisgrammar.cells.pooling import make_pools
from cisgrammar.common.files import read_h5ad, write_h5ad
from cisgrammar.common.logs import log_to
from cisgrammar.common.seeds import derive_seed
from cisgrammar.data.dataset import build_dataset, gene_filter
from cisgrammar.genome.regions import read_bed, sequence_codes

params = snakemake.params
with log_to(snakemake.log[0]):
    settings = params.pools | {"cells_per_pool": int(snakemake.wildcards.q)}
    cells = read_h5ad(snakemake.input.cells)
    pools, _ = make_pools(cells, **settings, seed=derive_seed(params.seed, "pool_cells"))
    regions = read_bed(snakemake.input.regions).set_index("name")
    codes, known = sequence_codes(regions, snakemake.input.genome, snakemake.input.work)
    expressed = gene_filter(pools[:, regions.index].X, **params.dataset)
    dataset = build_dataset(pools, regions, codes, known & expressed)
    write_h5ad(dataset, snakemake.output.dataset)
