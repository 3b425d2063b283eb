"""Components of cells: counts made comparable, and what they have in common."""

from __future__ import annotations

from collections.abc import Iterator

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
    depth = _depth(values, indptr)
    depth /= np.median(depth)
    depth[depth == 0] = 1
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
    values = log_normalised(counts)
    if not exact:
        return randomised_components(values, n, seed, centre=True)
    return PCA(n, svd_solver="arpack", random_state=seed).fit_transform(values)


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
    values: sparse.csr_matrix, n: int, seed: int, *, centre: bool
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

    Returns
    -------
    The largest first, float32 ``(cells, n)``; the sign as scikit-learn's PCA.

    Notes
    -----
    Halko, Martinsson & Tropp (2011), algorithm 4.4, on the covariance; then Rayleigh-Ritz. It
    reads the matrix 14 times, where an exact search does so many hundred times. The same bytes
    on any number of threads.
    """
    n_cells, n_genes = values.shape
    width = min(n + OVERSAMPLED, n_cells, n_genes)
    basis = np.random.default_rng(seed).normal(size=(n_genes, width))
    mean = np.zeros(n_genes)
    with threadpool_limits(1, "blas"):  # BLAS cuts products by the number of threads
        if centre:
            mean += _back(values, np.ones((n_cells, 1)))[:, 0] / n_cells
        for _ in range(PASSES):
            basis, _ = np.linalg.qr(basis)
            basis = _back(values, _project(values, basis, mean))
        basis, _ = np.linalg.qr(basis)
        projected = _project(values, basis, mean)
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


def _project(values: sparse.csr_matrix, basis: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Multiply centred values by a basis: ``(cells, width)``."""
    shift = (mean @ basis).astype(np.float32)
    return _times(values.data, values.indices, values.indptr, basis.astype(np.float32), shift)


def _back(values: sparse.csr_matrix, projected: np.ndarray) -> np.ndarray:
    """Multiply transposed values by what sums to 0 over cells: ``(genes, width)``."""
    projected = projected.astype(np.float32, copy=False)
    arrays = (values.data, values.indices, values.indptr)
    return _transposed_times(*arrays, projected, values.shape[1], PARTS).astype(np.float64)


@njit(cache=True)
def _depth(data, indptr):  # type: ignore[no-untyped-def]
    depth = np.empty(len(indptr) - 1, dtype=np.float32)
    for row in range(len(depth)):
        total = 0.0
        for k in range(indptr[row], indptr[row + 1]):
            total += data[k]
        depth[row] = total
    return depth


@njit(parallel=True, cache=True)
def _times(data, indices, indptr, right, shift):  # type: ignore[no-untyped-def]
    product = np.empty((len(indptr) - 1, right.shape[1]), dtype=np.float32)
    for row in prange(len(indptr) - 1):
        product[row] = -shift
        for k in range(indptr[row], indptr[row + 1]):
            value, column = np.float32(data[k]), indices[k]
            for i in range(right.shape[1]):
                product[row, i] += value * right[column, i]
    return product


@njit(parallel=True, cache=True)
def _transposed_times(data, indices, indptr, right, n_columns, n_parts):  # type: ignore[no-untyped-def]
    n_rows = len(indptr) - 1
    sums = np.zeros((n_parts, n_columns, right.shape[1]), dtype=np.float32)
    for part in prange(n_parts):
        for row in range(n_rows * part // n_parts, n_rows * (part + 1) // n_parts):
            for k in range(indptr[row], indptr[row + 1]):
                value, column = np.float32(data[k]), indices[k]
                for i in range(right.shape[1]):
                    sums[part, column, i] += value * right[row, i]
    return sums.sum(axis=0)
