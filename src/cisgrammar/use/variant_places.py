"""Which windows hold a variant, and what speaks against asking about it there."""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd

from cisgrammar.common.errors import InputError
from cisgrammar.common.inputs import examples
from cisgrammar.genome.alleles import compare_reference, refuse_another_genome, trimmed
from cisgrammar.genome.fasta import match_chromosomes
from cisgrammar.genome.sequence import reverse_complement
from cisgrammar.genome.variants import VARIANT_COLUMNS
from cisgrammar.use.trained import Trained

NO_CHROMOSOME = "no window on its chromosome"
NO_WINDOW = "in no window"
OVER_EDGE = "reaches over the edge of its window"
SAME = "both alleles are the same"
NOT_HELD_OUT = "no fold has tested the window"
SKIPPED_COLUMNS = [*VARIANT_COLUMNS, "reason"]
logger = logging.getLogger(__name__)


def place_variants(
    trained: Trained, variants: pd.DataFrame, all_folds: bool
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Find the windows that hold each variant.

    Parameters
    ----------
    trained
        From :func:`cisgrammar.load`.
    variants
        variant, chrom, start (0-based), ref, alt.
    all_folds
        Whether windows count that no fold has tested.

    Returns
    -------
    places
        A row for each variant and window: the columns of ``variants``, ``row`` of the window in
        the data set, ``at`` (where the bases that differ begin in the window), ``was`` and
        ``becomes`` (these bases), all along the plus strand.
    skipped
        The columns of ``variants``, and reason.

    Raises
    ------
    InputError
        If no variant is on a chromosome of the data, or most have another reference allele.
    """
    variants = variants[VARIANT_COLUMNS].reset_index(drop=True)
    chroms = _chromosomes(trained, variants)
    number, row = _touched(trained, variants, chroms)
    same = (variants["ref"] == variants["alt"]).to_numpy(bool)
    nowhere = np.ones(len(variants), dtype=bool)
    nowhere[number] = False
    reason = np.where(same, SAME, np.where(chroms.isna(), NO_CHROMOSOME, NO_WINDOW))
    skipped = variants.assign(reason=reason)[same | nowhere]
    places = variants.iloc[number].assign(row=row)[~same[number]].reset_index(drop=True)
    starts = trained.windows["start"].to_numpy(np.int64)[places["row"]]
    differing = [
        trimmed(*its) for its in zip(places["start"], places["ref"], places["alt"], strict=True)
    ]
    places["at"] = np.array([start for start, _, _ in differing], dtype=np.int64) - starts
    places["was"] = np.array([was for _, was, _ in differing], dtype=object)
    places["becomes"] = np.array([becomes for _, _, becomes in differing], dtype=object)
    places["reason"] = _reasons(trained, places, all_folds)
    wrong = places["reason"] != ""
    skipped = pd.concat([skipped, places[wrong]])[SKIPPED_COLUMNS].reset_index(drop=True)
    logger.info("%d places in windows; %d left out", len(places) - wrong.sum(), len(skipped))
    return places[~wrong].drop(columns="reason").reset_index(drop=True), skipped


def _chromosomes(trained: Trained, variants: pd.DataFrame) -> pd.Series:
    """Give the data's name for the chromosome of each variant; NaN where they have none."""
    theirs, ours = pd.unique(variants["chrom"]), pd.unique(trained.windows["chrom"])
    names = match_chromosomes(theirs, ours)
    if len(variants) and not names:
        raise InputError(
            f"variants: none of their chromosomes ({examples(theirs)}) is one of "
            f"{trained.name}'s data ({examples(ours)}). They name chromosomes differently, or are "
            "of another species: rename those of the variants."
        )
    return variants["chrom"].map(names)


def _touched(
    trained: Trained, variants: pd.DataFrame, chroms: pd.Series
) -> tuple[np.ndarray, np.ndarray]:
    """Find all pairs of a variant and a window that it touches: their numbers, by variant."""
    windows, length = trained.windows, trained.length
    starts = variants["start"].to_numpy(np.int64)
    ends = starts + variants["ref"].str.len().to_numpy(np.int64)
    numbers, rows = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    of_chrom = pd.Series(np.arange(len(windows))).groupby(windows["chrom"].to_numpy())
    its_windows = {chrom: its.to_numpy() for chrom, its in of_chrom}
    for chrom, its in variants.groupby(chroms.to_numpy()).groups.items():
        there = its_windows[chrom]
        begins = windows["start"].to_numpy(np.int64)[there]
        there, begins = there[(order := np.argsort(begins, kind="stable"))], begins[order]
        first = np.searchsorted(begins, starts[its] - length, side="right")  # all are of one length
        times = np.searchsorted(begins, ends[its]) - first
        numbers.append(np.repeat(its.to_numpy(), times))
        within = np.arange(times.sum()) - np.repeat(np.cumsum(times) - times, times)
        rows.append(there[np.repeat(first, times) + within])
    number, row = np.concatenate(numbers), np.concatenate(rows)
    order = np.argsort(number, kind="stable")
    return number[order], row[order]


def _reasons(trained: Trained, places: pd.DataFrame, all_folds: bool) -> np.ndarray:
    """Say what is wrong with each place: the edge, the folds, the reference allele."""
    at, widths = places["at"].to_numpy(np.int64), places["was"].str.len().to_numpy(np.int64)
    gap = widths == 0  # an insertion lies between two bases of the window
    holds = (at >= gap) & (at + widths + gap <= trained.length)
    unseen = all_folds | (trained.test_fold[places["row"]] >= 0)
    reasons = np.where(holds, np.where(unseen, "", NOT_HELD_OUT), OVER_EDGE).astype(object)
    codes, windows = trained.dataset.varm["codes"], trained.windows
    strands, starts = windows["strand"].to_numpy(), windows["start"].to_numpy()
    asked = np.flatnonzero(reasons == "")
    columns = ["row", "start", "ref", "alt"]
    for i, (row, start, ref, alt) in zip(
        asked, places[columns].iloc[asked].itertuples(index=False), strict=True
    ):
        first = start - starts[row]
        before, end = max(0, -first), min(len(ref), trained.length - first)  # what the window holds
        there = plus_strand(codes[row], strands[row])[first + before : first + end]
        reasons[i] = compare_reference(there, ref[before:end], alt)
    refuse_another_genome(reasons[asked].tolist(), "variants in windows")
    return reasons


def plus_strand(codes: np.ndarray, strand: str) -> np.ndarray:
    """Turn codes along a strand into those along the plus strand, and back."""
    return reverse_complement(codes) if strand == "-" else codes
