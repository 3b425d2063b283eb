"""What a model has to beat: simple predictors, fitted on the very same folds."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import linalg, sparse
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import MaxAbsScaler
from threadpoolctl import threadpool_limits

from cisgrammar.common.errors import InputError
from cisgrammar.common.statistics import is_binary
from cisgrammar.data.features import composition, kmer_counts
from cisgrammar.data.folds import TEST, TRAIN, VALIDATION, rows_of
from cisgrammar.models.kmer_features import choose_features
from cisgrammar.models.linear_path import PENALTIES, LinearPath, validated_penalty

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FoldData:
    """What a predictor may look at, and the rows of one fold.

    Parameters
    ----------
    codes
        Sequences, uint8 ``(n, length)``.
    targets
        float32 ``(n, targets)``. The test rows are never read.
    train, validation, test
        Row numbers.
    motif_scores
        Best hit of each database motif: ``(n, motifs)``; see :func:`cisgrammar.motifs.fimo.scan`.
        None if no method in use asks for it.
    seed
        For the methods that draw.
    n_threads
        Threads of the random forest; the result does not depend on it.
    """

    codes: np.ndarray
    targets: np.ndarray
    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    motif_scores: sparse.csr_matrix | None = None
    seed: int = 0
    n_threads: int = 1

    @classmethod
    def of_fold(cls, dataset: AnnData, folds: pd.DataFrame, fold: int, **others: Any) -> FoldData:
        """Take a fold out of dataset.h5ad and folds.tsv; ``others`` are further fields."""
        train, validation, test = (rows_of(folds, fold, part) for part in (TRAIN, VALIDATION, TEST))
        targets = np.ascontiguousarray(dataset.X.T)
        return cls(dataset.varm["codes"], targets, train, validation, test, **others)


def predict(method: str, data: FoldData, **options: object) -> np.ndarray:
    """Fit a baseline on the training rows and predict the test rows.

    Parameters
    ----------
    method
        A key of ``METHODS``.
    data
        One fold.
    options
        The method's own, as in the config.

    Returns
    -------
    float32 ``(test rows, targets)``.

    Raises
    ------
    ValueError
        If the method needs motif scores and there are none, or 0/1 targets and they are not.

    Notes
    -----
    BLAS adds in another order on another number of threads, so it gets one.
    """
    if method in NEED_MOTIF_SCORES and data.motif_scores is None:
        raise ValueError(f"{method} predicts from motif scores, and there are none")
    if method in NEED_BINARY_TARGETS and not is_binary(data.targets):
        raise ValueError(f"{method} predicts classes, and the targets are not all 0 or 1")
    with threadpool_limits(1):
        return METHODS[method](data, **options).astype(np.float32)


def _mean(data: FoldData) -> np.ndarray:
    """Predict the mean training gene: what is known without a look at the sequence."""
    mean = data.targets[data.train].mean(axis=0, dtype=np.float64)
    return np.tile(mean, (len(data.test), 1))


def _gc(data: FoldData) -> np.ndarray:
    """Least squares on GC and CpG content."""
    return _least_squares(composition(data.codes), data)


def _linear(data: FoldData) -> np.ndarray:
    """Least squares on motif scores, as published."""
    return _least_squares(data.motif_scores, data)


def _ridge(data: FoldData) -> np.ndarray:
    """Ridge regression on motif scores."""
    return ridge_regression(data.motif_scores, data)


def _kmer_ridge(
    data: FoldData,
    k: int | None = None,
    both_strands: bool | None = None,
    bins: int | None = None,
) -> np.ndarray:
    """Ridge regression on log(1 + k-mer counts); what is None is chosen on validation."""
    parts = (data.codes, data.targets, data.train, data.validation)
    features = choose_features(*parts, k=k, both_strands=both_strands, bins=bins, seed=data.seed)
    return ridge_regression(features.of(data.codes), data)


def _random_forest(
    data: FoldData, trees: int = 20, min_leaf: int = 1, variance_kept: float = 0.95
) -> np.ndarray:
    """Grow a random forest on motif scores, as published but for the rotated targets.

    A split minimises the variance within its two sides, summed over targets. A
    rotation of the targets leaves that sum as it is, so that the forest can be
    grown on principal components: exactly on all, nearly on the leading ones.
    Rounding still decides between splits that are equally good, as all are of
    a node with two sequences.
    """
    assert data.motif_scores is not None  # predict() has seen to it
    x = data.motif_scores.toarray().astype(np.float32)
    components, rotation, mean = principal_components(data.targets[data.train], variance_kept)
    logger.info("random forest: %d targets as %d components", *rotation.shape)
    forest = RandomForestRegressor(
        trees, min_samples_leaf=min_leaf, random_state=data.seed, n_jobs=data.n_threads
    )
    forest.fit(x[data.train], components if components.shape[1] > 1 else components.ravel())
    forest.n_jobs = 1  # several threads would add the trees up in any order
    predicted = forest.predict(x[data.test]).reshape(len(data.test), -1)
    return predicted @ rotation.T + mean


def _kmer_logistic(
    data: FoldData,
    k: int | None = None,
    both_strands: bool | None = None,
    bins: int | None = None,
) -> np.ndarray:
    """Logistic regression on k-mer counts, for 0/1 targets; penalty chosen on validation.

    What is None is not chosen, a target at a time being slow: 6-mers of both strands, one bin.
    """
    x = kmer_counts(data.codes, k or 6, both_strands is not False, bins or 1)
    x = MaxAbsScaler().fit_transform(x)
    predicted = np.empty((len(data.test), data.targets.shape[1]))
    for target, y in enumerate(data.targets.T):
        if len(np.unique(y[data.train])) == 1:
            predicted[:, target] = y[data.train][0]
            continue
        best_loss = np.inf
        model = LogisticRegression(warm_start=True, max_iter=500, tol=1e-4)
        for model.C in np.logspace(-2, 3, 11):
            model.fit(x[data.train], y[data.train])
            chance = model.predict_proba(x[data.validation])[:, 1]
            right = np.where(y[data.validation] == 1, chance, 1 - chance)
            loss = -np.log(np.maximum(right, 1e-12)).mean()
            if loss < best_loss:
                best_loss = loss
                predicted[:, target] = model.predict_proba(x[data.test])[:, 1]
    return predicted


METHODS: dict[str, Callable[..., np.ndarray]] = {
    "mean": _mean,
    "gc": _gc,
    "linear": _linear,
    "ridge": _ridge,
    "random_forest": _random_forest,
    "kmer_ridge": _kmer_ridge,
    "kmer_logistic": _kmer_logistic,
}
NEED_MOTIF_SCORES = {"linear", "ridge", "random_forest"}
NEED_BINARY_TARGETS = {"kmer_logistic"}
OPTIONS = {
    "random_forest": ("trees", "min_leaf", "variance_kept"),
    "kmer_ridge": ("k", "both_strands", "bins"),
    "kmer_logistic": ("k", "both_strands", "bins"),
}


def options_of(method: str, settings: Mapping[str, object]) -> dict[str, object]:
    """Pick a method's own options out of the config's section ``comparison``."""
    return {key: settings[key] for key in OPTIONS.get(method, ())}


def check_methods(methods: Sequence[str], targets: np.ndarray) -> None:
    """Refuse methods that these targets do not allow.

    Parameters
    ----------
    methods
        Keys of ``METHODS``.
    targets
        ``(n, targets)``.

    Raises
    ------
    InputError
        If a method predicts classes and the targets are not classes.
    """
    classifiers = sorted(NEED_BINARY_TARGETS & set(methods))
    if classifiers and not is_binary(targets):
        raise InputError(
            f"comparison: {', '.join(classifiers)} predicts classes, but the targets are not all "
            f"0 or 1 (they reach from {targets.min():g} to {targets.max():g}). Take it out of "
            "`comparison.baselines`, or give targets of 0 and 1 (`given.targets`)."
        )


def principal_components(
    targets: np.ndarray, variance_kept: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rotate targets to their leading principal components.

    Parameters
    ----------
    targets
        ``(n, targets)``.
    variance_kept
        The fewest components that hold this share of the variance are kept;
        1 keeps all that have any.

    Returns
    -------
    Components ``(n, c)``, rotation ``(targets, c)`` and mean ``(targets,)``:
    ``components @ rotation.T + mean`` is near the targets, or equal to them.
    """
    mean = targets.mean(axis=0, dtype=np.float64)
    centred = targets - mean
    variances, rotation = linalg.eigh(centred.T @ centred)
    variances, rotation = np.clip(variances[::-1], 0, None), rotation[:, ::-1]
    if variances[0] == 0:
        return np.zeros((len(targets), 1)), rotation[:, :1], mean
    share = np.cumsum(variances) / variances.sum()
    has_any = int((variances > variances[0] * 1e-14).sum())
    n = min(int(np.searchsorted(share, min(variance_kept, share[-1]))) + 1, has_any)
    n = has_any if variance_kept >= 1 else n
    return centred @ rotation[:, :n], rotation[:, :n], mean


def _least_squares(x: np.ndarray | sparse.csr_matrix, data: FoldData) -> np.ndarray:
    return next(LinearPath(x[data.train], data.targets[data.train]).predict(x[data.test], [0]))


def ridge_regression(x: np.ndarray | sparse.csr_matrix, data: FoldData) -> np.ndarray:
    """Fit ridge regression with the penalty that predicts the validation rows best.

    Parameters
    ----------
    x
        Features, ``(n, features)``.
    data
        One fold.

    Returns
    -------
    float64 ``(test rows, targets)``.
    """
    path = LinearPath(x[data.train], data.targets[data.train])
    penalty, _ = validated_penalty(path, x[data.validation], data.targets[data.validation])
    logger.info("ridge: penalty %.3g of %.3g to %.3g", penalty, *PENALTIES[[0, -1]])
    return next(path.predict(x[data.test], [penalty]))
