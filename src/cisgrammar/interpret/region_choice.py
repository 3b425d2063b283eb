"""Which regions to mutate: those that are asked for, or the peaks that tell cell types apart."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from cisgrammar.common.errors import InputError, Problems
from cisgrammar.common.inputs import examples, nearest
from cisgrammar.genome.fasta import match_chromosomes
from cisgrammar.genome.peaks import peaks_from_names

logger = logging.getLogger(__name__)

COLUMNS = ["region", "chrom", "start", "end", "chosen_for"]
KEY = "scbasset.mutagenesis.regions"


def asked_regions(asked: Sequence[str], peaks: pd.DataFrame) -> pd.DataFrame:
    """Find regions by the names of peaks, or by where they are.

    Parameters
    ----------
    asked
        Names of peaks, or ``chrom:start-end``.
    peaks
        Index name; chrom, start, end.

    Returns
    -------
    region, chrom, start, end, chosen_for (empty).

    Raises
    ------
    InputError
        If words are neither; all problems are reported together.
    """
    rows, problems = [], Problems()
    for name in asked:
        if name in peaks.index:
            rows.append((name, *peaks.loc[name, ["chrom", "start", "end"]], ""))
            continue
        try:
            place = peaks_from_names([name.replace(",", "")], KEY).iloc[0]
        except InputError:
            problems.add(
                f"`{KEY}`: {name!r} is neither a peak's name ({examples(peaks.index)}) nor a place "
                "such as chr1:1000-1200, the start before the end. Peaks open in few cells have "
                f"been left out: name those by their place.{nearest(name, peaks.index[:10_000])}"
            )
            continue
        rows.append((name, place["chrom"], place["start"], place["end"], ""))
    problems.raise_if_any()
    return pd.DataFrame(rows, columns=COLUMNS)


def peaks_as_regions(chosen: Sequence[tuple[int, str]], peaks: pd.DataFrame) -> pd.DataFrame:
    """Lay out chosen rows of the peaks and what each was chosen for, as :func:`asked_regions`."""
    table = peaks.iloc[[row for row, _ in chosen]][["chrom", "start", "end"]]
    table = table.rename_axis("region").reset_index()
    return table.assign(chosen_for=[name for _, name in chosen])[COLUMNS]


def mutated_windows(
    regions: pd.DataFrame, chrom_sizes: Mapping[str, int], length: int, chromosomes: str = "auto"
) -> pd.DataFrame:
    """Put the model's window on the middle of each region, and say which part is mutated.

    Parameters
    ----------
    regions
        From :func:`asked_regions`.
    chrom_sizes, chromosomes
        As in :func:`cisgrammar.genome.regions.promoters`.
    length
        Bases that the model reads.

    Returns
    -------
    region, chosen_for, chrom (as in the FASTA), start and end of what is mutated, at most the
    window; window_start. How many regions were cut to the window is logged.

    Raises
    ------
    InputError
        If two regions have one name, or are not in the FASTA.
    """
    again = regions["region"][regions["region"].duplicated()].unique()
    if len(again):
        raise InputError(
            f"scbasset.mutagenesis: {len(again):,} regions come twice ({examples(again)}). Name "
            "each once."
        )
    mapping = match_chromosomes(regions["chrom"].unique(), chrom_sizes, chromosomes)
    absent = [chrom for chrom in regions["chrom"].unique() if chrom not in mapping]
    if absent:
        raise InputError(
            f"scbasset.mutagenesis: regions are on {examples(absent)}, which the FASTA does not "
            f"have ({examples(chrom_sizes)}). Correct the regions, or set `genome.chromosomes`."
        )
    chrom = regions["chrom"].map(mapping)
    sizes = chrom.map(chrom_sizes)
    middle = (regions["start"] + regions["end"]) // 2
    beyond = middle >= sizes
    if beyond.any():
        row = beyond.idxmax()
        raise InputError(
            f"scbasset.mutagenesis: {beyond.sum():,} of {len(regions):,} regions lie beyond the "
            f"end of their chromosome, the first {regions['region'][row]} around {middle[row]:,}; "
            f"{chrom[row]} has {sizes[row]:,} bases. They are probably of another assembly. Give "
            "places in the genome of `genome.fasta`."
        )
    window = middle - length // 2
    start, end = np.maximum(regions["start"], window), np.minimum(regions["end"], window + length)
    cut = int(((start > regions["start"]) | (end < regions["end"])).sum())
    if cut:
        logger.info("%d of %d regions are cut to the %d bases read", cut, len(regions), length)
    return regions.assign(chrom=chrom, start=start, end=end, window_start=window)
