"""Peaks of chromatin accessibility: from names to distal windows of one length."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pybedtools
from anndata import AnnData
from scipy import sparse

from cisgrammar.common.errors import InputError
from cisgrammar.common.inputs import examples
from cisgrammar.genome.fasta import match_chromosomes
from cisgrammar.genome.regions import REGION_COLUMNS, read_bed, require_bedtools, slop

logger = logging.getLogger(__name__)

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
            f"{where}: {len(bad):,} of {len(names):,} names are not peaks ({examples(bad)}); a "
            "peak is called chr1:100-200, chr1-100-200 or chr1_100_200, the start before the end. "
            "If these are genes, name the file with the peaks in `peaks.path`; if their names are "
            "others, say in `peaks.bed` where they are."
        )
    rows = [
        (match[1], int(match[2]), int(match[3]), match[0], "+")
        for match in found
        if match is not None
    ]
    return pd.DataFrame(rows, columns=REGION_COLUMNS)


def locate(names: Sequence[str], where: str | Path, bed: str | Path | None = None) -> pd.DataFrame:
    """Find where the peaks of a matrix are.

    Parameters
    ----------
    names
        Their names in the matrix.
    where
        The matrix' file, for messages.
    bed
        BED with these names in its fourth column; None: the names themselves say where.

    Returns
    -------
    As from :func:`peaks_from_names`.

    Raises
    ------
    InputError
        If names are not like that, or not all are in the BED.
    """
    if bed is None:
        return peaks_from_names(names, where)
    places = read_bed(bed, "peaks.bed")
    again = places["name"][places["name"].duplicated()].unique()
    if len(again):
        raise InputError(
            f"{bed}: {len(again):,} names come more than once ({examples(again)}), so a peak of "
            f"{where} has no one place. Each line's fourth column must be a name of its own."
        )
    found = places.set_index("name").reindex(pd.Index(names).astype(str))
    missing = found.index[found["chrom"].isna()]
    if len(missing):
        raise InputError(
            f"{bed}: {len(missing):,} of the {len(names):,} peaks of {where} are not in it "
            f"({examples(missing)}; the BED has {examples(places['name'])}). Its fourth column "
            "must name the peaks as the matrix does; without `peaks.bed` the matrix' own names "
            "are read."
        )
    table = found.rename_axis("name").reset_index()[REGION_COLUMNS].assign(strand="+")
    return table.astype({"start": np.int64, "end": np.int64})


def place(
    names: Sequence[str], where: str | Path, bed: str | Path | None = None
) -> tuple[pd.DataFrame, np.ndarray]:
    """Locate peaks, and merge those with one middle: their windows of one length are the same.

    Parameters
    ----------
    names, where, bed
        As in :func:`locate`.

    Returns
    -------
    peaks
        Index name, that of the first of those merged; ``chrom``, ``start``, ``end`` and
        ``merged``, the number of peaks in one.
    member
        Row in ``peaks`` of each name: ``(names,)``.

    Raises
    ------
    InputError
        As :func:`locate`.
    """
    places = locate(names, where, bed)
    middle = (places["start"] + places["end"]) // 2
    _, member, _ = merge_same(places.assign(start=middle, end=middle + 1))
    first = places[~pd.Series(member).duplicated()].set_index("name")
    table = first[["chrom", "start", "end"]].rename_axis(None)
    return table.assign(merged=np.bincount(member)), member


def with_places(counts: AnnData, where: str | Path, bed: str | Path | None = None) -> AnnData:
    """Add to a matrix of peaks where they are; add up those with one middle.

    Parameters
    ----------
    counts
        Cells x peaks, CSR.
    where, bed
        As in :func:`locate`.

    Returns
    -------
    Cells x peaks, var as from :func:`place`.

    Raises
    ------
    InputError
        As :func:`locate`.
    """
    peaks, member = place(counts.var_names, where, bed)
    n_names = len(member)
    if len(peaks) == n_names:
        return AnnData(counts.X, obs=counts.obs, var=peaks)
    logger.warning("%s: %d peaks have the middle of another: added up", where, n_names - len(peaks))
    ones = np.ones(n_names, np.float32)
    adder = sparse.csr_matrix((ones, (np.arange(n_names), member)), shape=(n_names, len(peaks)))
    summed = (counts.X @ adder).tocsr()
    summed.sort_indices()
    return AnnData(summed, obs=counts.obs, var=peaks)


def define_peaks(
    peaks: pd.DataFrame,
    chrom_sizes: Mapping[str, int],
    *,
    length: int,
    tss: pd.DataFrame | None = None,
    upstream: int = 8000,
    downstream: int = 2000,
    blacklist: pd.DataFrame | None = None,
    chromosomes: str = "auto",
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Put windows on peaks, and leave out those near a TSS or blacklisted.

    Parameters
    ----------
    peaks
        As from :func:`place`.
    chrom_sizes, chromosomes, length
        As in :func:`centred`.
    tss, upstream, downstream
        As in :func:`distal`; without ``tss`` peaks near one stay.
    blacklist
        chrom, start, end.

    Returns
    -------
    windows
        chrom (as in the FASTA), start, end, name, strand.
    counts
        step, peaks: what came in, was dropped and remains.

    Raises
    ------
    InputError
        If no window remains.
    """
    table = peaks.rename_axis("name").reset_index().assign(strand="+")[REGION_COLUMNS]
    steps = [("peaks in the counts", int(peaks["merged"].sum()))]
    steps.append(("merged: the same window", int((peaks["merged"] - 1).sum())))
    windows, dropped = centred(table, length, chrom_sizes, chromosomes)
    steps += dropped
    if blacklist is not None and len(windows):
        mapping = match_chromosomes(blacklist["chrom"], chrom_sizes, chromosomes)
        named = blacklist.assign(chrom=blacklist["chrom"].map(mapping)).dropna(subset="chrom")
        windows, dropped = without_blacklist(windows, named)
        steps += dropped
    if tss is not None and len(windows):
        windows, dropped = distal(windows, tss, chrom_sizes, upstream, downstream, chromosomes)
        steps += dropped
    steps.append(("windows", len(windows)))
    if windows.empty:
        reasons = "; ".join(f"{step}: {n:,}" for step, n in steps[1:-1] if n)
        raise InputError(
            f"peaks: of {len(table):,} peaks ({examples(table['name'])}) none has a window "
            f"({reasons}; the FASTA has {examples(chrom_sizes)}). Use a FASTA of the assembly that "
            "the peaks were called on, or a milder `peaks.distal`, `peaks.blacklist` or "
            "`peaks.length`."
        )
    return windows, pd.DataFrame(steps, columns=["step", "peaks"])


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
        ``auto``, ``as_is`` or a file of aliases: see
        :func:`cisgrammar.genome.fasta.match_chromosomes`.

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
    windows["chrom"] = windows["chrom"].astype(str).map(mapping)  # no categories, as h5ad has
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
        As from :func:`cisgrammar.genome.tss.read_tss`.
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
