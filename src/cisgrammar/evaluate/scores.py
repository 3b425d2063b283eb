"""How well predictions fit, on genes the model never saw."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cisgrammar.common.statistics import auroc, centre_both, centre_genes, is_binary, pearson


def scores(observed: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """Score predictions.

    Parameters
    ----------
    observed, predicted
        ``(genes, targets)``.

    Returns
    -------
    ``n_genes``; ``r`` and ``r2`` of all values flattened, as published; ``centred_r``
    after subtracting each gene's mean from both; ``doubly_centred_r`` after subtracting
    each gene's mean over targets and each target's mean over genes, see
    :func:`doubly_centred_r`; ``mean_pool_r`` and ``mean_gene_r``, means of r per target and
    per gene (those that do not vary left out); ``mse``. Where all that was observed is 0 or 1, also
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
        "doubly_centred_r": doubly_centred_r(observed, predicted),
        "mean_pool_r": _mean(pearson(observed, predicted, axis=0)),
        "mean_gene_r": _mean(pearson(observed, predicted, axis=1)),
        "mse": float(np.mean((observed.astype(np.float64) - predicted) ** 2)),
    }
    if is_binary(observed):
        values["mean_auroc"] = _mean(auroc(observed, predicted))
    return values


def doubly_centred_r(observed: np.ndarray, predicted: np.ndarray) -> float:
    """Correlate which genes are high in which targets, levels of both set aside.

    Parameters
    ----------
    observed, predicted
        ``(genes, targets)``.

    Returns
    -------
    Pearson's r of all values after :func:`cisgrammar.common.statistics.centre_both` of both
    sides. 0 where the prediction has nothing left, such as the mean gene: it says nothing of
    differences. NaN where the observed values have nothing left.

    Notes
    -----
    A target that sums many cells is high in every gene because it is deep. With gene means
    alone subtracted (``centred_r``), depth is most of what is left, and the mean gene of the
    training sequences predicts it.
    """
    observed, predicted = centre_both(observed), centre_both(predicted)
    if not observed.any():
        return float("nan")
    return float(pearson(observed, predicted)) if predicted.any() else 0.0


def _mean(values: np.ndarray) -> float:
    values = values[np.isfinite(values)]
    return float(values.mean()) if values.size else float("nan")


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
