"""Expression of each gene as predicted by the models that never saw it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from anndata import AnnData

from cisgrammar.data.folds import TEST, rows_of
from cisgrammar.models.base import SequenceModel
from cisgrammar.models.prediction import predict, spread_of_members


def predict_held_out(
    models: Iterable[tuple[int, SequenceModel]], dataset: AnnData, folds: pd.DataFrame
) -> AnnData:
    """Predict each gene by the fold that tests it.

    Parameters
    ----------
    models
        Folds and their models; one is held at a time.
    dataset, folds
        populations.h5ad and population_folds.tsv.

    Returns
    -------
    Populations x genes, with the data set's obs and var and ``var["fold"]``: the fold that tests
    the gene. X: predictions in log10 units; layers ``observed`` and ``spread``: the standard
    deviation over the ensemble's members, NaN of a single one. Genes that no fold tests are left
    out.
    """
    predicted = np.full(dataset.shape, np.nan, dtype=np.float32)
    spread = np.full(dataset.shape, np.nan, dtype=np.float32)
    tested = np.full(dataset.n_vars, -1)
    for fold, model in models:
        rows = rows_of(folds, fold, TEST)
        inputs = model.read_inputs(dataset[:, rows])
        predicted[:, rows] = predict(model, inputs).cpu().numpy().T
        if (its_spread := spread_of_members(model, inputs)) is not None:
            spread[:, rows] = its_spread.cpu().numpy().T
        tested[rows] = fold
    is_tested = tested >= 0
    var = dataset.var.assign(fold=tested)[is_tested]
    observed = np.asarray(dataset.X[:], dtype=np.float32)[:, is_tested]
    layers = {"observed": observed, "spread": spread[:, is_tested]}
    return AnnData(predicted[:, is_tested], obs=dataset.obs, var=var, layers=layers)
