"""Which windows hold a variant, and what speaks against asking about it there."""

from __future__ import annotations

import logging
from typing import Any

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
    windows = trained.windows
    chroms = pd.unique(windows["chrom"])
    names = match_chromosomes(pd.unique(variants["chrom"]), chroms)
    if len(variants) and not names:
        raise InputError(
            f"variants: none of their chromosomes ({examples(pd.unique(variants['chrom']))}) is "
            f"one of {trained.name}'s data ({examples(chroms)}). They name chromosomes "
            "differently, or are of another species: rename those of the variants."
        )
    near = _Windows(windows, trained.length)
    pairs: list[dict[str, Any]] = []
    skipped: list[dict[str, Any]] = []
    for variant in variants[VARIANT_COLUMNS].to_dict("records"):
        chrom = names.get(variant["chrom"])
        start, was, becomes = trimmed(variant["start"], variant["ref"], variant["alt"])
        rows = near.touched(chrom, variant["start"], variant["start"] + len(variant["ref"]))
        if variant["ref"] == variant["alt"] or not len(rows):
            nowhere = NO_WINDOW if chrom is not None else NO_CHROMOSOME
            skipped.append(
                variant | {"reason": SAME if variant["ref"] == variant["alt"] else nowhere}
            )
            continue
        for row in rows:
            at = start - near.starts[row]
            # an insertion lies between two bases of the window
            holds = at >= (not was) and at + len(was) + (not was) <= trained.length
            reason = "" if holds else OVER_EDGE
            if not reason and not all_folds and trained.test_fold[row] < 0:
                reason = NOT_HELD_OUT
            place = {"row": int(row), "at": at, "was": was, "becomes": becomes, "reason": reason}
            pairs.append(variant | place)
    columns = [*SKIPPED_COLUMNS, "row", "at", "was", "becomes"]
    places = pd.DataFrame(pairs, columns=columns)
    _check_references(trained, places)
    wrong = places["reason"] != ""
    all_skipped = pd.concat([pd.DataFrame(skipped, columns=SKIPPED_COLUMNS), places[wrong]])
    logger.info("%d places in windows; %d variants or places left out",
                len(places) - wrong.sum(), len(all_skipped))  # fmt: skip
    return (
        places[~wrong].drop(columns="reason").reset_index(drop=True),
        all_skipped[SKIPPED_COLUMNS].reset_index(drop=True),
    )


class _Windows:
    """The windows of one length, to be asked which of them a stretch touches."""

    def __init__(self, windows: pd.DataFrame, length: int) -> None:
        self.starts, self.length = windows["start"].to_numpy(np.int64), length
        of_chrom = pd.Series(np.arange(len(windows))).groupby(windows["chrom"].to_numpy())
        self.rows = {
            chrom: rows.to_numpy()[np.argsort(self.starts[rows], kind="stable")]
            for chrom, rows in of_chrom
        }
        self.sorted = {chrom: self.starts[rows] for chrom, rows in self.rows.items()}

    def touched(self, chrom: str | None, start: int, end: int) -> np.ndarray:
        """List the rows of windows that touch a stretch, by their starts."""
        if chrom not in self.rows:
            return np.empty(0, np.int64)
        starts = self.sorted[chrom]
        first = np.searchsorted(starts, start - self.length, side="right")
        return self.rows[chrom][first : np.searchsorted(starts, end)]


def _check_references(trained: Trained, places: pd.DataFrame) -> None:
    """Note where the genome has another base than the reference allele; N matches anything."""
    codes, windows = trained.dataset.varm["codes"], trained.windows
    strands, starts = windows["strand"].to_numpy(), windows["start"].to_numpy()
    reasons = places["reason"].to_numpy(dtype=object)
    found = []
    for i, (row, start, ref, alt) in enumerate(
        zip(places["row"], places["start"], places["ref"], places["alt"], strict=True)
    ):
        if reasons[i]:
            continue
        at = start - starts[row]
        before, end = max(0, -at), min(len(ref), trained.length - at)  # what the window holds
        there = plus_strand(codes[row], strands[row])[at + before : at + end]
        reasons[i] = compare_reference(there, ref[before:end], alt)
        found.append(reasons[i])
    places["reason"] = reasons
    refuse_another_genome(found, "variants in windows")


def plus_strand(codes: np.ndarray, strand: str) -> np.ndarray:
    """Turn codes along a strand into those along the plus strand, and back."""
    return reverse_complement(codes) if strand == "-" else codes
