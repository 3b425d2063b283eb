"""Alleles of variants: against the genome, and the sequences that they make of windows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cisgrammar.common.errors import InputError
from cisgrammar.genome.sequence import COMPLEMENT, N, encode

MOST_MISMATCHES = 0.5  # share of the variants above which they are of another genome
MISMATCH = "the reference allele is not what the genome has"
OTHER_STRAND = f"{MISMATCH}, but fits its other strand"
SWAPPED = f"{MISMATCH}, but the alternative one is"


def trimmed(start: int, ref: str, alt: str) -> tuple[int, str, str]:
    """Leave out the bases that two alleles share at their ends.

    Parameters
    ----------
    start
        Where the reference allele begins, 0-based.
    ref, alt
        The alleles.

    Returns
    -------
    Where the bases that differ begin, and these: no reference base of an insertion, no
    alternative one of a deletion.

    Examples
    --------
    >>> trimmed(10, "ACC", "AC")
    (12, 'C', '')
    >>> trimmed(10, "A", "AGG")
    (11, '', 'GG')
    """
    first = 0
    while first < min(len(ref), len(alt)) and ref[first] == alt[first]:
        first += 1
    ref, alt = ref[first:], alt[first:]
    last = 0
    while last < min(len(ref), len(alt)) and ref[-1 - last] == alt[-1 - last]:
        last += 1
    return start + first, ref[: len(ref) - last], alt[: len(alt) - last]


def alter(
    context: np.ndarray,
    at: int,
    ref: str,
    alt: str,
    anchor: int,
    margin: int = 0,
    shift: int = 0,
) -> np.ndarray:
    """Put an allele into a window, whose length stays.

    Parameters
    ----------
    context
        Codes along the plus strand: the window, with ``margin`` bases on either side.
    at
        Where the reference allele begins, from the window's first base.
    ref, alt
        The alleles.
    anchor
        A place in the window that keeps its position, such as the TSS: what is inserted before it
        pushes bases out of the left end, what is inserted after it out of the right one, and
        deletions draw bases in: from the margin, and N beyond it.
    margin
        How many bases are known beyond the window.
    shift
        How far the window is moved to the right, at most ``margin``.

    Returns
    -------
    The altered codes, ``(length,)``.

    Examples
    --------
    >>> from cisgrammar.genome.sequence import decode
    >>> decode(alter(encode("AACCGGTT"), 2, "C", "CTT", anchor=6))
    'CTTCGGTT'
    >>> decode(alter(encode("GAACCGGTTG"), 2, "CC", "C", anchor=0, margin=1))
    'AACGGTTG'
    """
    length, grows = len(context) - 2 * margin, len(alt) - len(ref)
    unknown = np.full(max(0, -grows - margin + abs(shift)), N, dtype=np.uint8)
    before, after = context[: margin + at], context[margin + at + len(ref) :]
    altered = np.concatenate([unknown, before, encode(alt), after, unknown])
    first = len(unknown) + margin + shift + (grows if at < anchor else 0)
    return altered[first : first + length]


def compare_reference(there: np.ndarray, ref: str, alt: str) -> str:
    """Say what is wrong with a reference allele; N on either side matches anything.

    Parameters
    ----------
    there
        What the genome has in its place.
    ref, alt
        The alleles.

    Returns
    -------
    Nothing where it fits, else :data:`SWAPPED`, :data:`OTHER_STRAND` or :data:`MISMATCH`.
    """
    if _same(there, ref):
        return ""
    if _same(there, alt):
        return SWAPPED
    return OTHER_STRAND if _same(there, reverse_complement_letters(ref)) else MISMATCH


def _same(there: np.ndarray, allele: str) -> bool:
    codes = encode(allele)
    if len(codes) != len(there):
        return False
    return bool(((there == codes) | (there == N) | (codes == N)).all())


def refuse_another_genome(found: Sequence[str], where: str) -> None:
    """Stop where most reference alleles are not those of the genome.

    Parameters
    ----------
    found
        Of each variant, from :func:`compare_reference`.
    where
        Which variants these are, for the message.

    Raises
    ------
    InputError
        With the likely cause.
    """
    n, wrong = len(found), len(found) - list(found).count("")
    if wrong <= MOST_MISMATCHES * n:
        return
    swapped, turned = list(found).count(SWAPPED), list(found).count(OTHER_STRAND)
    if swapped > wrong / 2:
        cause = (
            f"In {swapped:,} the alternative allele is that of the genome: the two columns are "
            "swapped, or the reference allele is the minor one. Put that of the genome first."
        )
    elif turned > wrong / 2:
        cause = (
            f"{turned:,} fit the other strand: alleles are written along genes or probes. Turn "
            "them to the plus strand of the genome."
        )
    else:
        cause = (
            f"{swapped:,} would fit with alleles swapped and {turned:,} on the other strand, which "
            "is what chance gives: they are of another assembly, or positions do not count from "
            "1. Lift them over, or take the file of this assembly."
        )
    raise InputError(
        f"{where}: {wrong:,} of {n:,} have another reference allele than the genome. {cause}"
    )


def reverse_complement_letters(letters: str) -> str:
    """Read letters on the other strand.

    Examples
    --------
    >>> reverse_complement_letters("ACCN")
    'NGGT'
    """
    return "".join("ACGTN"[COMPLEMENT["ACGTN".index(letter)]] for letter in reversed(letters))
