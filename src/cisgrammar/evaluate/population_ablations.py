"""What a model of populations loses in a shorter window, without features, or without sequence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from cisgrammar.common.statistics import pearson
from cisgrammar.evaluate.population_predictions import predict_held_out
from cisgrammar.evaluate.population_scores import LEAST_GENES
from cisgrammar.genome.sequence import N
from cisgrammar.models.base import SequenceModel

INPUTS = ("sequence", "features")  # what is left


def ablate(
    dataset: AnnData, settings: Mapping[str, Any], ablation: str, upstream: int
) -> tuple[AnnData, dict[str, Any]]:
    """Take something away from what a model of populations reads.

    Parameters
    ----------
    dataset
        populations.h5ad.
    settings
        By which the model is built.
    ablation
        ``sequence`` or ``features``, which alone are left, or a window: bases before the TSS and
        bases from it on, as ``500_100``.
    upstream
        Bases before the TSS in the data set's windows.

    Returns
    -------
    The data set, with unknown bases outside of the window if one was asked for, and the settings.
    The network stays as it is, for its pools may need the whole length.

    Raises
    ------
    ValueError
        If the window reaches beyond that of the data set.
    """
    if ablation in INPUTS:
        return dataset, {**settings, "inputs": ablation}
    before, after = map(int, ablation.split("_"))
    codes = np.array(dataset.varm["codes"])
    if before > upstream or upstream + after > codes.shape[1]:
        raise ValueError(f"a window of {before} + {after} bases is not within that of the data set")
    codes[:, : upstream - before] = N
    codes[:, upstream + after :] = N
    hidden = dataset.copy()
    hidden.varm["codes"] = codes
    return hidden, dict(settings)


def score_ablation(
    model: SequenceModel, dataset: AnnData, folds: pd.DataFrame, fold: int, ablation: str
) -> pd.DataFrame:
    """Score a model on its fold's test genes.

    Parameters
    ----------
    model
        Trained on ``dataset``.
    dataset
        As from :func:`ablate`.
    folds, fold
        population_folds.tsv and the fold.
    ablation
        Its name.

    Returns
    -------
    ablation, population, level, fold, n_genes, r (Pearson's over the test genes; NaN of fewer than
    three). A row for each population.
    """
    held_out = predict_held_out([(fold, model)], dataset, folds)
    observed, predicted = np.asarray(held_out.layers["observed"]), np.asarray(held_out.X)
    enough = held_out.n_vars >= LEAST_GENES
    return pd.DataFrame(
        {
            "ablation": ablation,
            "population": held_out.obs_names,
            "level": held_out.obs["level"].astype(str).to_numpy(),
            "fold": fold,
            "n_genes": held_out.n_vars,
            "r": [
                float(pearson(a, b)) if enough else np.nan
                for a, b in zip(observed, predicted, strict=True)
            ],
        }
    )
