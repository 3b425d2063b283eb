"""How well accessibility of peaks that the model never saw is predicted, per cell and per peak."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import torch
from anndata import AnnData
from anndata.abc import CSRDataset
from scipy import sparse
from sklearn.metrics import average_precision_score
from torch import Tensor

from cisgrammar.common.statistics import auroc
from cisgrammar.data.cells_by_peaks import some_cells_at_a_time
from cisgrammar.data.folds import TEST, rows_of
from cisgrammar.models.abilities import EmbedsCells
from cisgrammar.models.prediction import embed_sequences

CELLS_AT_ONCE = 4096


@torch.no_grad()
def score_held_out(
    model: EmbedsCells,
    codes: Tensor,
    is_open: sparse.spmatrix | CSRDataset,
    rows: np.ndarray,
    at_once: int = CELLS_AT_ONCE,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Score predictions of some peaks.

    Parameters
    ----------
    model
        Trained on other peaks.
    codes
        uint8 ``(peaks, length)``, of all peaks.
    is_open
        Cells x peaks, 0 and 1; of those that are in a file, the held-out peaks alone are kept.
    rows
        The held-out peaks, int64.
    at_once
        Cells whose predictions are in memory at one time, for the scores per cell.

    Returns
    -------
    per_cell
        Columns cell (number), n_open, auroc, aupr: over peaks.
    per_peak
        Columns peak (number), n_open, auroc, aupr: over cells. NaN where all are open or closed.

    Notes
    -----
    Yuan & Kelley (2022), Results, "scBasset predicts single-cell chromatin accessibility on
    held-out peaks". AUPR is average precision; its chance level is the share of open entries.
    """
    embedding = embed_sequences(model, codes[torch.from_numpy(rows)])
    weight, bias = (part.detach().cpu() for part in model.cell_weights())
    return score_products(embedding, weight, bias, is_open, rows, at_once)


def score_products(
    embedding: Tensor,
    weight: Tensor,
    bias: Tensor,
    is_open: sparse.spmatrix | CSRDataset,
    rows: np.ndarray,
    at_once: int = CELLS_AT_ONCE,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Score predictions that are products of what describes peaks and what describes cells.

    Parameters
    ----------
    embedding
        ``(held-out peaks, n)``.
    weight, bias
        ``(cells, n)`` and ``(cells,)``.
    is_open, rows, at_once
        As for :func:`score_held_out`.

    Returns
    -------
    As from :func:`score_held_out`.
    """
    truth = sparse.vstack([part[:, rows] for part in some_cells_at_a_time(is_open)], format="csr")
    per_cell, per_peak = [], []
    for first in range(0, len(weight), at_once):
        cells = slice(first, first + at_once)
        per_cell.append(_scores(truth[cells].T, embedding @ weight[cells].T + bias[cells]))
    truth = truth.tocsc()
    for first in range(0, len(rows), 128):
        peaks = slice(first, first + 128)
        per_peak.append(_scores(truth[:, peaks], (embedding[peaks] @ weight.T + bias).T))
    by_cell, by_peak = (pd.concat(tables, ignore_index=True) for tables in (per_cell, per_peak))
    by_cell.insert(0, "cell", np.arange(len(weight)))
    by_peak.insert(0, "peak", rows)
    return by_cell, by_peak


def score_test_part(
    model: EmbedsCells, dataset: AnnData, folds: pd.DataFrame, fold: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Score predictions of a fold's test part, cells and peaks by their names.

    Parameters
    ----------
    model
        Of this fold, on the CPU.
    dataset
        accessibility.h5ad: cells x peaks, ``varm["codes"]``; counts may stay in the file.
    folds, fold
        folds.tsv, and which fold.

    Returns
    -------
    As from :func:`score_held_out`, with names in place of numbers, and the cells' cell_type and
    batch.
    """
    rows = rows_of(folds, fold, TEST)
    codes = torch.from_numpy(dataset.varm["codes"])
    return with_names(score_held_out(model, codes, dataset.X, rows), dataset, rows)


def with_names(
    scores: tuple[pd.DataFrame, pd.DataFrame], dataset: AnnData, rows: np.ndarray
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Put names in place of the numbers of cells and peaks, and add the cells' labels."""
    per_cell, per_peak = scores
    per_cell["cell"], per_peak["peak"] = dataset.obs_names, dataset.var_names[rows]
    for column in ("batch", "cell_type"):
        per_cell.insert(1, column, dataset.obs[column].astype(str).to_numpy())
    return per_cell, per_peak


def _scores(is_open: sparse.spmatrix, logits: Tensor) -> pd.DataFrame:
    """Score each column."""
    truth, predicted = is_open.toarray() > 0, logits.numpy()
    n_open = truth.sum(axis=0)
    precision = [
        average_precision_score(t, p) if 0 < n < len(t) else np.nan
        for t, p, n in zip(truth.T, predicted.T, n_open, strict=True)
    ]
    return pd.DataFrame({"n_open": n_open, "auroc": auroc(truth, predicted), "aupr": precision})


def summarise(per_cell: pd.DataFrame, per_peak: pd.DataFrame) -> pd.DataFrame:
    """Average the scores: one row per cell, one per peak, with how many could be scored."""
    rows = []
    for per, table in (("cell", per_cell), ("peak", per_peak)):
        scored = table.dropna(subset=["auroc"])
        means = scored[["auroc", "aupr"]].mean()
        rows.append({"per": per, "n": len(table), "n_scored": len(scored), **means})
    return pd.DataFrame(rows)


def summarise_folds(
    scores: Mapping[str, Sequence[tuple[pd.DataFrame, pd.DataFrame]]],
) -> pd.DataFrame:
    """Average the scores of each fold.

    Parameters
    ----------
    scores
        ``measured`` and ``shuffled`` labels to the per_cell and per_peak tables of each fold.

    Returns
    -------
    labels, fold, per (``cell``, ``peak``), n, n_scored, auroc, aupr, and open_share: the share
    of entries that are open, which is AUPR's chance level.
    """
    tables = []
    for labels, folds in scores.items():
        for fold, (per_cell, per_peak) in enumerate(folds):
            table = summarise(per_cell, per_peak).assign(
                open_share=per_cell["n_open"].sum() / (len(per_cell) * len(per_peak))
            )
            table.insert(0, "fold", fold)
            table.insert(0, "labels", labels)
            tables.append(table)
    return pd.concat(tables, ignore_index=True)
