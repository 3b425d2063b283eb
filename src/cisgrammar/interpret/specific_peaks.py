"""Peaks that tell cell types apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from anndata.abc import CSRDataset
from scipy import sparse

from cisgrammar.data.cells_by_peaks import some_cells_at_a_time


def specific_peaks(
    is_open: sparse.spmatrix | CSRDataset, cell_types: Sequence[str], n: int
) -> list[tuple[int, str]]:
    """Find the peaks that are open in one cell type more than its depth explains.

    Parameters
    ----------
    is_open
        Cells x peaks, 0 and 1; may be in a file.
    cell_types
        Of the cells.
    n
        How many peaks; of all there are, if fewer.

    Returns
    -------
    Row of the peak and its cell type: the best of each type, types in alphabetical order, then
    the second best of each, and so on. No peak comes twice.

    Notes
    -----
    The score is Pearson's residual in the table of open entries by cell type and peak: (open -
    expected) / sqrt(expected), expected from the depths of type and peak.
    """
    names, number = np.unique(np.asarray(cell_types).astype(str), return_inverse=True)
    of_type = sparse.csc_matrix(
        (np.ones(len(number)), (number, np.arange(len(number)))), (len(names), len(number))
    )
    counts, first = np.zeros((len(names), is_open.shape[1])), 0  # (types, peaks)
    for part in some_cells_at_a_time(is_open):
        counts += (of_type[:, first : first + part.shape[0]] @ part).toarray()
        first += part.shape[0]
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / max(counts.sum(), 1)
    score = (counts - expected) / np.sqrt(np.maximum(expected, 1e-12))
    queues = [iter(np.argsort(-row, kind="stable")) for row in score]
    chosen: dict[int, str] = {}
    while len(chosen) < min(n, counts.shape[1]):
        for name, queue in zip(names, queues, strict=True):
            peak = next((int(peak) for peak in queue if int(peak) not in chosen), None)
            if peak is not None and len(chosen) < n:
                chosen[peak] = str(name)
    return list(chosen.items())
