"""Cells x peaks, 0 and 1: read in blocks, numbered by batch, thinned, shuffled."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from anndata.abc import CSRDataset
from scipy import sparse

from cisgrammar.common.errors import InputError

CELLS_READ_AT_ONCE = 8192


def some_cells_at_a_time(
    cells_by_peaks: sparse.spmatrix | CSRDataset, at_once: int = CELLS_READ_AT_ONCE
) -> Iterator[sparse.csr_matrix]:
    """Cut cells x peaks, in memory or in a file, into blocks of cells without stored zeros."""
    if sparse.issparse(cells_by_peaks):
        cells_by_peaks = sparse.csr_matrix(cells_by_peaks)
    for first in range(0, cells_by_peaks.shape[0], at_once):
        part = sparse.csr_matrix(cells_by_peaks[first : first + at_once])
        part.eliminate_zeros()  # of a copy
        yield part


def batch_numbers(batches: pd.Series) -> np.ndarray:
    """Give each cell the number of its batch, in the order of the batches' names.

    Parameters
    ----------
    batches
        Name of each cell's batch.

    Returns
    -------
    int64 ``(cells,)``: ``batch_of_target`` of :meth:`Scbasset.build`.

    Raises
    ------
    InputError
        If there is one batch only.
    """
    names, numbers = np.unique(batches.astype(str), return_inverse=True)
    if len(names) < 2:
        raise InputError(
            "scbasset: `scbasset.training.correct_batches` is set, but all "
            f"{len(batches):,} cells are of one batch ({names[0]}). Name the column of batches in "
            "`counts.batch`, or set `scbasset.training.correct_batches: false`."
        )
    return numbers.astype(np.int64)


def check_batch(n_peaks: int, batch_size: int) -> None:
    """Refuse a training part that does not fill one batch.

    Raises
    ------
    InputError
        If there are fewer peaks than a batch takes.
    """
    if n_peaks < batch_size:
        raise InputError(
            f"scbasset: {n_peaks} peaks to train on are fewer than one batch of {batch_size}. "
            "Lower `scbasset.search.batch_size`, or loosen the filters of peaks: a network of "
            "this size learns from tens of thousands."
        )


def shuffle_within_cells(is_open: sparse.spmatrix, seed: int) -> sparse.csr_matrix:
    """Move each cell's open peaks to random places; their number stays.

    Parameters
    ----------
    is_open
        Cells x peaks, 0 and 1.
    seed
        Seed of the draws.

    Notes
    -----
    Yuan & Kelley (2022), Methods, "scBasset trained on shuffled labels": what a model trained on
    it scores is what depth alone gives.
    """
    matrix = sparse.csr_matrix(is_open)
    rng = np.random.default_rng(seed)
    drawn = [np.sort(rng.choice(matrix.shape[1], n, replace=False)) for n in np.diff(matrix.indptr)]
    indices = np.concatenate(drawn) if drawn else matrix.indices
    return sparse.csr_matrix((np.ones_like(matrix.data), indices, matrix.indptr), matrix.shape)


def thin(counts: sparse.spmatrix, share: float, seed: int) -> sparse.csr_matrix:
    """Keep each count with a chance, as if sequencing had been shallower.

    Parameters
    ----------
    counts
        Cells x peaks, whole numbers.
    share
        Of the counts that stay, 0 to 1.
    seed
        Seed of the draws.
    """
    matrix = sparse.csr_matrix(counts, copy=True)
    rng = np.random.default_rng(seed)
    matrix.data = rng.binomial(matrix.data.astype(np.int64), share).astype(matrix.dtype)
    matrix.eliminate_zeros()
    return matrix
