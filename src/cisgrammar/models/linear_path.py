"""Ridge regression for many penalties at the price of one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from scipy import linalg, sparse

PENALTIES = np.logspace(-4, 4, 25)  # in units of the mean variance of a feature
BLOCK = 1024  # rows or columns of sparse features that are dense at a time


class LinearPath:
    """Ridge regression for any penalty, after one decomposition.

    Features and targets are centred, so that the intercept is not penalised.
    Works on the covariance of the features or, where there are fewer rows than
    features, on the products of the rows: sparse features stay sparse.

    Parameters
    ----------
    x
        Features, ``(n, features)``, sparse or not.
    y
        Targets, ``(n, targets)``.
    """

    def __init__(self, x: np.ndarray | sparse.csr_matrix, y: np.ndarray) -> None:
        self.x, y = x.astype(np.float64), y.astype(np.float64)
        self.x_mean = np.asarray(self.x.mean(axis=0)).ravel()
        self.y_mean = y.mean(axis=0)
        self.dual = x.shape[0] < x.shape[1]
        if self.dual:
            gram = self._products(self.x)
        else:
            gram = _products(self.x.T)
            gram -= len(y) * np.outer(self.x_mean, self.x_mean)
        self.unit = np.trace(gram) / x.shape[1]
        self.variances, self.directions = linalg.eigh(gram, overwrite_a=True, driver="evd")
        y = y - self.y_mean
        self.loadings = self.directions.T @ (y if self.dual else self.x.T @ y)

    def predict(
        self, x: np.ndarray | sparse.csr_matrix, penalties: Sequence[float]
    ) -> Iterator[np.ndarray]:
        """Predict ``(n, targets)`` with each penalty, in units of the features' mean variance.

        Penalty 0 is least squares, of the smallest norm if there are several.
        """
        known = self._known()
        directions = self.directions[:, known]
        if self.dual:
            projected = self._products(x.astype(np.float64)) @ directions
        else:
            projected = x @ directions - self.x_mean @ directions
        for penalty in penalties:
            yield projected @ self._shrunk(known, penalty) + self.y_mean

    def coefficients(self, penalty: float) -> tuple[np.ndarray, np.ndarray]:
        """Give the weights ``(features, targets)`` and intercepts ``(targets,)`` of a penalty."""
        known = self._known()
        weights = self.directions[:, known] @ self._shrunk(known, penalty)
        if self.dual:  # of the rows: their features, centred, give those of the features
            weights = self.x.T @ weights - np.outer(self.x_mean, weights.sum(axis=0))
        return weights, self.y_mean - self.x_mean @ weights

    def _known(self) -> np.ndarray:
        """Say which directions the rows vary in at all."""
        return self.variances > 1e-12 * max(self.variances[-1], 1e-300)

    def _shrunk(self, known: np.ndarray, penalty: float) -> np.ndarray:
        return self.loadings[known] / (self.variances[known, None] + penalty * self.unit)

    def _products(self, x: np.ndarray | sparse.csr_matrix) -> np.ndarray:
        """Multiply centred rows with the centred rows that were fitted: ``(rows, n)``."""
        products = _products(x, None if x is self.x else self.x)
        products -= np.asarray(x @ self.x_mean)[:, None]
        products -= np.asarray(self.x @ self.x_mean)
        return products + self.x_mean @ self.x_mean


def _products(
    first: np.ndarray | sparse.spmatrix, second: np.ndarray | sparse.spmatrix | None = None
) -> np.ndarray:
    """Multiply all rows of one table with all of another, or of itself.

    Of sparse tables a block of columns is made dense at a time: the product of
    k-mer counts is dense anyhow, and a sparse product takes several times as long.
    """
    if not sparse.issparse(first):
        return first @ (first if second is None else second).T
    columns = sparse.csc_matrix(first)
    others = columns if second is None else sparse.csc_matrix(second)
    products = np.zeros((columns.shape[0], others.shape[0]))
    for start in range(0, columns.shape[1], BLOCK):
        block = columns[:, start : start + BLOCK].toarray()
        other = block if second is None else others[:, start : start + BLOCK].toarray()
        products += block @ other.T
    return products


def validated_penalty(
    path: LinearPath, x: np.ndarray | sparse.csr_matrix, y: np.ndarray
) -> tuple[float, float]:
    """Find the penalty that predicts other rows best.

    Parameters
    ----------
    path
        Fitted on training rows.
    x, y
        Features and targets of validation rows.

    Returns
    -------
    One of ``PENALTIES``, and its mean squared error.
    """
    losses = [np.mean((p - y) ** 2) for p in path.predict(x, PENALTIES.tolist())]
    best = int(np.argmin(losses))
    return float(PENALTIES[best]), float(losses[best])
