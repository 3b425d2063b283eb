"""Accessibility of peaks with their sequences: what scBasset learns from."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from anndata import AnnData

from cisgrammar.common.errors import InputError
from cisgrammar.common.inputs import examples
from cisgrammar.data.accessibility import prepare_counts
from cisgrammar.genome.fasta import chrom_sizes, match_chromosomes
from cisgrammar.genome.peaks import without_blacklist
from cisgrammar.genome.regions import sequence_codes
from cisgrammar.genome.sequence import N

logger = logging.getLogger(__name__)


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
        As in :func:`cisgrammar.genome.regions.sequence_codes`.

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
