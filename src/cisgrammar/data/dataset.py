"""dataset.h5ad: targets x sequences, with the sequences as codes."""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from cisgrammar.common.errors import InputError

logger = logging.getLogger(__name__)

BLOCK = 64  # pools; temporary arrays stay small


def gene_filter(
    pooled: sparse.csr_matrix, *, min_detected: float, weak_detected: float, min_mean: float
) -> np.ndarray:
    """Keep genes that are seen often enough, or strongly enough where they are seen.

    Parameters
    ----------
    pooled
        Pools x genes, summed counts.
    min_detected
        A gene is detected in at least this share of pools,
    weak_detected
        and either in at least this share,
    min_mean
        or its mean over the pools that have it exceeds ``log10(min_mean)``,
        in units of log10(1 + counts).

    Returns
    -------
    Which genes to keep, bool ``(genes,)``.

    Notes
    -----
    Hepkema et al. (2023), Methods, "Data processing": a share equal to the limit is enough,
    a mean equal to it is not (the original's code takes neither).
    """
    n_pools, n_genes = pooled.shape
    n_detected, total = np.zeros(n_genes, dtype=np.int64), np.zeros(n_genes)
    for start in range(0, n_pools, BLOCK):
        block = pooled[start : start + BLOCK].tocsr()
        logs = np.log10(1 + block.data.astype(np.float64))
        n_detected += np.bincount(block.indices[block.data > 0], minlength=n_genes)
        total += np.bincount(block.indices, weights=logs, minlength=n_genes)
    mean = total / np.maximum(n_detected, 1)
    share = n_detected / n_pools
    strong = mean > np.log10(min_mean) + 1e-9  # more than rounding
    return (share >= min_detected) & ((share >= weak_detected) | strong)


def build_dataset(
    pools: AnnData, regions: pd.DataFrame, codes: np.ndarray, keep: np.ndarray
) -> AnnData:
    """Join pooled counts and sequences.

    Parameters
    ----------
    pools
        Pools x genes, summed counts.
    regions
        One row per sequence: index gene id (among the pools' genes), columns ``gene_name``,
        ``chrom``, ``start``, ``end``, ``strand``.
    codes
        uint8 ``(regions, length)``.
    keep
        Which regions to keep, bool ``(regions,)``.

    Returns
    -------
    Targets x sequences, float32 log10(1 + count), with ``varm["codes"]``.

    Raises
    ------
    InputError
        If no sequence is left.
    """
    if not keep.any():
        raise InputError(
            f"dataset: none of {len(keep)} sequences is left. The gene filters (`dataset`) are too "
            "strict for these counts, or all sequences hold N."
        )
    regions = regions[keep]
    targets = pools[:, regions.index]
    values = targets.X.toarray().astype(np.float32, copy=False)
    values += 1
    np.log10(values, out=values)  # in place: there may be hundreds of thousands of peaks
    data = AnnData(values, obs=pools.obs.copy(), var=regions.copy())
    data.obsm["X_umap"] = pools.obsm["X_umap"]
    data.varm["codes"] = codes[keep]
    return data
