"""Counts of peaks made ready for scBasset: 0 or 1, nothing empty, with their sequences."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from cisgrammar.errors import InputError
from cisgrammar.regions import sequence_codes
from cisgrammar.sequence import N

logger = logging.getLogger(__name__)


def prepare_counts(counts: AnnData, *, min_cells: float, min_peaks: int = 1) -> AnnData:
    """Make counts 0 or 1; drop peaks that are open in few cells, and cells with few open peaks.

    Parameters
    ----------
    counts
        Cells x peaks, raw counts.
    min_cells
        A peak is open in at least this share of the cells; one that is open nowhere always goes.
    min_peaks
        Least number of open peaks of a cell, at least 1, among the peaks that are kept.

    Returns
    -------
    Cells x peaks, uint8 (CSR). What was changed and dropped is logged.

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
    more = int((matrix.data > 1).sum())
    if more:
        logger.info(
            "%d of %d counts are above 1; they count as open, like the others", more, matrix.nnz
        )
    is_open = (matrix > 0).astype(np.uint8).tocsr()
    share = np.bincount(is_open.indices, minlength=counts.n_vars) / max(counts.n_obs, 1)
    peaks = (share >= min_cells) & (share > 0)
    cells = np.diff(is_open[:, peaks].indptr) >= max(min_peaks, 1)
    logger.info(
        "%d of %d peaks are open in at least %g of the cells, %d in none; %d of %d cells have at "
        "least %d of them open",
        peaks.sum(), counts.n_vars, min_cells, (share == 0).sum(),
        cells.sum(), counts.n_obs, max(min_peaks, 1),
    )  # fmt: skip
    if not peaks.any() or not cells.any():
        raise InputError(
            f"peaks: of {counts.n_obs:,} cells and {counts.n_vars:,} peaks none is left. The peak "
            f"open in most cells is open in {share.max(initial=0):.2%} of them; lower the least "
            f"share of cells ({min_cells:g}) or of peaks ({min_peaks})."
        )
    return AnnData(is_open[cells][:, peaks], counts.obs[cells].copy(), counts.var[peaks].copy())


def centred_windows(peaks: pd.DataFrame, length: int) -> pd.DataFrame:
    """Put a window of one length on the middle of each peak; it may reach beyond the chromosome.

    Parameters
    ----------
    peaks
        chrom, start, end, and what else there is.
    length
        In bases.
    """
    start = (peaks["start"] + peaks["end"]) // 2 - length // 2
    return peaks.assign(start=start, end=start + length, strand="+")


def padded_codes(
    windows: pd.DataFrame, chrom_sizes: Mapping[str, int], fasta: str | Path, work: str | Path
) -> tuple[np.ndarray, int]:
    """Read sequences of windows; N stands for what lies beyond a chromosome's end.

    Parameters
    ----------
    windows
        From :func:`centred_windows`.
    chrom_sizes
        Length of each chromosome of the FASTA.
    fasta, work
        As in :func:`cisgrammar.regions.sequence_codes`.

    Returns
    -------
    codes
        uint8 ``(windows, length)``.
    n_padded
        How many windows reach beyond an end.

    Raises
    ------
    InputError
        If the middle of a peak is not in the FASTA.
    """
    size = windows["chrom"].astype(str).map(chrom_sizes).fillna(-1).to_numpy()
    start, end = windows["start"].to_numpy(), windows["end"].to_numpy()
    absent = (start + end) // 2 >= size
    if absent.any():
        first = windows[absent].iloc[0]
        raise InputError(
            f"{fasta}: the middle of {absent.sum():,} of {len(windows):,} peaks is not in it, the "
            f"first around {first['chrom']}:{(first['start'] + first['end']) // 2:,}. The peaks "
            "are of another assembly, or chromosomes have other names there. Give the FASTA that "
            "reads were aligned to."
        )
    cut = (start < 0) | (end > size)
    codes = np.full((len(windows), int(end[0] - start[0])), N, dtype=np.uint8)
    codes[~cut] = sequence_codes(windows[~cut], fasta, work)[0] if (~cut).any() else N
    for row in np.flatnonzero(cut):
        inside = windows.iloc[[row]].assign(start=max(start[row], 0), end=min(end[row], size[row]))
        known = sequence_codes(inside, fasta, work)[0][0]
        first = max(-start[row], 0)
        codes[row, first : first + len(known)] = known
    if cut.any():
        logger.info(
            "%d of %d windows reach beyond the end of a chromosome; N is put there",
            cut.sum(), len(windows),
        )  # fmt: skip
    return codes, int(cut.sum())


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
            f"scbasset: `scbasset.correct_batches` is set, but all {len(batches):,} cells are of "
            f"one batch ({names[0]}). Name the column of batches in `counts.batch`, or set "
            "`scbasset.correct_batches: false`."
        )
    return numbers.astype(np.int64)


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
