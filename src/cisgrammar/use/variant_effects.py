"""What variants do to predictions: reference against alternative allele, in every window."""

from __future__ import annotations

import logging
import re
from typing import Any

import numpy as np
import pandas as pd
from pyfaidx import Fasta

from cisgrammar.common.errors import InputError
from cisgrammar.common.inputs import examples
from cisgrammar.genome.fasta import match_chromosomes
from cisgrammar.genome.sequence import N, encode, reverse_complement
from cisgrammar.genome.variants import alter, reverse_complement_letters
from cisgrammar.use.trained import Trained

AT_ONCE = 2048  # windows with alternative alleles that are held
MOST_MISMATCHES = 0.5  # share of the variants in windows above which they are of another genome
NO_WINDOW = "in no window"
OVER_EDGE = "reaches over the edge of its window"
MISMATCH = "the reference allele is not what the genome has"
SAME = "both alleles are the same"
NOT_HELD_OUT = "no fold has tested the window"
logger = logging.getLogger(__name__)
_STRANGE = re.compile(r"[^ACGTNacgtn]")


def variant_effects(
    trained: Trained,
    variants: pd.DataFrame,
    *,
    by: str | None = None,
    all_folds: bool = False,
    genome: Fasta | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Predict what variants change.

    Parameters
    ----------
    trained
        From :func:`cisgrammar.load`.
    variants
        variant, chrom, start (0-based), ref, alt: from
        :func:`cisgrammar.genome.variants.read_variants`.
    by
        A column of the targets, over whose labels predictions are averaged.
    all_folds
        Ask the models of all folds, also those that trained on the window. Otherwise only the
        model that never saw it.
    genome
        From which deletions draw bases; without it they draw N.

    Returns
    -------
    effects
        A row for each variant, window that holds it and label: variant, chrom, position
        (1-based), ref, alt, sequence (and gene_name where the data have it), offset (bases from
        the window's first, along its strand), fold (empty with several), label, reference (the
        prediction), effect (alternative minus reference), spread (standard deviation of the
        effect over folds, NaN of one).
    skipped
        variant, chrom, start, ref, alt, reason.

    Raises
    ------
    InputError
        If more than half of the variants in windows have another reference allele than the
        genome, or ``genome`` lacks a chromosome of the data.

    Notes
    -----
    Windows keep their length: what is inserted or deleted between the window's start and its
    anchor moves that end, else the other one (:func:`cisgrammar.genome.variants.alter`). The
    anchor is the TSS where the data have it (``TSS``), else the middle.
    """
    places, skipped = _place(trained, variants.reset_index(drop=True), all_folds)
    _check_references(trained, places)
    wrong = places["reason"] != ""
    skipped += places[wrong].to_dict("records")
    places = places[~wrong].reset_index(drop=True)
    labels, flanks = trained.labels(by), _Flanks(trained, genome)
    shape = (len(trained.models) if all_folds else 1, len(places), labels.nunique())
    reference, effect = np.empty(shape, np.float32), np.empty(shape, np.float32)
    for i, fold in enumerate(trained.models):
        of_fold = all_folds | (trained.test_fold[places["row"]] == fold)
        its, layer = np.flatnonzero(of_fold), i if all_folds else 0
        for first in range(0, len(its), AT_ONCE):
            part = its[first : first + AT_ONCE]
            reference[layer, part], effect[layer, part] = _ask(
                trained, fold, places.iloc[part], labels, flanks
            )
    columns = ["variant", "chrom", "start", "ref", "alt", "reason"]
    table = _table(trained, places, pd.unique(labels), reference, effect, all_folds)
    return table, pd.DataFrame(skipped, columns=columns)


def _place(
    trained: Trained, variants: pd.DataFrame, all_folds: bool
) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Find the windows that hold each variant: a row for each pair, with what speaks against it."""
    windows = trained.windows
    names = match_chromosomes(pd.unique(variants["chrom"]), pd.unique(windows["chrom"]))
    chroms = variants["chrom"].map(names)
    starts, ends = windows["start"].to_numpy(np.int64), windows["end"].to_numpy(np.int64)
    of_chrom = pd.Series(np.arange(len(windows))).groupby(windows["chrom"].to_numpy())
    sorted_rows = {
        chrom: rows.to_numpy()[np.argsort(starts[rows], kind="stable")] for chrom, rows in of_chrom
    }
    pairs, skipped = [], []
    for i, (chrom, start, ref, alt) in enumerate(
        zip(chroms, variants["start"], variants["ref"], variants["alt"], strict=True)
    ):
        rows, end = sorted_rows.get(chrom, np.empty(0, np.int64)), start + len(ref)
        last = np.searchsorted(starts[rows], end)  # windows are of one length
        first = np.searchsorted(starts[rows], start - trained.length, side="right")
        near = rows[first:last]
        near = near[ends[near] > start]
        if ref == alt or not len(near):
            skipped.append({**variants.iloc[i], "reason": SAME if ref == alt else NO_WINDOW})
            continue
        for row in near:
            reason = ""
            if start < starts[row] or end > ends[row]:
                reason = OVER_EDGE
            elif not all_folds and trained.test_fold[row] < 0:
                reason = NOT_HELD_OUT
            pairs.append((i, int(row), reason))
    table = pd.DataFrame(pairs, columns=["number", "row", "reason"])
    given = variants.iloc[table["number"]].reset_index(drop=True)
    return pd.concat([given, table], axis=1), skipped


def _check_references(trained: Trained, places: pd.DataFrame) -> None:
    """Note where the genome has another base than the reference allele; N matches anything."""
    codes, windows = trained.dataset.varm["codes"], trained.windows
    strands, starts = windows["strand"].to_numpy(), windows["start"].to_numpy()
    mismatches, on_other_strand, reasons = 0, 0, places["reason"].to_numpy(dtype=object)
    for i, (row, start, ref) in enumerate(
        zip(places["row"], places["start"], places["ref"], strict=True)
    ):
        if reasons[i]:
            continue
        window = plus_strand(codes[row], strands[row])
        at = start - starts[row]
        there = window[at : at + len(ref)]
        if not _same(there, encode(ref)):
            reasons[i] = MISMATCH
            mismatches += 1
            on_other_strand += _same(there, encode(reverse_complement_letters(ref)))
    places["reason"] = reasons
    n = int((reasons == "").sum()) + mismatches
    if mismatches > MOST_MISMATCHES * n:
        others = f" {on_other_strand:,} of them fit the other strand." if on_other_strand else ""
        raise InputError(
            f"variants: {mismatches:,} of {n:,} in windows have another reference allele than the "
            f"genome.{others} They are of another assembly, or alleles are not on the plus "
            "strand. Lift them over, or take the VCF of this assembly."
        )
    logger.info("%d variants and windows; %d reference alleles differ", n, mismatches)


def _same(there: np.ndarray, ref: np.ndarray) -> bool:
    return bool(((there == ref) | (there == N) | (ref == N)).all())


def plus_strand(codes: np.ndarray, strand: str) -> np.ndarray:
    """Turn codes along a strand into those along the plus strand, and back."""
    return reverse_complement(codes) if strand == "-" else codes


class _Flanks:
    """The bases beyond the ends of windows, which deletions draw from."""

    def __init__(self, trained: Trained, genome: Fasta | None) -> None:
        self.genome, self.names = genome, {}
        if genome is None:
            return
        chroms = pd.unique(trained.windows["chrom"])
        self.names = match_chromosomes(chroms, genome.keys())
        if absent := [chrom for chrom in chroms if chrom not in self.names]:
            raise InputError(
                f"genome: {len(absent):,} of {len(chroms):,} chromosomes of the data are not in it "
                f"({examples(absent)}; there are {examples(genome.keys())}). Give the FASTA of the "
                "config."
            )

    def read(self, chrom: str, start: int, end: int) -> np.ndarray | None:
        """Give codes along the plus strand, fewer at a chromosome's end; None without a genome."""
        if self.genome is None:
            return None
        letters = str(self.genome[self.names[chrom]][max(start, 0) : end])
        return encode(_STRANGE.sub("N", letters))


def _ask(
    trained: Trained, fold: int, places: pd.DataFrame, labels: pd.Series, flanks: _Flanks
) -> tuple[np.ndarray, np.ndarray]:
    """Predict windows with the reference, and what the other allele changes."""
    rows, inverse = np.unique(places["row"].to_numpy(), return_inverse=True)
    codes = np.asarray(trained.dataset.varm["codes"][rows])
    reference = trained.predicted(fold, codes, labels, rows)
    altered = np.stack(
        [
            _altered(trained, codes[i], place, flanks)
            for i, place in zip(inverse, places.itertuples(), strict=True)
        ]
    )
    alternative = trained.predicted(fold, altered, labels, rows[inverse])
    return reference[inverse], alternative - reference[inverse]


def _altered(trained: Trained, codes: np.ndarray, place: Any, flanks: _Flanks) -> np.ndarray:
    its = trained.windows.iloc[place.row]
    start, end, anchor = int(its["start"]), int(its["end"]), int(its["anchor"])
    at, lost = place.start - start, len(place.ref) - len(place.alt)
    flank = None
    if lost > 0 and at < anchor:
        drawn = flanks.read(its["chrom"], start - lost, start)
        flank = None if drawn is None else drawn[::-1]
    elif lost > 0:
        flank = flanks.read(its["chrom"], end, end + lost)
    window = alter(plus_strand(codes, its["strand"]), at, place.ref, place.alt, anchor, flank)
    return plus_strand(window, its["strand"])


def _table(
    trained: Trained,
    places: pd.DataFrame,
    names: np.ndarray,
    reference: np.ndarray,
    effect: np.ndarray,
    all_folds: bool,
) -> pd.DataFrame:
    """Lay out the effects, a row for each variant, window and label."""
    var, windows = trained.dataset.var.iloc[places["row"]], trained.windows.iloc[places["row"]]
    starts = places["start"].to_numpy()
    at = starts - windows["start"].to_numpy()
    behind = windows["end"].to_numpy() - starts - places["ref"].str.len().to_numpy()
    minus = windows["strand"].to_numpy() == "-"
    about = {
        "variant": places["variant"],
        "chrom": places["chrom"],
        "position": places["start"] + 1,
        "ref": places["ref"],
        "alt": places["alt"],
        "sequence": var.index.to_numpy(),
        **({"gene_name": var["gene_name"].to_numpy()} if "gene_name" in var else {}),
        "offset": np.where(minus, behind, at),
        "fold": "" if all_folds else trained.test_fold[places["row"]].astype(str),
    }
    table = pd.DataFrame(about).loc[np.repeat(np.arange(len(places)), len(names))]
    several = len(effect) > 1
    return table.assign(
        label=np.tile(names, len(places)),
        reference=reference.mean(axis=0).ravel(),
        effect=effect.mean(axis=0).ravel(),
        spread=effect.std(axis=0).ravel() if several else np.nan,
    ).reset_index(drop=True)
