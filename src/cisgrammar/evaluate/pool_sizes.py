"""What the number of cells in a pool does to the data and to the model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import torch
from anndata import AnnData

from cisgrammar.data.fold_splits import split_folds
from cisgrammar.data.folds import TEST, VALIDATION, rows_of
from cisgrammar.evaluate.scores import scores
from cisgrammar.models.abilities import HasFilters
from cisgrammar.models.prediction import predict
from cisgrammar.training.final_model import train_final

FOLD = 0


def try_pool_size(
    dataset: AnnData,
    *,
    folds: Mapping[str, Any],
    model: str,
    settings: Mapping[str, Any],
    hyperparameters: Mapping[str, Any],
    training: Mapping[str, Any],
    seed: int,
    device: torch.device | str = "cpu",
) -> pd.DataFrame:
    """Train one fold on pools of one size, and measure.

    Parameters
    ----------
    dataset
        Pools x sequences, as dataset.h5ad, made of pools of that size.
    folds
        n_folds, validation and by: :func:`~cisgrammar.data.folds.split_folds`.
    model, settings, hyperparameters
        As for :func:`~cisgrammar.training.final_model.train_final`. The same
        for every size, so that sizes are compared and not searches.
    training
        epochs and patience.
    seed
        Of the folds: that of the run itself.
    device
        Where to train.

    Returns
    -------
    measure, value: ``r2`` on the fold's test genes; ``sparsity`` (share of zeros) and
    ``purity`` of each pool; ``n_cell_types`` that a pool is named after;
    ``influence_cv``, the standard deviation of a filter's effect over pools, as a share
    of its mean absolute effect, for each filter that has one.

    Notes
    -----
    Hepkema et al. (2023), figure S2. Small pools are sparse and noisy; large ones
    mix cell types, and so take away what tells pools apart.
    """
    parts = split_folds(dataset.var, **folds, seed=seed)
    trained, _ = train_final(
        model, dataset, parts, FOLD, settings, hyperparameters, training, device
    )
    inputs = trained.read_inputs(dataset).to(device)
    test, validation = (rows_of(parts, FOLD, part) for part in (TEST, VALIDATION))
    predicted = predict(trained, inputs.rows(torch.from_numpy(test))).cpu().numpy()
    assert isinstance(trained, HasFilters)
    codes = inputs.codes[torch.from_numpy(validation)]
    effect = trained.influence_and_effect(codes)[1].sum(dim=1)
    measures = {
        "r2": [scores(dataset.X.T[test], predicted)["r2"]],
        "sparsity": (dataset.X == 0).mean(axis=1),
        "purity": dataset.obs["purity"].to_numpy(float),
        "n_cell_types": [dataset.obs["cell_type"].nunique()],
        "influence_cv": relative_spread(effect.cpu().numpy()),
    }
    tables = [pd.DataFrame({"measure": m, "value": values}) for m, values in measures.items()]
    return pd.concat(tables, ignore_index=True)


def relative_spread(effect: np.ndarray) -> np.ndarray:
    """Divide each row's standard deviation by its mean absolute value, where it has one."""
    size = np.abs(effect).mean(axis=1)
    return effect[size > 0].std(axis=1) / size[size > 0]
