"""Models of any kind against each other: cell types x the sequences that all of them held out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from cisgrammar.common.seeds import derive_seed
from cisgrammar.evaluate.link_scores import INTERVAL

WITHIN, BETWEEN = "within cell types", "between cell types"
AT_ONCE = 100  # draws whose weights are held
TINY = 1e-9  # sum of squares, below which values do not vary


def score_types(
    observed: np.ndarray,
    predicted: Mapping[str, np.ndarray],
    *,
    n_bootstrap: int = 1000,
    seed: int = 1,
) -> pd.DataFrame:
    """Score all models on the same sequences and cell types.

    Parameters
    ----------
    observed
        ``(sequences, cell types)``.
    predicted
        The same by each model, in any unit: only correlations are looked at.
    n_bootstrap, seed
        Draws of sequences with replacement: the same for all models.

    Returns
    -------
    score, model, value, low, high (95%), and how much lower than the best model of the score:
    behind, behind_low, behind_high. Scores: ``within cell types``, r over sequences, mean over
    cell types; ``between cell types``, r over all after each sequence's mean and each cell type's
    mean are subtracted, which is 0 for a prediction that is the same in all cell types, and NaN
    of a single type.
    """
    found: dict[tuple[str, str], list[np.ndarray]] = {}
    centred = {model: _about_mean(values) for model, values in predicted.items()}
    about = _about_mean(observed)
    for weights in _weightings(len(observed), n_bootstrap, seed):
        for model, values in predicted.items():
            within = _moments(observed, values, weights)
            between = _moments(about, centred[model], weights)
            found.setdefault((WITHIN, model), []).append(_r(*within).mean(axis=1))
            pooled = (part.sum(axis=1) for part in between)
            found.setdefault((BETWEEN, model), []).append(_r(*pooled))
    rows = []
    for score in (WITHIN, BETWEEN):
        drawn = {model: np.concatenate(found[score, model]) for model in predicted}
        best = max(drawn, key=lambda model: np.nan_to_num(drawn[model][0], nan=-1))
        for model, values in drawn.items():
            behind = drawn[best] - values
            row = (values[0], *_interval(values), behind[0], *_interval(behind))
            rows.append((score, model, *row))
    columns = ["score", "model", "value", "low", "high", "behind", "behind_low", "behind_high"]
    return pd.DataFrame(rows, columns=columns)


def _weightings(n: int, n_bootstrap: int, seed: int) -> Iterator[np.ndarray]:
    """Give how often each sequence counts: once, then as drawn; ``(draws, n)`` at a time."""
    draws = np.random.default_rng(derive_seed(seed, "bootstrap of sequences"))
    yield np.ones((1, n))
    for first in range(0, n_bootstrap, AT_ONCE):
        count = min(AT_ONCE, n_bootstrap - first)
        yield draws.multinomial(n, np.full(n, 1 / n), count).astype(float)


def _about_mean(values: np.ndarray) -> np.ndarray:
    return values - values.mean(axis=1, keepdims=True)


def _moments(
    x: np.ndarray, y: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sum squares and products about the weighted means: ``(draws, cell types)`` each."""
    total = weights.sum(axis=1, keepdims=True)
    sum_x, sum_y = weights @ x, weights @ y
    xx = weights @ (x * x) - sum_x**2 / total
    yy = weights @ (y * y) - sum_y**2 / total
    return xx, yy, weights @ (x * y) - sum_x * sum_y / total


def _r(xx: np.ndarray, yy: np.ndarray, xy: np.ndarray) -> np.ndarray:
    """Give r; NaN where one of the two does not vary."""
    constant = (xx <= TINY) | (yy <= TINY)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(constant, np.nan, xy / np.sqrt(xx * yy))


def _interval(drawn: np.ndarray) -> tuple[float, float]:
    finite = drawn[1:][np.isfinite(drawn[1:])]
    if not len(finite):
        return np.nan, np.nan
    low, high = np.percentile(finite, INTERVAL)
    return float(low), float(high)
