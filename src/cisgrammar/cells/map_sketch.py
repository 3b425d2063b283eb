"""The map of very many cells: made of some of them, among which the others find their place."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cisgrammar.cells.neighbours import approximate_neighbors

COMPARED = 2000  # cells of the sketch that each other cell is compared with


def sketch_rows(batches: pd.Series, size: int | None, least: int, seed: int) -> np.ndarray:
    """Draw the cells that a map is made of.

    Parameters
    ----------
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
    """
    n_cells = len(batches)
    if size is None or n_cells <= size:
        return np.arange(n_cells)
    order = np.random.default_rng(seed).permutation(n_cells)
    codes = pd.Series(pd.factorize(batches.to_numpy())[0][order])
    needed = codes.groupby(codes).cumcount().to_numpy() < least
    n_others = max(size - int(needed.sum()), 0)
    return np.sort(np.concatenate([order[needed], order[~needed][:n_others]]))


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
