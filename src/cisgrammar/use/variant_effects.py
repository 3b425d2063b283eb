"""What variants do to predictions: reference against alternative allele, in every window."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pandas as pd
from pyfaidx import Fasta

from cisgrammar.common.errors import InputError
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
        genome.

    Notes
    -----
    Windows keep their length: what is inserted or deleted between the window's start and its
    anchor moves that end, else the other one (:func:`cisgrammar.genome.variants.alter`). The
    anchor is the TSS where the data have it (``TSS``), else the middle.
    """
    places, skipped = _place(trained, variants.reset_index(drop=True), all_folds)
    _check_references(trained, places, skipped)
    wrong = places["reason"] != ""
    skipped += places[wrong].to_dict("records")
    places = places[~wrong].reset_index(drop=True)
    labels = trained.labels(by)
    folds = list(trained.models)
    pairs = [
        (fold, np.flatnonzero(all_folds | (trained.test_fold[places["row"]] == fold)))
        for fold in folds
    ]
    n_labels = labels.nunique()
    reference = np.full((len(folds), len(places), n_labels), np.nan, np.float32)
    effect = reference.copy()
    for i, (fold, its) in enumerate(pairs):
        for first in range(0, len(its), AT_ONCE):
            part = its[first : first + AT_ONCE]
            reference[i, part], effect[i, part] = _ask(
                trained, fold, places.iloc[part], labels, genome
            )
    return (
        _table(trained, places, labels, folds, reference, effect, all_folds),
        _reasons(variants, skipped),
    )


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


def _check_references(
    trained: Trained, places: pd.DataFrame, skipped: list[dict[str, Any]]
) -> None:
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


def _ask(
    trained: Trained, fold: int, places: pd.DataFrame, labels: pd.Series, genome: Fasta | None
) -> tuple[np.ndarray, np.ndarray]:
    """Predict windows with the reference, and what the other allele changes."""
    rows, inverse = np.unique(places["row"].to_numpy(), return_inverse=True)
    codes = np.asarray(trained.dataset.varm["codes"][rows])
    reference = trained.predicted(fold, codes, labels, rows)
    altered = np.stack(
        [
            _altered(trained, codes[i], place, genome)
            for i, place in zip(inverse, places.itertuples(), strict=True)
        ]
    )
    alternative = trained.predicted(fold, altered, labels, rows[inverse])
    return reference[inverse], alternative - reference[inverse]


def _altered(trained: Trained, codes: np.ndarray, place: Any, genome: Fasta | None) -> np.ndarray:
    its = trained.windows.iloc[place.row]
    start, end, strand = int(its["start"]), int(its["end"]), its["strand"]
    anchor = int(its["anchor"])
    at, lost = place.start - start, len(place.ref) - len(place.alt)
    flank = None
    if lost > 0 and genome is not None:
        chrom = match_chromosomes([its["chrom"]], genome.keys())[its["chrom"]]
        if at < anchor:
            letters = str(genome[chrom][max(start - lost, 0) : start])[::-1]
        else:
            letters = str(genome[chrom][end : end + lost])
        flank = encode(letters)
    window = alter(plus_strand(codes, strand), at, place.ref, place.alt, anchor, flank)
    return plus_strand(window, strand)


def _table(
    trained: Trained,
    places: pd.DataFrame,
    labels: pd.Series,
    folds: list[int],
    reference: np.ndarray,
    effect: np.ndarray,
    all_folds: bool,
) -> pd.DataFrame:
    """Lay out the effects, a row for each variant, window and label."""
    var, names = trained.dataset.var.iloc[places["row"]], pd.unique(labels)
    windows = trained.windows.iloc[places["row"]]
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
    several = all_folds and len(folds) > 1
    spread = effect.std(axis=0) if several else np.full(effect.shape[1:], np.nan)
    return table.assign(
        label=np.tile(names, len(places)),
        reference=np.nanmean(reference, axis=0).ravel() if len(places) else [],
        effect=np.nanmean(effect, axis=0).ravel() if len(places) else [],
        spread=spread.ravel(),
    ).reset_index(drop=True)


def _reasons(variants: pd.DataFrame, skipped: list[dict[str, Any]]) -> pd.DataFrame:
    columns = ["variant", "chrom", "start", "ref", "alt", "reason"]
    return pd.DataFrame(skipped, columns=columns)
