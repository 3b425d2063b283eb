"""Rank correlations of many variables, and their correction for many tests."""

from __future__ import annotations

import numpy as np
from scipy import stats

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
