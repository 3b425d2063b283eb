"""Score influence and effect of each filter on each pool, on the fold's validation genes."""

import pandas as pd
import torch

from cisgrammar.common.files import read_h5ad, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.common.threads import set_threads
from cisgrammar.data.folds import VALIDATION, read_folds, rows_of
from cisgrammar.models.checkpoints import load_model

fold = int(snakemake.wildcards.fold)
with log_to(snakemake.log[0]):
    set_threads(snakemake.threads)
    dataset = read_h5ad(snakemake.input.dataset)
    folds = read_folds(snakemake.input.folds, dataset.var_names)
    codes = dataset.varm["codes"][rows_of(folds, fold, VALIDATION)]
    model = load_model(snakemake.input.model)
    by_bin = model.influence_and_effect(torch.from_numpy(codes))
    influence, effect = (scores.sum(dim=1) for scores in by_bin)  # over the filters' bins
    names = pd.Index([f"{fold}_{i}" for i in range(len(influence))], name="motif")
    for scores, path in [
        (influence, snakemake.output.influence),
        (effect, snakemake.output.effect),
    ]:
        table = pd.DataFrame(scores.numpy(), index=names, columns=dataset.obs_names)
        write_table(table, path, index=True)
