"""Plain statistics: correlations, areas under curves, corrections for many tests."""

from __future__ import annotations

import numpy as np
from scipy import stats
from scipy.stats import rankdata

MIN_OBSERVATIONS = 4


def spearman(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Correlate every variable of one table with every variable of another.

    Parameters
    ----------
    first, second
        ``(observations, a)`` and ``(observations, b)``, without missing values.

    Returns
    -------
    rho
        Spearman's correlation ``(a, b)``; NaN where a variable is constant or
        there are fewer than four observations.
    p
        Two-sided, by the t distribution; NaN where rho is.
    """
    n = len(first)
    if n < MIN_OBSERVATIONS:
        nothing = np.full((first.shape[1], second.shape[1]), np.nan)
        return nothing, nothing.copy()
    # Rounded, because the last digits of a product depend on the number of threads.
    rho = np.clip(np.round(_standard_ranks(first).T @ _standard_ranks(second), 12), -1, 1)
    with np.errstate(divide="ignore"):
        t = np.abs(rho) * np.sqrt((n - 2) / (1 - rho**2))
    return rho, 2 * stats.t.sf(t, n - 2)


def _standard_ranks(values: np.ndarray) -> np.ndarray:
    """Rank columns and scale them to mean 0 and length 1; constant ones become NaN."""
    ranks = stats.rankdata(values, axis=0)
    ranks -= ranks.mean(axis=0)
    lengths = np.linalg.norm(ranks, axis=0)
    return ranks / np.where(lengths > 0, lengths, np.nan)


def benjamini_hochberg(p: np.ndarray) -> np.ndarray:
    """Adjust p-values for the false discovery rate.

    Parameters
    ----------
    p
        Any shape; NaN are not tests and stay NaN.

    Returns
    -------
    Adjusted p-values, same shape, never decreasing with p.

    Notes
    -----
    Benjamini & Hochberg (1995).
    """
    adjusted = np.full(p.shape, np.nan)
    tested = ~np.isnan(p)
    if tested.any():
        adjusted[tested] = stats.false_discovery_control(p[tested])
    return adjusted


def pearson(x: np.ndarray, y: np.ndarray, axis: int | None = None) -> np.ndarray:
    """Pearson's r along an axis (default: of all values); NaN where one side is constant."""
    x = np.asarray(x, dtype=np.float64)
    y = np.asarray(y, dtype=np.float64)
    constant = _constant(x, axis) | _constant(y, axis)
    x = x - x.mean(axis=axis, keepdims=True)
    y = y - y.mean(axis=axis, keepdims=True)
    norm = np.sqrt((x * x).sum(axis=axis)) * np.sqrt((y * y).sum(axis=axis))
    with np.errstate(invalid="ignore", divide="ignore"):
        r = np.clip((x * y).sum(axis=axis) / norm, -1, 1)
    return np.where(constant, np.nan, r)


def _constant(values: np.ndarray, axis: int | None) -> np.ndarray:
    return values.max(axis=axis) == values.min(axis=axis)


def centre_genes(values: np.ndarray) -> np.ndarray:
    """Subtract each gene's mean over targets: ``(genes, targets)``."""
    centred = values - values.mean(axis=1, keepdims=True, dtype=np.float64)
    centred[_constant(values, 1)] = 0  # what rounding leaves of a constant is not variance
    return centred


def centre_both(values: np.ndarray) -> np.ndarray:
    """Subtract each gene's mean over targets and each target's mean over genes.

    Parameters
    ----------
    values
        ``(genes, targets)``.

    Returns
    -------
    float64, same shape: what is left beside a sum of one number a gene and one a target.
    All 0 where that is no more than the rounding of the values.
    """
    wide = values.astype(np.float64)
    centred = wide - wide.mean(axis=1, keepdims=True)
    centred -= centred.mean(axis=0)
    precision = np.finfo(np.result_type(values.dtype, np.float32)).eps
    rounding = 8 * precision * np.abs(wide).max(initial=0)
    return centred if np.abs(centred).max(initial=0) > rounding else np.zeros_like(centred)


def is_binary(targets: np.ndarray) -> bool:
    """Tell whether targets are classes: all 0 or 1."""
    return bool(np.isin(targets, (0, 1)).all())


def auroc(observed: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Area under the ROC curve of each 0/1 target; ties count half.

    Parameters
    ----------
    observed, predicted
        ``(sequences, targets)``.

    Returns
    -------
    ``(targets,)``; NaN for a target with one class only.

    Notes
    -----
    Hanley & McNeil (1982): the share of pairs of a 1 and a 0 that are predicted
    in the right order, from ranks.
    """
    positive = observed == 1
    n_positive = positive.sum(axis=0)
    n_negative = len(observed) - n_positive
    ranks = rankdata(predicted, axis=0)
    above = (ranks * positive).sum(axis=0) - n_positive * (n_positive + 1) / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        return above / (n_positive * n_negative)
