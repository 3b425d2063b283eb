"""Read the cells' embedding out of a model; add clusters, UMAP, t-SNE, and depth."""

import numpy as np
from anndata import read_h5ad

from cisgrammar import models
from cisgrammar.cell_embedding import cell_embedding, depth_against_intercept, lay_out
from cisgrammar.files import write_h5ad, write_table
from cisgrammar.logs import log_to
from cisgrammar.seeds import derive_seed
from cisgrammar.threads import set_threads

with log_to(snakemake.log[0]):
    set_threads(snakemake.threads)
    dataset = read_h5ad(snakemake.input.dataset)
    cells = cell_embedding(models.load(snakemake.input.model), dataset.obs)
    fold = int(snakemake.wildcards.fold)
    seed = derive_seed(snakemake.params.seed, "lay_out_cells", fold)
    lay_out(cells, **snakemake.params.settings, seed=seed)
    depth, _ = depth_against_intercept(cells, np.diff(dataset.X.indptr))
    write_h5ad(cells, snakemake.output.embedding)
    write_table(depth, snakemake.output.depth)
