"""What scBasset's cells start from: components of the training peaks, in place of chance."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from torch import Tensor

from cisgrammar.cells.components import lsi
from cisgrammar.data.open_entries import OpenEntries

STEP = 0.1  # share of the learning rate by which cells move that do not start by chance
SEED = 0  # of the directions that the search for components starts from


def start_of_cells(
    targets: OpenEntries, peaks: Tensor, n: int, batch_of_cell: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Describe cells by what they have in common, before any sequence is read.

    Parameters
    ----------
    targets
        Which cells are open at which peak.
    peaks
        Those that are trained on, int64 ``(peaks,)``; no other is looked at.
    n
        Numbers that describe a cell.
    batch_of_cell
        Number of each cell's batch, where batches have weights of their own: means of batches
        are then taken out.

    Returns
    -------
    weight
        float32 ``(cells, n)``: components of LSI without the first, which follows depth, each
        shrunk by noise; their variance together is that of the published initial weights,
        2 / ``n``. Columns for which there are too few cells or peaks are 0.
    intercept
        float32 ``(cells,)``: the logit of a cell's share of open peaks.

    Notes
    -----
    Noise spreads evenly over components, and a component of variance v is more than noise by
    v - noise: it is shrunk by sqrt(1 - noise / v), as in probabilistic principal components
    (Tipping & Bishop 1999). Here noise is the variance of the next component, ``n + 1``.
    The same bytes for any number of threads.
    """
    matrix = _cells_by_peaks(targets, peaks)
    n_open = np.diff(matrix.indptr)
    share = (n_open + 0.5) / (matrix.shape[1] + 1)
    intercept = np.log(share / (1 - share))
    found = lsi(matrix, min(n + 2, *(size - 1 for size in matrix.shape)), SEED, exact=False)
    components = found[:, 1:].astype(np.float64)
    components -= _means(components, batch_of_cell)
    variance = components.var(axis=0)
    kept = np.clip(variance[:-1] - variance[-1:], 0, None)[:n]
    scale = np.sqrt(kept / np.where(kept > 0, variance[: len(kept)], 1))
    weight = np.zeros((matrix.shape[0], n))
    weight[:, : len(kept)] = components[:, : len(kept)] * scale
    if kept.any():
        weight *= np.sqrt(2 / n / weight.var())
    return weight.astype(np.float32), intercept.astype(np.float32)


def _cells_by_peaks(targets: OpenEntries, peaks: Tensor) -> sparse.csr_matrix:
    cells, starts = targets.of_peaks(peaks)
    indptr = np.append(starts.cpu().numpy(), len(cells))
    values = np.ones(len(cells), dtype=np.uint8)
    shape = (len(peaks), targets.n_cells)
    return sparse.csr_matrix((values, cells.cpu().numpy(), indptr), shape).T.tocsr()


def _means(components: np.ndarray, batch_of_cell: np.ndarray | None) -> np.ndarray:
    """Give each cell the mean over its batch: ``(cells, components)``."""
    if batch_of_cell is None:
        return np.broadcast_to(components.mean(axis=0), components.shape)
    n_cells = np.maximum(np.bincount(batch_of_cell), 1)
    sums = np.zeros((len(n_cells), components.shape[1]))
    np.add.at(sums, batch_of_cell, components)
    return (sums / n_cells[:, None])[batch_of_cell]
