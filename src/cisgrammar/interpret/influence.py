"""Influence of motifs: from filters and pools to cell types."""

from __future__ import annotations

import numpy as np
import pandas as pd
from anndata import AnnData

EFFECT, INFLUENCE = "effect", "influence"  # a layer, and what it stands beside in X


def gather(
    tables: list[pd.DataFrame],
    effects: list[pd.DataFrame],
    motifs: pd.DataFrame,
    dataset: AnnData,
) -> AnnData:
    """Join the folds' influence and effects into one matrix each.

    Parameters
    ----------
    tables, effects
        Influence and effects, one per fold: motif (index) x pool.
    motifs
        motifs.tsv of all folds, index motif; filters that became no motif are left out.
    dataset
        dataset.h5ad, for the pools' annotation.

    Returns
    -------
    Pools x motifs: influence in X, ``layers["effect"]``.
    """
    influence, effect = (
        pd.concat(folds).loc[motifs.index, dataset.obs_names].T.to_numpy(dtype=np.float32)
        for folds in (tables, effects)
    )
    gathered = AnnData(influence, obs=dataset.obs.copy(), var=motifs.copy())
    gathered.layers[EFFECT] = effect
    if "X_umap" in dataset.obsm:  # data given as sequences and targets have none
        gathered.obsm["X_umap"] = dataset.obsm["X_umap"]
    return gathered


def mean_by(
    influence: AnnData, column: str = "cell_type", layer: str | None = None
) -> pd.DataFrame:
    """Average influence over the pools of each label.

    Parameters
    ----------
    influence
        Pools x motifs.
    column
        Column of obs.
    layer
        ``effect``, for the effect instead.

    Returns
    -------
    Motif x label, labels in alphabetical order.
    """
    labels = influence.obs[column].astype(str)
    table = influence.to_df(layer)
    means = table.astype(np.float64).groupby(labels.to_numpy(), sort=True).mean().T
    means.index.name = "motif"
    return means


def with_score(scores: AnnData, score: str) -> AnnData:
    """Put the score that is asked for, ``effect`` or ``influence``, into X."""
    if score == INFLUENCE:
        return scores
    chosen = scores.copy()
    chosen.X = chosen.layers[score]
    return chosen


def z_scores(table: pd.DataFrame) -> pd.DataFrame:
    """Standardise each row; a row that does not vary becomes zeros.

    Parameters
    ----------
    table
        Motif x label.

    Returns
    -------
    The same shape, rows of mean 0 and standard deviation 1.
    """
    values = table.sub(table.mean(axis=1), axis=0)
    spread = values.pow(2).mean(axis=1).pow(0.5)
    constant = spread <= 1e-12 * table.abs().max(axis=1).clip(lower=1e-300)
    return values.div(spread.mask(constant, np.inf), axis=0)
