"""Peaks of chromatin accessibility: from names to distal windows of one length."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pybedtools

from cisgrammar.errors import InputError
from cisgrammar.genome import match_chromosomes
from cisgrammar.inputs import examples
from cisgrammar.regions import REGION_COLUMNS, require_bedtools, slop

# The chromosome's name may itself hold - and _, so the two numbers are taken from the end.
_PEAK = re.compile(r"(.+)[:_-]([0-9]{1,12})[_-]([0-9]{1,12})")

Steps = list[tuple[str, int]]


def peaks_from_names(names: Sequence[str], where: str | Path) -> pd.DataFrame:
    """Read coordinates off the names of peaks.

    Parameters
    ----------
    names
        ``chr1:100-200``, ``chr1-100-200`` or ``chr1_100_200``; starts are taken
        as 0-based, as Cell Ranger writes them.
    where
        The file they are from, for messages.

    Returns
    -------
    chrom, start, end, name and strand (``+``), in the given order.

    Raises
    ------
    InputError
        If names are not like that.

    Examples
    --------
    >>> peaks_from_names(["chr1_KI270706v1_random:5-9"], "")["chrom"].tolist()
    ['chr1_KI270706v1_random']
    """
    found = [_PEAK.fullmatch(str(name)) for name in names]
    bad = [
        name
        for name, match in zip(names, found, strict=True)
        if match is None or int(match[2]) >= int(match[3])
    ]
    if bad:
        raise InputError(
            f"{where}: {len(bad):,} of {len(names):,} names are no peaks ({examples(bad)}); a peak "
            "is called chr1:100-200, chr1-100-200 or chr1_100_200, the start before the end. If "
            "these are genes, use promoters, or ask for the peaks of a file that holds both."
        )
    rows = [
        (match[1], int(match[2]), int(match[3]), match[0], "+")
        for match in found
        if match is not None
    ]
    return pd.DataFrame(rows, columns=REGION_COLUMNS)


def centred(
    peaks: pd.DataFrame, length: int, chrom_sizes: Mapping[str, int], chromosomes: str = "auto"
) -> tuple[pd.DataFrame, Steps]:
    """Put a window of one length on the middle of each peak.

    Parameters
    ----------
    peaks
        As from :func:`peaks_from_names`.
    length
        In bases.
    chrom_sizes
        Length of each chromosome of the FASTA.
    chromosomes
        ``auto``, ``as_is`` or a file of aliases: see :func:`cisgrammar.genome.match_chromosomes`.

    Returns
    -------
    The windows that lie on the genome, and (step, peaks) of what was dropped.

    Notes
    -----
    Hepkema et al. (2023) took 240 bases around the middle.
    """
    mapping = match_chromosomes(peaks["chrom"], chrom_sizes, chromosomes)
    there = peaks["chrom"].isin(mapping)
    windows = peaks[there].reset_index(drop=True)
    windows["chrom"] = windows["chrom"].map(mapping)
    windows["start"] = (windows["start"] + windows["end"]) // 2 - length // 2
    windows["end"] = windows["start"] + length
    inside = (windows["start"] >= 0) & (windows["end"] <= windows["chrom"].map(chrom_sizes))
    steps = [
        ("dropped: chromosome not in the FASTA", int((~there).sum())),
        ("dropped: window off the end of the chromosome", int((~inside).sum())),
    ]
    return windows[inside].reset_index(drop=True), steps


def distal(
    peaks: pd.DataFrame,
    tss: pd.DataFrame,
    chrom_sizes: Mapping[str, int],
    upstream: int = 8000,
    downstream: int = 2000,
    chromosomes: str = "auto",
) -> tuple[pd.DataFrame, Steps]:
    """Keep the peaks that are far from every transcription start site.

    Parameters
    ----------
    peaks
        Chromosomes named as in the FASTA.
    tss
        As from :func:`cisgrammar.annotation.read_tss`.
    chrom_sizes, chromosomes
        As in :func:`centred`.
    upstream, downstream
        A peak that has a base in this range around a TSS, along the gene's
        strand, is dropped.

    Returns
    -------
    The distal peaks, and (step, peaks) of what was dropped.

    Notes
    -----
    Hepkema et al. (2023), Methods: outside [-8 kb, 2 kb] of any TSS.
    """
    mapping = match_chromosomes(tss["chrom"], chrom_sizes, chromosomes)
    sites = tss[tss["chrom"].isin(mapping)].reset_index(drop=True)
    sites["chrom"] = sites["chrom"].map(mapping)
    sites = sites[sites["tss"] < sites["chrom"].map(chrom_sizes)]
    near = _overlapping(peaks, slop(sites, chrom_sizes, upstream, downstream + 1))
    return _without(peaks, near, "dropped: near a TSS")


def without_blacklist(peaks: pd.DataFrame, blacklist: pd.DataFrame) -> tuple[pd.DataFrame, Steps]:
    """Drop peaks that touch a blacklisted region.

    Parameters
    ----------
    peaks, blacklist
        chrom, start, end; chromosomes named alike in both.

    Returns
    -------
    The others, and (step, peaks) of what was dropped.
    """
    return _without(peaks, _overlapping(peaks, blacklist), "dropped: blacklisted")


def merge_same(windows: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray, Steps]:
    """Merge windows at the same place, which overlapping peak sets give.

    Parameters
    ----------
    windows
        chrom, start, end, name, strand.

    Returns
    -------
    merged
        The first window of each place, in order.
    member
        Row in ``merged`` of each window, by which to add up counts: ``(windows,)``.
    steps
        How many were merged into others.
    """
    place = windows[["chrom", "start", "end", "strand"]]
    member = place.groupby(list(place.columns), sort=False).ngroup().to_numpy()
    again = place.duplicated()
    merged = windows[~again].reset_index(drop=True)
    return merged, member, [("merged: the same window", int(again.sum()))]


def _without(peaks: pd.DataFrame, bad: np.ndarray, why: str) -> tuple[pd.DataFrame, Steps]:
    return peaks[~bad].reset_index(drop=True), [(why, int(bad.sum()))]


def _overlapping(peaks: pd.DataFrame, others: pd.DataFrame) -> np.ndarray:
    """Find the peaks that share a base with any other region: bool ``(peaks,)``."""
    bad = np.zeros(len(peaks), bool)
    if peaks.empty or others.empty:
        return bad
    require_bedtools()
    with_row = peaks.assign(row=range(len(peaks)))[["chrom", "start", "end", "row"]]
    a = pybedtools.BedTool.from_dataframe(with_row)
    b = pybedtools.BedTool.from_dataframe(others[["chrom", "start", "end"]])
    hits = a.intersect(b, u=True)
    bad[[int(hit.name) for hit in hits]] = True
    for tool in (a, b, hits):
        Path(tool.fn).unlink(missing_ok=True)
    return bad
