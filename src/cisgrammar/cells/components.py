"""Components of cells: counts made comparable, and what they have in common."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numba import njit, prange
from scipy import sparse
from scipy.sparse.linalg import svds
from sklearn.decomposition import PCA
from threadpoolctl import threadpool_limits

BLOCK = 10_000  # cells; temporary arrays stay small
OVERSAMPLED = 20
PASSES = 6
PARTS = 16  # always as many, so that sums do not depend on the number of threads
LOGS = 16  # counts whose logarithms are taken once a cell; few are larger


def log_normalised(counts: sparse.csr_matrix) -> sparse.csr_matrix:
    """Scale the counts of each cell to the median depth, and take log(1 + x).

    Parameters
    ----------
    counts
        Cells x genes.

    Returns
    -------
    float32; where values are (``indices``, ``indptr``) is shared with the counts.

    Notes
    -----
    The same bytes as scanpy's ``normalize_total`` and ``log1p``, with a third of their memory.
    """
    values = np.array(counts.data, dtype=np.float32)
    indptr = counts.indptr
    normal = sparse.csr_matrix((values, counts.indices, indptr), shape=counts.shape)
    depth = _relative_depth(normal)
    for cells, stored in _blocks(indptr):
        values[stored] /= np.repeat(depth[cells], np.diff(indptr[cells.start : cells.stop + 1]))
    np.log1p(values, out=values)
    return normal


def log_pca(counts: sparse.csr_matrix, n: int, seed: int, exact: bool = True) -> np.ndarray:
    """Principal components of log-normalised counts.

    Parameters
    ----------
    counts
        Cells x genes or peaks.
    n
        Components, fewer than cells and genes.
    seed
        Seed of the first vectors of the search.
    exact
        Whether to search them exactly, else by :func:`randomised_components`.

    Returns
    -------
    ``(cells, n)``, the largest first.
    """
    if not exact:
        return randomised_components(counts, n, seed, centre=True, log_normalise=True)
    normal = log_normalised(counts)
    return PCA(n, svd_solver="arpack", random_state=seed).fit_transform(normal)


def lsi(counts: sparse.csr_matrix, n: int, seed: int, exact: bool = True) -> np.ndarray:
    """Latent semantic indexing: components of accessibility.

    Parameters
    ----------
    counts
        Cells x peaks.
    n
        Components, fewer than cells and peaks.
    seed
        Seed of the first vectors of the search.
    exact
        Whether to search them exactly, else by :func:`randomised_components`.

    Returns
    -------
    Left singular vectors times singular values, the largest first: ``(cells, n)``. The first
    mostly follows sequencing depth.

    Notes
    -----
    Of log(1 + 10,000 TF IDF), as Signac's (Stuart et al. 2021): TF is a count's share of its cell,
    IDF the number of cells by the counts of the peak.
    """
    stored_values = np.array(counts.data, dtype=np.float64)
    indices, indptr = counts.indices, counts.indptr
    values = sparse.csr_matrix((stored_values, indices, indptr), shape=counts.shape)
    depth = np.maximum(np.asarray(values.sum(axis=1)).ravel(), 1)
    rarity = values.shape[0] / np.maximum(np.asarray(values.sum(axis=0)).ravel(), 1)
    for cells, stored in _blocks(indptr):
        per_value = np.repeat(1e4 / depth[cells], np.diff(indptr[cells.start : cells.stop + 1]))
        stored_values[stored] *= per_value * rarity[indices[stored]]
    np.log1p(stored_values, out=stored_values)
    if not exact:
        return randomised_components(values, n, seed, centre=False)
    start = np.random.default_rng(seed).uniform(-1, 1, min(values.shape))
    left, scale, right = svds(values, k=n, v0=start, solver="arpack")
    order = np.argsort(-scale)
    return (left * scale * _signs(right.T))[:, order]


def randomised_components(
    values: sparse.csr_matrix, n: int, seed: int, *, centre: bool, log_normalise: bool = False
) -> np.ndarray:
    """Find the leading components of a large sparse matrix, approximately.

    Parameters
    ----------
    values
        Cells x genes. Stays sparse: centring is done in the products.
    n
        Components, fewer than cells and genes.
    seed
        Seed of the directions that the search starts from.
    centre
        Whether to centre each gene: principal components, else singular vectors times values.
    log_normalise
        Whether the values are counts, to be taken as :func:`log_normalised` gives them. They are
        made anew whenever they are read, so that there is no second array of them.

    Returns
    -------
    The largest first, float32 ``(cells, n)``; the sign as scikit-learn's PCA.

    Notes
    -----
    Halko, Martinsson & Tropp (2011), algorithm 4.4, on the covariance; then Rayleigh-Ritz. It
    reads the matrix 14 times, where an exact search does so many hundred times. The same bytes
    on any number of threads.
    """
    matrix = _Matrix.of(values, log_normalise)
    n_cells, n_genes = values.shape
    width = min(n + OVERSAMPLED, n_cells, n_genes)
    basis = np.random.default_rng(seed).normal(size=(n_genes, width))
    mean = np.zeros(n_genes)
    with threadpool_limits(1, "blas"):  # BLAS cuts products by the number of threads
        if centre:
            mean += _back(matrix, np.ones((n_cells, 1)))[:, 0] / n_cells
        for _ in range(PASSES):
            basis, _ = np.linalg.qr(basis)
            basis = _back(matrix, _project(matrix, basis, mean))
        basis, _ = np.linalg.qr(basis)
        projected = _project(matrix, basis, mean)
        spread = np.zeros((width, width))
        for start in range(0, n_cells, BLOCK):
            block = projected[start : start + BLOCK].astype(np.float64)
            spread += block.T @ block
        turn = np.linalg.eigh(spread)[1][:, ::-1][:, :n]
        turn *= _signs(basis @ turn)
        return np.concatenate(
            [
                projected[start : start + BLOCK] @ turn.astype(np.float32)
                for start in range(0, n_cells, BLOCK)
            ]
        )


def _blocks(indptr: np.ndarray) -> Iterator[tuple[slice, slice]]:
    """Give blocks of rows, and where their values are stored."""
    for start in range(0, len(indptr) - 1, BLOCK):
        stop = min(start + BLOCK, len(indptr) - 1)
        yield slice(start, stop), slice(int(indptr[start]), int(indptr[stop]))


def _signs(loadings: np.ndarray) -> np.ndarray:
    """Give the sign of each column's largest entry; else signs are left to chance."""
    return np.sign(loadings[np.abs(loadings).argmax(axis=0), np.arange(loadings.shape[1])])


