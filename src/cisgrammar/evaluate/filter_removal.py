"""What a model predicts without some of its filters; nothing is trained again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

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
        What the head reads: ``(sequences, filters)``.
    weight, bias
        The head: ``(targets, filters)`` and ``(targets,)``.
    keep
        Filters to use: bool ``(filters,)``.
    fill
        What the others are taken to say: 0 as published, or their means
        ``(filters,)`` over the training part, which takes what they know about sequences but
        leaves the level of each target.

    Returns
    -------
    ``(sequences, targets)``.
    """
    return np.where(keep, activations, fill) @ weight.T + bias
