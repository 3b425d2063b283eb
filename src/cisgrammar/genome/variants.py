"""Variants of VCF files, and the sequences that they make of windows."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd

from cisgrammar.common.errors import InputError, Problems
from cisgrammar.common.inputs import open_text
from cisgrammar.genome.sequence import COMPLEMENT, N, encode

VARIANT_COLUMNS = ["variant", "chrom", "start", "ref", "alt"]
FIRST_COLUMNS = ("#CHROM", "POS", "ID", "REF", "ALT")
MAX_PROBLEMS = 10
_LETTERS = re.compile(r"[ACGTNacgtn]+")


def read_variants(path: str | Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read the variants of a VCF.

    Parameters
    ----------
    path
        VCF, plain, gzip or bgzip, in any order. Genotypes are not looked at.

    Returns
    -------
    variants
        A row for each alternative allele: variant (the id, or ``chrom:pos:ref:alt`` where that is
        ``.`` or several alleles share it), chrom, start (0-based), ref, alt in upper case.
    skipped
        Symbolic alleles, breakends and ``*``: variant, chrom, start, ref, alt, reason.

    Raises
    ------
    InputError
        If the file breaks off, is no VCF, or lines have no position or no letters.
    """
    rows, skipped, problems, header = [], [], Problems(), False
    with open_text(path, "variants") as stream:
        for number, line in enumerate(stream, 1):
            if line.startswith("##") or not line.strip():
                continue
            fields = line.rstrip("\r\n").split("\t")
            if line.startswith("#"):
                header = tuple(fields[:5]) == FIRST_COLUMNS
                continue
            if not header:
                raise InputError(
                    f"{path}: line {number} comes before a header line that begins with "
                    f"{' '.join(FIRST_COLUMNS)}, separated by tabs. Variants are read from VCF: "
                    "convert tables of variants to it."
                )
            if what := _wrong(fields):
                if len(problems.messages) < MAX_PROBLEMS:
                    problems.add(f"{path}: line {number} {what}")
                continue
            chrom, position, name, ref, alts = fields[:5]
            for alt in alts.split(","):
                place = f"{chrom}:{position}:{ref}:{alt}"
                its = place if name == "." or "," in alts else name
                row = (its, chrom, int(position) - 1, ref.upper(), alt.upper())
                if _LETTERS.fullmatch(alt):
                    rows.append(row)
                else:
                    skipped.append((*row[:4], alt, "no letters: a symbolic allele or a breakend"))
    problems.raise_if_any()
    if not rows and not skipped:
        raise InputError(f"{path}: no variant is in it. Was it filtered, or cut short?")
    return (
        pd.DataFrame(rows, columns=VARIANT_COLUMNS),
        pd.DataFrame(skipped, columns=[*VARIANT_COLUMNS, "reason"]),
    )


def _wrong(fields: list[str]) -> str | None:
    if len(fields) < 5:
        return f"has {len(fields)} columns, not at least 5. Are they separated by tabs?"
    if not re.fullmatch(r"[1-9][0-9]{0,11}", fields[1]):
        return f"has the position `{fields[1][:30]}`, which is no number from 1. Is the file a VCF?"
    if not _LETTERS.fullmatch(fields[3]):
        return (
            f"has the reference allele `{fields[3][:30]}`, which is not of A, C, G, T and N. Write "
            "N for other letters."
        )
    return None


def alter(
    window: np.ndarray, at: int, ref: str, alt: str, anchor: int, flank: np.ndarray | None = None
) -> np.ndarray:
    """Put an allele into a window, whose length stays.

    Parameters
    ----------
    window
        Codes along the plus strand, ``(length,)``.
    at
        Where the reference allele begins in it.
    ref, alt
        The alleles.
    anchor
        A place in the window that keeps its position, such as the TSS: what is inserted before it
        pushes bases out of the left end, what is inserted after it out of the right one, and
        deletions draw bases in.
    flank
        The bases beyond the end that a deletion draws from, nearest first; N where they are not
        known.

    Returns
    -------
    The altered codes, ``(length,)``.

    Examples
    --------
    >>> from cisgrammar.genome.sequence import decode
    >>> decode(alter(encode("AACCGGTT"), 2, "C", "CTT", anchor=6))
    'CTTCGGTT'
    >>> decode(alter(encode("AACCGGTT"), 2, "CC", "C", anchor=0))
    'AACGGTTN'
    """
    length, grows = len(window), len(alt) - len(ref)
    parts = [window[:at], encode(alt), window[at + len(ref) :]]
    left = at < anchor
    if grows < 0:
        drawn = np.full(-grows, N, dtype=np.uint8)
        if flank is not None:
            drawn[: len(flank)] = flank[:-grows]
        parts = [drawn[::-1], *parts] if left else [*parts, drawn]
    altered = np.concatenate(parts)
    return altered[-length:] if left else altered[:length]


def reverse_complement_letters(letters: str) -> str:
    """Read letters on the other strand.

    Examples
    --------
    >>> reverse_complement_letters("ACCN")
    'NGGT'
    """
    return "".join("ACGTN"[COMPLEMENT["ACGTN".index(letter)]] for letter in reversed(letters))
