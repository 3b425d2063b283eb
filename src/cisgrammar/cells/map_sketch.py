"""The map of very many cells: made of some of them, among which the others find their place."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.cluster import kmeans_plusplus
from threadpoolctl import threadpool_limits

from cisgrammar.cells.neighbours import approximate_neighbors, nearest

REGIONS = 400
LEADING = 20  # components of regions: in the others a rare type does not stand out from noise
CENTRES_FROM = 20_000  # cells, drawn at random, among which the regions' centres are sought
COMPARED = 2000  # cells of the sketch that each other cell is compared with


def sketch_rows(
    components: np.ndarray, batches: pd.Series, size: int | None, least: int, seed: int
) -> np.ndarray:
    """Draw the cells that a map is made of, as evenly over the components as there are cells.

    Parameters
    ----------
    components
        ``(cells, components)``.
    batches
        Batch of each cell.
    size
        How many cells to draw; None: all.
    least
        Of each batch at least so many, or all it has; together they may be more than ``size``.
    seed
        Seed of the draw.

    Returns
    -------
    Row numbers, sorted; all where there are no more than ``size``.

    Notes
    -----
    Regions are those around some hundred cells far from each other (the start of k-means++), and
    each gives as many cells, or all it has: of a rare type some times as many cells are drawn as
    by chance. The same bytes on any number of threads.
    """
    n_cells = len(batches)
    if size is None or n_cells <= size:
        return np.arange(n_cells)
    order = np.random.default_rng(seed).permutation(n_cells)
    regions = _regions(components, order, seed)[order]
    codes = pd.Series(pd.factorize(batches.to_numpy())[0][order])
    needed = codes.groupby(codes).cumcount().to_numpy() < least
    place = pd.Series(regions).groupby(regions).cumcount().to_numpy()  # in its region
    chosen = np.lexsort((place, ~needed))[: max(size, int(needed.sum()))]
    return np.sort(order[chosen])


def _regions(components: np.ndarray, order: np.ndarray, seed: int) -> np.ndarray:
    """Find the region of each cell, by number."""
    points = np.ascontiguousarray(components[:, :LEADING], dtype=np.float32)
    some = points[order[:CENTRES_FROM]]
    with threadpool_limits(1):  # BLAS adds in another order on another number of threads
        centres, _ = kmeans_plusplus(some, min(REGIONS, len(some)), random_state=seed)
    return nearest(points, centres, 1)[0][:, 0]


def nearest_in_sketch(components: np.ndarray, rows: np.ndarray, seed: int) -> np.ndarray:
    """Find the cell of a sketch that is nearest to each cell, approximately.

    Parameters
    ----------
    components
        ``(cells, components)``.
    rows
        Row numbers of the sketch, sorted.
    seed
        Seed of the search.

    Returns
    -------
    Positions in ``rows``, ``(cells,)``: a cell of the sketch has its own.

    Notes
    -----
    Of one neighbour only: between several a cell could come to lie where no cell is, and seeds are
    drawn wherever there are cells. The same bytes on any number of threads.
    """
    nearest = np.zeros(len(components), np.int64)
    nearest[rows] = np.arange(len(rows))
    others = np.setdiff1d(np.arange(len(components)), rows, assume_unique=True)
    if len(others):
        found, _ = approximate_neighbors(
            components[rows], components[others], 1, seed, compared=COMPARED
        )
        nearest[others] = found[:, 0]
    return nearest
