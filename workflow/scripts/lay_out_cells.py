"""Read the cells' embedding out of a model; add clusters, UMAP, t-SNE, and depth."""

import numpy as np

from cisgrammar.common.files import read_h5ad, write_h5ad, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.common.seeds import derive_seed
from cisgrammar.common.threads import set_threads
from cisgrammar.data.cells_by_peaks import some_cells_at_a_time
from cisgrammar.interpret.cell_embedding import cell_embedding, depth_against_intercept, lay_out
from cisgrammar.models.checkpoints import load_model

with log_to(snakemake.log[0]):
    set_threads(snakemake.threads)
    dataset = read_h5ad(snakemake.input.dataset, backed="r")
    model, codes = load_model(snakemake.input.model), dataset.varm["codes"]
    cells = cell_embedding(model, dataset.obs, codes, **snakemake.params.embedding)
    fold = int(snakemake.wildcards.fold)
    seed = derive_seed(snakemake.params.seed, "lay_out_cells", fold)
    lay_out(cells, **snakemake.params.settings, seed=seed)
    n_open = [np.diff(part.indptr) for part in some_cells_at_a_time(dataset.X)]
    depth, _ = depth_against_intercept(cells, np.concatenate(n_open))
    write_h5ad(cells, snakemake.output.embedding)
    write_table(depth, snakemake.output.depth)
