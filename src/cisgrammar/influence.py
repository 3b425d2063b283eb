"""Influence of motifs: from filters and pools to cell types."""

from __future__ import annotations

import numpy as np
import pandas as pd
from anndata import AnnData


def gather(tables: list[pd.DataFrame], motifs: pd.DataFrame, dataset: AnnData) -> AnnData:
    """Join the folds' influence into one matrix.

    Parameters
    ----------
    tables
        One per fold: motif (index) x pool.
    motifs
        motifs.tsv of all folds, index motif; filters that became no motif are left out.
    dataset
        dataset.h5ad, for the pools' annotation.

    Returns
    -------
    Pools x motifs.
    """
    influence = pd.concat(tables).loc[motifs.index, dataset.obs_names]
    gathered = AnnData(
        influence.T.to_numpy(dtype=np.float32), obs=dataset.obs.copy(), var=motifs.copy()
    )
    if "X_umap" in dataset.obsm:  # data given as sequences and targets have none
        gathered.obsm["X_umap"] = dataset.obsm["X_umap"]
    return gathered


def mean_by(influence: AnnData, column: str = "cell_type") -> pd.DataFrame:
    """Average influence over the pools of each label.

    Parameters
    ----------
    influence
        Pools x motifs.
    column
        Column of obs.

    Returns
    -------
    Motif x label, labels in alphabetical order.
    """
    labels = influence.obs[column].astype(str)
    table = pd.DataFrame(influence.X, index=influence.obs_names, columns=influence.var_names)
    means = table.astype(np.float64).groupby(labels.to_numpy(), sort=True).mean().T
    means.index.name = "motif"
    return means


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
