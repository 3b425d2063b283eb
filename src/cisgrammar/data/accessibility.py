"""Accessibility of peaks in single cells: 0 or 1, nothing empty, with the peaks' sequences."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from cisgrammar.common.errors import InputError
from cisgrammar.common.inputs import examples
from cisgrammar.data.peak_sequences import padded_codes
from cisgrammar.genome.fasta import chrom_sizes, match_chromosomes
from cisgrammar.genome.peaks import without_blacklist
from cisgrammar.genome.windows import centred_windows

logger = logging.getLogger(__name__)

Steps = list[tuple[str, int]]


def build_accessibility(
    counts: AnnData,
    fasta: str | Path,
    work: str | Path,
    *,
    length: int,
    min_share: float,
    chromosomes: str = "auto",
    blacklist: pd.DataFrame | None = None,
) -> tuple[AnnData, pd.DataFrame]:
    """Make counts of peaks 0 or 1, filter them, and read the sequences of peaks.

    Parameters
    ----------
    counts
        Cells x peaks, raw counts; var with chrom, start, end.
    fasta, work
        As in :func:`cisgrammar.genome.fasta.open_fasta`.
    length
        Bases around the middle of a peak.
    min_share
        As in :func:`cisgrammar.data.accessibility.prepare_counts`.
    chromosomes
        ``auto``, ``as_is`` or a file of aliases: see
        :func:`cisgrammar.genome.fasta.match_chromosomes`.
    blacklist
        chrom, start, end; peaks whose window touches one are dropped.

    Returns
    -------
    accessibility
        Cells x peaks, uint8 0 and 1 (CSR); obs of the counts, var with chrom (as in the FASTA),
        start and end of the peak, ``varm["codes"]`` uint8 ``(peaks, length)``.
    steps
        step, number: what came in, was changed, dropped, and remains.

    Raises
    ------
    InputError
        If nothing is left, counts are negative, or a peak lies beyond a chromosome's end.
    """
    sizes = chrom_sizes(fasta, work)
    steps = [("peaks in the counts", counts.n_vars), ("cells in the counts", counts.n_obs)]
    chroms = counts.var["chrom"].astype(str)
    mapping = match_chromosomes(chroms, sizes, chromosomes)
    there = chroms.isin(mapping).to_numpy()
    if not there.any():
        raise InputError(
            f"{fasta}: of {len(there):,} peaks none is on a chromosome that it has: peaks are on "
            f"{examples(chroms.unique())}, the FASTA has {examples(sizes)}. Use the FASTA that "
            "reads were aligned to, or name the aliases in `genome.chromosomes`."
        )
    steps.append(("peaks dropped: chromosome not in the FASTA", int((~there).sum())))
    peaks = counts.var.loc[there, ["chrom", "start", "end"]].assign(
        chrom=chroms[there].map(mapping), row=np.flatnonzero(there)
    )
    if blacklist is not None:
        named = blacklist.assign(
            chrom=blacklist["chrom"].map(match_chromosomes(blacklist["chrom"], sizes, chromosomes))
        ).dropna(subset="chrom")
        windows = centred_windows(peaks, length)
        good, ((_, n_bad),) = without_blacklist(
            windows.assign(start=windows["start"].clip(0)), named
        )
        steps.append(("peaks dropped: blacklisted", n_bad))
        peaks = peaks[peaks["row"].isin(good["row"])]
    rows = peaks["row"].to_numpy()
    matrix = counts.X if len(rows) == counts.n_vars else counts.X[:, rows]
    chosen = AnnData(matrix, counts.obs, peaks.drop(columns="row"))
    accessibility, more = prepare_counts(chosen, min_share)
    windows = centred_windows(accessibility.var, length)
    accessibility.varm["codes"], n_padded = padded_codes(windows, sizes, fasta, work)
    steps += [
        *more,
        ("peaks", accessibility.n_vars),
        ("cells", accessibility.n_obs),
        ("windows padded with N: beyond a chromosome's end", n_padded),
    ]
    for step, number in steps:
        logger.info("%s: %d", step, number)
    return accessibility, pd.DataFrame(steps, columns=["step", "number"])


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
            f"peaks: {(matrix.data < 0).sum():,} counts are below 0. These are not counts: give "
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
