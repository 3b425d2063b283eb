"""How well predictions fit, on genes the model never saw."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import rankdata


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


def scores(observed: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """Score predictions.

    Parameters
    ----------
    observed, predicted
        ``(genes, targets)``.

    Returns
    -------
    ``n_genes``; ``r`` and ``r2`` of all values flattened, as published; ``centred_r``
    after subtracting each gene's mean from both, which leaves what differs between
    targets; ``mean_pool_r`` and ``mean_gene_r``, means of r per target and per gene
    (those that do not vary left out); ``mse``. Where all that was observed is 0 or 1, also
    ``mean_auroc``, the mean of :func:`auroc` over targets.

    Notes
    -----
    Hepkema et al. (2023) report the mean of r squared over folds as variance explained.
    """
    r = float(pearson(observed, predicted))
    values = {
        "n_genes": len(observed),
        "r": r,
        "r2": r * r,
        "centred_r": float(pearson(centre_genes(observed), centre_genes(predicted))),
        "mean_pool_r": _mean(pearson(observed, predicted, axis=0)),
        "mean_gene_r": _mean(pearson(observed, predicted, axis=1)),
        "mse": float(np.mean((observed.astype(np.float64) - predicted) ** 2)),
    }
    if is_binary(observed):
        values["mean_auroc"] = _mean(auroc(observed, predicted))
    return values


def _mean(values: np.ndarray) -> float:
    values = values[np.isfinite(values)]
    return float(values.mean()) if values.size else float("nan")


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


def scores_by(
    observed: np.ndarray, predicted: np.ndarray, names: pd.Index, axis: int
) -> pd.DataFrame:
    """Score each target (axis 0) or each gene (axis 1).

    Parameters
    ----------
    observed, predicted
        ``(genes, targets)``.
    names
        Names of the targets or genes.
    axis
        The axis that is summed over.

    Returns
    -------
    Columns ``name``, ``r``, ``mse``.
    """
    difference = observed.astype(np.float64) - predicted
    return pd.DataFrame(
        {
            "name": names,
            "r": pearson(observed, predicted, axis=axis),
            "mse": (difference**2).mean(axis=axis),
        }
    )


def summarise(folds: list[dict[str, float]], pooled: dict[str, float]) -> pd.DataFrame:
    """Put folds, their mean and the scores of all test genes together into one table."""
    table = pd.DataFrame(folds)
    mean = table.mean(numeric_only=True).to_dict()
    rows = [*({"fold": str(i), **row} for i, row in enumerate(folds))]
    rows += [{"fold": "mean", **mean}, {"fold": "pooled", **pooled}]
    return pd.DataFrame(rows).astype({"n_genes": int})
