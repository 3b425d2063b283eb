"""How much of the targets could be explained at all."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from cisgrammar.common.seeds import derive_seed


def noise_ceiling(counts: sparse.csr_matrix, members: np.ndarray, seed: int) -> dict[str, float]:
    """Estimate the highest score a model can have, from how well pools repeat themselves.

    The cells of each pool are split in two halves at random; each half is
    summed and logged like a pool. The correlation of the halves, corrected to
    the full number of cells, is the share of the pools' variance that is not
    noise: the ceiling of r squared. Its root is the ceiling of r.

    Parameters
    ----------
    counts
        Cells x genes, raw counts, for the genes that are scored.
    members
        Row numbers of the cells in each pool: ``(pools, cells per pool)``, at least 2 cells.
    seed
        Seed of the split.

    Returns
    -------
    ``r2`` and ``r`` of all values flattened, ``centred_r2`` and ``centred_r`` after each
    gene's mean over pools is subtracted, ``doubly_centred_r2`` and ``doubly_centred_r``
    after each pool's mean over genes is subtracted too. NaN where halves do not vary; 0 where
    they disagree.

    Raises
    ------
    ValueError
        If pools have a single cell.

    Notes
    -----
    Spearman (1910) and Brown (1910): halves that correlate with r make a whole of
    reliability 2 r / (1 + r). Noise that both halves share (a batch, neighbours that
    were chosen for being alike) counts as signal, so the true ceiling is lower. The
    logarithm bends the formula: with simulated Poisson counts the estimate was within
    0.03 of the r squared of the true means down to one or two counts per gene and
    pool, and too high below.
    """
    n_pools, size = members.shape
    if size < 2:
        raise ValueError("pools of a single cell cannot be split in halves")
    rng = np.random.default_rng(derive_seed(seed, "noise_ceiling"))
    shuffled = rng.permuted(members, axis=1)
    counts = sparse.csr_matrix(counts)
    x, y = (_pooled(counts, half) for half in (shuffled[:, : size // 2], shuffled[:, size // 2 :]))
    n_genes = counts.shape[1]
    products = np.array([half.multiply(other).sum() for half, other in ((x, y), (x, x), (y, y))])
    genes = _products_of_means(x, y, axis=0) * n_pools
    pools = _products_of_means(x, y, axis=1) * n_genes
    overall = _products_of_means(x, y, axis=None) * n_pools * n_genes
    left = {
        "": products - overall,
        "centred_": products - genes,
        "doubly_centred_": products - genes - pools + overall,
    }
    ceiling = {}
    for prefix, sums in left.items():
        ceiling[f"{prefix}r2"] = _whole(sums, products)
        ceiling[f"{prefix}r"] = float(np.sqrt(ceiling[f"{prefix}r2"]))
    return ceiling


def _products_of_means(x: sparse.csr_matrix, y: sparse.csr_matrix, axis: int | None) -> np.ndarray:
    """Sum the products of the means along an axis: of both halves, of each with itself."""
    first, second = (np.asarray(half.mean(axis=axis)).ravel() for half in (x, y))
    return np.array([first @ second, first @ first, second @ second])


def _pooled(counts: sparse.csr_matrix, members: np.ndarray) -> sparse.csr_matrix:
    """Sum and log the counts of some cells: pools x genes, log10(1 + sum)."""
    n_pools, size = members.shape
    pointers = np.arange(0, n_pools * size + 1, size)
    belongs = sparse.csr_matrix(
        (np.ones(members.size), members.ravel(), pointers), shape=(n_pools, counts.shape[0])
    )
    pooled = (belongs @ counts).tocsr().astype(np.float64)
    pooled.data = np.log10(1 + pooled.data)
    return pooled


def _whole(sums: np.ndarray, scale: np.ndarray) -> float:
    """Reliability of wholes, from the co- and variances of their halves."""
    covariance, *variances = sums
    if min(variances) <= 1e-12 * scale.max():
        return float("nan")
    r = covariance / np.sqrt(np.prod(variances))
    return float(max(2 * r / (1 + r), 0)) if r > -1 else 0.0
