"""Counts of peaks made ready for scBasset: 0 or 1, and nothing empty."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from anndata import AnnData
from anndata.abc import CSRDataset
from scipy import sparse

from cisgrammar.common.errors import InputError

Steps = list[tuple[str, int]]
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


def prepare_counts(counts: AnnData, min_share: float) -> tuple[AnnData, Steps]:
    """Make counts 0 or 1; drop peaks that are open in few cells, and cells with no open peak.

    Parameters
    ----------
    counts
        Cells x peaks, raw counts.
    min_share
        A peak is open in at least this share of the cells; one that is open nowhere always goes.

    Returns
    -------
    kept
        Cells x peaks, uint8 (CSR).
    steps
        (step, number) of what was changed and dropped.

    Raises
    ------
    InputError
        If nothing is left, or counts are negative.

    Notes
    -----
    Yuan & Kelley (2022), Methods, "scATAC-seq preprocessing": peaks in at least 5% of the cells.
    """
    matrix = sparse.csr_matrix(counts.X)
    if matrix.nnz and matrix.data.min() < 0:
        raise InputError(
            f"peaks: {(matrix.data < 0).sum():,} counts are below 0. These are no counts: give "
            "the raw fragments or insertions of each peak, not scaled values."
        )
    above_0 = matrix.data > 0
    is_open = sparse.csr_matrix(
        (above_0.astype(np.uint8), matrix.indices, matrix.indptr),
        matrix.shape,
        copy=not above_0.all(),  # else places are shared with the counts
    )
    is_open.eliminate_zeros()
    share = np.bincount(is_open.indices, minlength=counts.n_vars) / max(counts.n_obs, 1)
    peaks = (share >= min_share) & (share > 0)
    of_peaks = is_open[:, peaks]
    cells = np.diff(of_peaks.indptr) > 0
    if not peaks.any():
        raise InputError(
            f"peaks: of {counts.n_obs:,} cells and {counts.n_vars:,} peaks none is left. The peak "
            f"open in most cells is open in {share.max(initial=0):.2%} of them; lower "
            f"`accessibility.min_share` ({min_share:g})."
        )
    steps = [
        ("counts above 1, taken for 1", int((matrix.data > 1).sum())),
        ("peaks dropped: open in no cell", int((share == 0).sum())),
        ("peaks dropped: open in too few cells", int((~peaks & (share > 0)).sum())),
        ("cells dropped: no peak that is kept is open", int((~cells).sum())),
    ]
    return AnnData(
        of_peaks if cells.all() else of_peaks[cells],
        counts.obs[cells].copy(),
        counts.var[peaks].copy(),
    ), steps


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
