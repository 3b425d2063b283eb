"""What a model predicts without some of its filters; nothing is trained again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from anndata import AnnData

from cisgrammar.data.folds import TEST, TRAIN, rows_of
from cisgrammar.evaluate.comparison import score_row
from cisgrammar.models.abilities import HasFilters

NO_MATCH = "no match"  # as in motifs.families, which would bring Tomtom with it


def filter_subsets(
    filters: pd.DataFrame, n_filters: int, families: Sequence[str]
) -> dict[str, np.ndarray]:
    """Name the sets of filters to predict with.

    Parameters
    ----------
    filters
        filter_families.tsv of one fold: filter, family, status. Filters that became no motif
        are not in it: they match nothing.
    n_filters
        Filters of the model.
    families
        Families to remove, one at a time. A fold that did not find one loses nothing.

    Returns
    -------
    ``only_aligned``, ``only_non_aligned`` and ``without_{family}`` in the order of
    ``models``, each with a bool array ``(filters,)``: which to keep.
    """
    aligned = np.zeros(n_filters, dtype=bool)
    aligned[filters.loc[filters["status"] != NO_MATCH, "filter"]] = True
    subsets = {"only_aligned": aligned, "only_non_aligned": ~aligned}
    for family in families:
        keep = np.ones(n_filters, dtype=bool)
        keep[filters.loc[filters["family"] == family, "filter"]] = False
        subsets[f"without_{family}"] = keep
    return subsets


def predict_with_filters(
    activations: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray,
    keep: np.ndarray,
    fill: np.ndarray | float = 0,
) -> np.ndarray:
    """Predict from some filters of a model with a linear head.

    Parameters
    ----------
    activations
        What the head reads: ``(sequences, filters, bins)``.
    weight, bias
        The head: ``(targets, filters, bins)`` and ``(targets,)``.
    keep
        Filters to use, each in all of its bins: bool ``(filters,)``.
    fill
        What the others are taken to say: 0 as published, or their means
        ``(filters, bins)`` over the training part, which takes what they know about sequences but
        leaves the level of each target.

    Returns
    -------
    ``(sequences, targets)``.
    """
    kept = np.where(keep[:, None], activations, fill).reshape(len(activations), -1)
    return kept @ weight.reshape(len(weight), -1).T + bias


def known_families(families: pd.DataFrame) -> list[str]:
    """Name the reproducible families that match something known; the others go together."""
    known = families["reproducible"].astype(bool) & (families["status"] != NO_MATCH)
    return sorted(families.loc[known, "family"])


def score_subsets(
    model: HasFilters,
    dataset: AnnData,
    folds: pd.DataFrame,
    fold: int,
    filters: pd.DataFrame,
    families: Sequence[str],
    fill: str,
) -> pd.DataFrame:
    """Score what one fold's model predicts with some of its filters.

    Parameters
    ----------
    model
        Trained in this fold.
    dataset
        Targets x sequences, with ``varm["codes"]``.
    folds, fold
        folds.tsv, and its fold.
    filters
        filter_families.tsv of all folds.
    families
        To remove, one at a time: see :func:`filter_subsets`.
    fill
        What filters that are taken away say: ``zero``, or ``mean`` over the training part.

    Returns
    -------
    One row a subset, as :func:`cisgrammar.evaluate.comparison.score_row` gives them.
    """
    codes = torch.from_numpy(dataset.varm["codes"])
    weight, bias = (p.detach().numpy() for p in (model.head_weights(), model.head.bias))
    test = rows_of(folds, fold, TEST)
    activated = model.activations(codes[test]).numpy()
    filled: np.ndarray | float = 0.0
    if fill == "mean":
        filled = model.activations(codes[rows_of(folds, fold, TRAIN)]).numpy().mean(axis=0)
    subsets = filter_subsets(filters[filters["fold"] == fold], weight.shape[1], families)
    rows = []
    for method, keep in subsets.items():
        predicted = predict_with_filters(activated, weight, bias, keep, filled)
        rows.append(score_row(method, fold, dataset.X[:, test].T, predicted))
    return pd.concat(rows)
