"""Score the influence of each filter on each pool, on the fold's validation genes."""

import pandas as pd
import torch
from anndata import read_h5ad

from cisgrammar import models
from cisgrammar.files import read_table, write_table
from cisgrammar.folds import VALIDATION, rows_of
from cisgrammar.logs import log_to
from cisgrammar.threads import set_threads

fold = int(snakemake.wildcards.fold)
with log_to(snakemake.log[0]):
    set_threads(snakemake.threads)
    dataset, folds = read_h5ad(snakemake.input.dataset), read_table(snakemake.input.folds)
    codes = dataset.varm["codes"][rows_of(folds, fold, VALIDATION)]
    scores = models.load(snakemake.input.model).influence(torch.from_numpy(codes)).numpy()
    names = pd.Index([f"{fold}_{i}" for i in range(len(scores))], name="motif")
    table = pd.DataFrame(scores, index=names, columns=dataset.obs_names)
    write_table(table, snakemake.output.influence, index=True)
