"""Predict without some filters: those that match nothing known, the others, each family."""

import pandas as pd
import torch
from anndata import read_h5ad

from cisgrammar.common.files import read_table, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.common.threads import set_threads
from cisgrammar.data.folds import TEST, TRAIN, rows_of
from cisgrammar.evaluate.comparison import score_row
from cisgrammar.evaluate.filter_removal import NO_MATCH, filter_subsets, predict_with_filters
from cisgrammar.models.checkpoints import load_model

files = snakemake.input
with log_to(snakemake.log[0]):
    set_threads(snakemake.threads)
    dataset, folds = read_h5ad(files.dataset), read_table(files.folds)
    filters, families = read_table(files.filters), read_table(files.families)
    # groups that match nothing known are taken away together
    known = families["reproducible"].astype(bool) & (families["status"] != NO_MATCH)
    reproducible = sorted(families.loc[known, "family"])
    scores = []
    for fold, path in enumerate(files.models):
        model = load_model(path)
        weight, bias = (p.detach().numpy() for p in (model.head.weight, model.head.bias))
        test = rows_of(folds, fold, TEST)
        codes = torch.from_numpy(dataset.varm["codes"])
        activated = model.activations(codes[test]).numpy()
        fill = 0.0
        if snakemake.params.fill == "mean":
            train = rows_of(folds, fold, TRAIN)
            fill = (
                model.activations(torch.from_numpy(dataset.varm["codes"][train]))
                .numpy()
                .mean(axis=0)
            )
        subsets = filter_subsets(filters[filters["fold"] == fold], weight.shape[1], reproducible)
        for method, keep in subsets.items():
            predicted = predict_with_filters(activated, weight, bias, keep, fill)
            scores.append(score_row(method, fold, dataset.X[:, test].T, predicted))
    write_table(pd.concat(scores), snakemake.output.scores)
