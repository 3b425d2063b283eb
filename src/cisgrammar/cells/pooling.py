"""Pools: the sum of a seed cell and its nearest neighbours."""

from __future__ import annotations

import numpy as np
import pandas as pd
from anndata import AnnData
from geosketch import gs
from scipy import sparse
from scipy.spatial.distance import cdist

from cisgrammar.common.errors import InputError


def sketch_seeds(embedding: np.ndarray, n_seeds: int, seed: int) -> np.ndarray:
    """Choose cells that cover the embedding evenly, rare states included.

    Parameters
    ----------
    embedding
        ``(cells, dimensions)``.
    n_seeds
        How many cells to choose.
    seed
        Seed of the sketch.

    Returns
    -------
    Row numbers, sorted, ``(n_seeds,)``.

    Raises
    ------
    InputError
        If there are fewer cells.

    Notes
    -----
    Geometric sketching, Hie et al. (2019); on the UMAP as in Hepkema et al. (2023).
    """
    if n_seeds > len(embedding):
        raise InputError(
            f"pools: {n_seeds} pools were asked for, but there are only {len(embedding)} cells "
            "after filtering. Lower `pools.n_pools`."
        )
    return np.sort(gs(embedding.astype(np.float64), n_seeds, seed=seed, replace=False))


def nearest_cells(components: np.ndarray, seeds: np.ndarray, cells_per_pool: int) -> np.ndarray:
    """Find the nearest cells of each seed, exactly.

    Parameters
    ----------
    components
        Principal components, ``(cells, components)``.
    seeds
        Row numbers of the seed cells.
    cells_per_pool
        Cells in a pool, the seed included.

    Returns
    -------
    Row numbers by distance, the seed first, equal distances by row: ``(seeds, cells_per_pool)``.

    Raises
    ------
    InputError
        If there are fewer cells than a pool needs.
    """
    n_cells = len(components)
    if cells_per_pool > n_cells:
        raise InputError(
            f"pools: a pool of {cells_per_pool} cells was asked for, but there are only {n_cells} "
            "cells after filtering. Lower `pools.cells_per_pool`."
        )
    points = components.astype(np.float64)
    members = np.empty((len(seeds), cells_per_pool), dtype=np.int64)
    for row, seed in enumerate(seeds):
        distances = cdist(points[seed : seed + 1], points, "sqeuclidean")[0]
        distances[seed] = -1
        limit = np.partition(distances, cells_per_pool - 1)[cells_per_pool - 1]
        near = np.flatnonzero(distances <= limit)
        members[row] = near[np.argsort(distances[near], kind="stable")[:cells_per_pool]]
    return members


def pool_counts(counts: sparse.csr_matrix, members: np.ndarray) -> sparse.csr_matrix:
    """Sum the counts of each pool's cells.

    Parameters
    ----------
    counts
        Cells x genes.
    members
        Row numbers of each pool's cells, ``(pools, cells_per_pool)``.

    Returns
    -------
    Pools x genes, of a floating type that holds the counts' type.
    """
    n_pools, size = members.shape
    indptr = np.arange(0, n_pools * size + 1, size)
    ones = np.ones(members.size, dtype=np.float32)  # sums of small integers would overflow
    chosen = sparse.csr_matrix((ones, members.ravel(), indptr), shape=(n_pools, counts.shape[0]))
    pooled = (chosen @ counts).tocsr()
    pooled.sort_indices()
    return pooled


def make_pools(
    cells: AnnData, *, n_pools: int, cells_per_pool: int, n_pcs: int, seed: int
) -> tuple[AnnData, pd.DataFrame]:
    """Sketch seeds, gather their neighbours, sum the counts.

    Parameters
    ----------
    cells
        Cells x genes with ``obs`` ``cell_type`` and ``batch``, ``obsm`` ``X_pca`` and ``X_umap``.
    n_pools, cells_per_pool
        Number of pools and of cells in each, the seed included.
    n_pcs
        Components in which neighbours are searched.
    seed
        Seed of the sketch.

    Returns
    -------
    pools : AnnData
        Pools x genes, summed counts.
    members : DataFrame
        Columns pool, rank (0 is the seed), cell, cell_type.
    """
    seeds = sketch_seeds(cells.obsm["X_umap"], n_pools, seed)
    members = nearest_cells(cells.obsm["X_pca"][:, :n_pcs], seeds, cells_per_pool)
    names = np.array([f"pool{i}" for i in range(n_pools)])
    types = cells.obs["cell_type"].astype(str).to_numpy()
    batches = cells.obs["batch"].astype(str).to_numpy()
    labels = [most_frequent(types[rows]) for rows in members]
    obs = pd.DataFrame(
        {
            "seed": cells.obs_names[seeds].to_numpy(),
            "cell_type": [label for label, _ in labels],
            "purity": [share for _, share in labels],
            "batch": [most_frequent(batches[rows])[0] for rows in members],
            "n_cells": cells_per_pool,
        },
        index=names,
    )
    pools = AnnData(pool_counts(cells.X, members), obs=obs, var=cells.var.copy())
    pools.obsm["X_umap"] = cells.obsm["X_umap"][seeds]
    table = pd.DataFrame(
        {
            "pool": np.repeat(names, cells_per_pool),
            "rank": np.tile(np.arange(cells_per_pool), n_pools),
            "cell": cells.obs_names[members.ravel()].to_numpy(),
            "cell_type": types[members.ravel()],
        }
    )
    return pools, table


def pool_as(counts: AnnData, pools: AnnData, members: pd.DataFrame) -> AnnData:
    """Sum other counts of the same cells over pools that are made.

    Parameters
    ----------
    counts
        Cells x genes, counts of another modality.
    pools, members
        As from :func:`make_pools`.

    Returns
    -------
    Pools x genes, summed counts, with the pools' obs.

    Raises
    ------
    ValueError
        If a cell of the pools has no such counts.
    """
    rows = counts.obs_names.get_indexer(members["cell"])
    if (rows < 0).any():
        raise ValueError(f"{(rows < 0).sum()} of {len(rows)} cells have no such counts")
    summed = pool_counts(counts.X, rows.reshape(pools.n_obs, -1))
    return AnnData(summed, obs=pools.obs.copy(), var=counts.var.copy())


def most_frequent(labels: np.ndarray) -> tuple[str, float]:
    """Give the most frequent label (the first by name among equals) and its share."""
    values, counts = np.unique(labels, return_counts=True)
    return str(values[counts.argmax()]), counts.max() / len(labels)
