"""Train one fold's model again on shuffled sequences and on permuted pools."""

import json
from pathlib import Path

import pandas as pd
import torch
from anndata import read_h5ad

from cisgrammar.common.devices import resolve_device
from cisgrammar.common.files import read_table, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.common.seeds import derive_seed
from cisgrammar.common.threads import set_threads
from cisgrammar.data.folds import TEST, rows_of
from cisgrammar.data.spoiling import spoil
from cisgrammar.evaluate.comparison import Cost, score_row
from cisgrammar.training.final_model import train_final
from cisgrammar.models.prediction import predict

family, fold = snakemake.wildcards.family, int(snakemake.wildcards.fold)
settings, training = snakemake.params.settings, snakemake.params.training
with log_to(snakemake.log[0]):
    set_threads(snakemake.threads)
    device = resolve_device(
        training["device"], snakemake.resources.get("gpu", 0), training["deterministic"]
    )
    best = json.loads(Path(snakemake.input.best).read_text())
    dataset, folds = read_h5ad(snakemake.input.dataset), read_table(snakemake.input.folds)
    test = rows_of(folds, fold, TEST)
    scores, costs = [], []
    for control in snakemake.params.controls:
        spoiled = spoil(dataset, control, derive_seed(snakemake.params.seed, "controls", control))
        with Cost() as cost:
            model, _ = train_final(family, spoiled, folds, fold, settings, best, training, device)
        codes = torch.from_numpy(spoiled.varm["codes"][test]).to(device)
        predicted = predict(model, codes).cpu().numpy()
        scores.append(score_row(control, fold, spoiled.X[:, test].T, predicted))
        costs.append(cost.row(control, fold))
    write_table(pd.concat(scores), snakemake.output.scores)
    write_table(pd.concat(costs), snakemake.output.costs)
