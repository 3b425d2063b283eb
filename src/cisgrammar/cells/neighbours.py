"""Neighbours of very many cells, approximately, and the graph of them."""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd
from bbknn.matrix import trimming
from numba import njit, prange
from scipy import sparse
from scipy.spatial.distance import cdist
from umap.umap_ import fuzzy_simplicial_set

from cisgrammar.common.progress import progress

logger = logging.getLogger(__name__)

CELLS_IN_PART = 500
MOST_PARTS = 4000
COMPARED = 8000  # cells that each cell is compared with


def approximate_neighbors(
    points: np.ndarray, queries: np.ndarray, n: int, seed: int, compared: int = COMPARED
) -> tuple[np.ndarray, np.ndarray]:
    """Find the nearest points among those of the same neighbourhood.

    Parameters
    ----------
    points
        ``(points, components)``.
    queries
        Whose neighbours are sought: ``(queries, components)``.
    n
        How many, at most as many as there are points.
    seed
        Seed of the centres.
    compared
        With how many points a query is compared at least.

    Returns
    -------
    rows
        Of the neighbours, the nearest first: ``(queries, n)``.
    distances
        Euclidean, float32 ``(queries, n)``.

    Notes
    -----
    Each point goes to the nearest of some centres, which are points drawn at random. A query is
    compared with the points of the centres around its own, as many as it takes; of few points all
    are compared, and the result is exact. The same bytes on any number of threads.
    """
    points = np.ascontiguousarray(points, dtype=np.float32)
    queries = np.ascontiguousarray(queries, dtype=np.float32)
    n_parts = min(MOST_PARTS, max(1, len(points) // CELLS_IN_PART))
    drawn = np.random.default_rng(seed).choice(len(points), n_parts, replace=False)
    centres = points[np.sort(drawn)]
    members = _by_part(nearest(points, centres, 1)[0][:, 0], n_parts)
    asking = _by_part(nearest(queries, centres, 1)[0][:, 0], n_parts)
    around = np.argsort(cdist(centres, centres), axis=1, kind="stable")
    rows = np.empty((len(queries), n), dtype=np.int64)
    distances = np.empty((len(queries), n), dtype=np.float32)
    for part in progress(range(n_parts), "parts of the cells"):
        sizes = np.cumsum([len(members[other]) for other in around[part]])
        enough = np.searchsorted(sizes, max(compared, n)) + 1
        near = np.sort(np.concatenate([members[other] for other in around[part][:enough]]))
        found, apart = nearest(queries[asking[part]], points[near], n)
        rows[asking[part]], distances[asking[part]] = near[found], np.sqrt(apart)
    return rows, distances


def neighbor_graph(
    components: np.ndarray, batches: pd.Series, n: int, trim: int, seed: int
) -> tuple[sparse.csr_matrix, int]:
    """Connect cells with their approximate neighbours in each batch, as BBKNN and UMAP do.

    Parameters
    ----------
    components
        ``(cells, components)``.
    batches
        Batch of each cell.
    n
        Neighbours from each batch, the cell itself among those of its own.
    trim
        Connections that a cell keeps at most; 0 keeps all.
    seed
        Seed of the search.

    Returns
    -------
    connectivities
        Symmetric, cells x cells.
    n_neighbors
        Neighbours of each cell, over all batches.

    Notes
    -----
    Polański et al. (2020); McInnes et al. (2018).
    """
    found, apart = [], []
    for batch in sorted(batches.unique()):
        members = np.flatnonzero(batches == batch)
        near, distances = approximate_neighbors(components[members], components, n, seed)
        found.append(members[near])
        apart.append(distances)
    rows, distances = np.hstack(found), np.hstack(apart)
    order = np.argsort(distances, axis=1, kind="stable")
    rows = np.take_along_axis(rows, order, axis=1)
    distances = np.take_along_axis(distances, order, axis=1)
    n_neighbors = rows.shape[1]
    cells = sparse.coo_matrix((len(rows), 1))  # only their number is asked for
    connectivities = fuzzy_simplicial_set(
        cells, n_neighbors, None, None, knn_indices=rows, knn_dists=distances
    )[0].tocsr()
    return trimming(connectivities, trim) if trim else connectivities, n_neighbors


def _by_part(part: np.ndarray, n_parts: int) -> list[np.ndarray]:
    """Give the row numbers of each part."""
    order = np.argsort(part, kind="stable")
    return np.split(order, np.searchsorted(part[order], np.arange(1, n_parts)))


@njit(parallel=True, cache=True, fastmath={"reassoc", "contract"})
def nearest(queries, points, n):  # type: ignore[no-untyped-def]
    """Compare all: rows and squared distances of the n nearest points, equal ones by row."""
    rows = np.zeros((len(queries), n), dtype=np.int64)
    distances = np.full((len(queries), n), np.inf, dtype=np.float32)
    for query in prange(len(queries)):
        for point in range(len(points)):
            distance = np.float32(0)
            for i in range(queries.shape[1]):
                difference = queries[query, i] - points[point, i]
                distance += difference * difference
            place = n
            while place > 0 and distance < distances[query, place - 1]:
                place -= 1
            if place < n:
                for i in range(n - 1, place, -1):
                    distances[query, i] = distances[query, i - 1]
                    rows[query, i] = rows[query, i - 1]
                distances[query, place], rows[query, place] = distance, point
    return rows, distances
