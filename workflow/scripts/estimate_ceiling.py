"""Estimate from halves of the pools how much could be explained at all."""

import pandas as pd

from cisgrammar.cells.pool_members import read_members
from cisgrammar.common.files import read_h5ad, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.common.seeds import derive_seed
from cisgrammar.evaluate.noise_ceiling import noise_ceiling

with log_to(snakemake.log[0]):
    cells, dataset = read_h5ad(snakemake.input.cells), read_h5ad(snakemake.input.dataset)
    members = read_members(snakemake.input.members, dataset.obs, cells.obs_names)
    rows = cells.obs_names.get_indexer(members["cell"]).reshape(dataset.n_obs, -1)
    seed = derive_seed(snakemake.params.seed, "estimate_ceiling")
    ceiling = noise_ceiling(cells[:, dataset.var_names].X, rows, seed)
    write_table(pd.DataFrame([ceiling]), snakemake.output.ceiling)