class _Matrix(NamedTuple):
    """A sparse matrix as the compiled loops read it: stored values, or logarithms of them."""

    data: np.ndarray
    indices: np.ndarray
    indptr: np.ndarray
    n_columns: int
    depth: np.ndarray  # (cells,) by which counts are divided before the logarithm
    logs: np.ndarray  # (cells, LOGS) of the counts 0, 1, ...; (cells, 0): values are as stored

    @classmethod
    def of(cls, values: sparse.csr_matrix, log_normalise: bool) -> _Matrix:
        depth = np.ones(values.shape[0], np.float32)
        logs = np.empty((len(depth), 0), np.float32)
        if log_normalise:
            depth = _relative_depth(values)
            logs = np.log1p(np.arange(LOGS, dtype=np.float32) / depth[:, None])
        return cls(values.data, values.indices, values.indptr, values.shape[1], depth, logs)


def _relative_depth(counts: sparse.csr_matrix) -> np.ndarray:
    """Sum the counts of each cell, relative to the median; 1 where there are none."""
    depth = _depth(counts.data, counts.indptr)
    depth /= np.median(depth)
    depth[depth == 0] = 1
    return depth


def _project(matrix: _Matrix, basis: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Multiply centred values by a basis: ``(cells, width)``."""
    return _times(matrix, basis.astype(np.float32), (mean @ basis).astype(np.float32))


def _back(matrix: _Matrix, projected: np.ndarray) -> np.ndarray:
    """Multiply transposed values by what sums to 0 over cells: ``(genes, width)``."""
    projected = projected.astype(np.float32, copy=False)
    return _transposed_times(matrix, projected, PARTS).astype(np.float64)


@njit(inline="always")
def _value(matrix, row, k):  # type: ignore[no-untyped-def]
    stored = np.float32(matrix.data[k])
    n_logs = matrix.logs.shape[1]
    if n_logs == 0:
        return stored
    if stored < n_logs and stored == np.floor(stored):
        return matrix.logs[row, int(stored)]
    return np.log1p(stored / matrix.depth[row])


@njit(cache=True)
def _depth(data, indptr):  # type: ignore[no-untyped-def]
    depth = np.empty(len(indptr) - 1, dtype=np.float32)
    for row in range(len(depth)):
        total = 0.0
        for k in range(indptr[row], indptr[row + 1]):
            total += np.float32(data[k])
        depth[row] = total
    return depth


@njit(parallel=True, cache=True)
def _times(matrix, right, shift):  # type: ignore[no-untyped-def]
    indptr, indices = matrix.indptr, matrix.indices
    product = np.empty((len(indptr) - 1, right.shape[1]), dtype=np.float32)
    for row in prange(len(indptr) - 1):
        product[row] = -shift
        for k in range(indptr[row], indptr[row + 1]):
            value, column = _value(matrix, row, k), indices[k]
            for i in range(right.shape[1]):
                product[row, i] += value * right[column, i]
    return product


@njit(parallel=True, cache=True)
def _transposed_times(matrix, right, n_parts):  # type: ignore[no-untyped-def]
    indptr, indices = matrix.indptr, matrix.indices
    n_rows = len(indptr) - 1
    sums = np.zeros((n_parts, matrix.n_columns, right.shape[1]), dtype=np.float32)
    for part in prange(n_parts):
        for row in range(n_rows * part // n_parts, n_rows * (part + 1) // n_parts):
            for k in range(indptr[row], indptr[row + 1]):
                value, column = _value(matrix, row, k), indices[k]
                for i in range(right.shape[1]):
                    sums[part, column, i] += value * right[row, i]
    return sums.sum(axis=0)
