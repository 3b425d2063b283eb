"""Variants of VCF files and tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from cisgrammar.common.errors import InputError, Problems
from cisgrammar.common.inputs import open_text, require_file

VARIANT_COLUMNS = ["variant", "chrom", "start", "ref", "alt"]
FIRST_COLUMNS = ("#CHROM", "POS", "ID", "REF", "ALT")
TABLE_COLUMNS = {  # of a table, and other names of theirs
    "chrom": ("chrom", "chr", "chromosome"),
    "position": ("position", "pos"),
    "ref": ("ref", "reference"),
    "alt": ("alt", "alternative"),
}
NAME_COLUMNS = ("variant", "id", "rsid", "name")
NO_LETTERS = "no letters: a symbolic allele or a breakend"
MAX_PROBLEMS = 10
_LETTERS = re.compile(r"[ACGTNacgtn]+")
# of bgzip: how a file begins (two bytes of its extra field) and the empty block at its end
_BGZIP = b"BC"
_END_OF_BGZIP = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


def read_variants(path: str | Path, key: str = "variants") -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read the variants of a VCF or a table.

    Parameters
    ----------
    path
        VCF, plain, gzip or bgzip, in any order; genotypes are not looked at. Or a table with a
        header, separated by tabs or commas: chrom, position (from 1), ref and alt, which may be
        called otherwise (:data:`TABLE_COLUMNS`), and if it likes the variant's name.
    key
        The config's key that names the file, for messages.

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
        If the file breaks off, is neither, or lines have no position or no letters.
    """
    rows, skipped, problems = [], [], Problems()
    for number, fields in variant_lines(path, key):
        if what := _wrong(fields):
            if len(problems.messages) < MAX_PROBLEMS:
                problems.add(f"{path}: line {number} {what}")
            continue
        chrom, position, name, ref, alts = fields[:5]
        for alt in alts.split(","):
            place = f"{chrom}:{position}:{ref}:{alt}"
            its = place if name in (".", "") or "," in alts else name
            row = (its, chrom, int(position) - 1, ref.upper(), alt.upper())
            if _LETTERS.fullmatch(alt):
                rows.append(row)
            else:
                skipped.append((*row[:4], alt, NO_LETTERS))
    problems.raise_if_any()
    if not rows and not skipped:
        raise InputError(f"{path}: no variant is in it. Was it filtered, or cut short?")
    return (
        pd.DataFrame(rows, columns=VARIANT_COLUMNS),
        pd.DataFrame(skipped, columns=[*VARIANT_COLUMNS, "reason"]),
    )


def variant_lines(
    path: str | Path, key: str = "variants", further: str | None = None
) -> Iterator[tuple[int, list[str]]]:
    """Give the number and the columns of each variant's line, as in a VCF.

    Of a table these are the five that hold chromosome, position, name and alleles, and then the
    one that is called ``further``, if it is asked for; empty where there is none.

    Raises
    ------
    InputError
        If the file breaks off, or has no header.
    """
    _check_end(path, key)
    with open_text(path, key) as stream:
        places: list[int] | None = None  # of the columns of a table
        header, separator = False, "\t"
        for number, line in enumerate(stream, 1):
            if line.startswith("##") or not line.strip():
                continue
            fields = line.rstrip("\r\n").split(separator)
            if header and not line.startswith("#"):
                if places is not None:
                    found = [fields[i] if 0 <= i < len(fields) else "" for i in places]
                    fields = found if max(places) < len(fields) else fields[:1]
                yield number, fields
                continue
            if tuple(fields[:5]) == FIRST_COLUMNS:
                header = True
                continue
            separator = "\t" if "\t" in line else ","
            places = _places(line.rstrip("\r\n").lstrip("#").split(separator), further)
            header = places is not None
            if not header:
                raise InputError(
                    f"{path}: line {number} comes before a header line that begins with "
                    f"{' '.join(FIRST_COLUMNS)}, separated by tabs, as a VCF has it. A table "
                    f"has a first line with the columns {', '.join(TABLE_COLUMNS)}."
                )


def is_vcf(path: str | Path) -> bool:
    """Tell a VCF from a table, by its first line."""
    with open_text(path, "variants") as stream:
        return stream.readline().startswith(("##", "#CHROM\t"))


def _places(header: list[str], further: str | None) -> list[int] | None:
    """Find the columns of a table in the order of a VCF; -1 of those that may be missing."""
    names = [name.strip().lower() for name in header]
    chrom, position, ref, alt = (
        next((names.index(name) for name in others if name in names), None)
        for others in TABLE_COLUMNS.values()
    )
    name = next((names.index(name) for name in NAME_COLUMNS if name in names), -1)
    if chrom is None or position is None or ref is None or alt is None:
        return None
    more = [] if further is None else [names.index(further) if further in names else -1]
    return [chrom, position, name, ref, alt, *more]


def _check_end(path: str | Path, key: str) -> None:
    """Refuse bgzip that was cut between two of its blocks, which gzip takes for whole."""
    with require_file(path, key).open("rb") as raw:
        if raw.read(18)[12:14] != _BGZIP:
            return
        raw.seek(-min(len(_END_OF_BGZIP), raw.seek(0, 2)), 2)
        if raw.read() != _END_OF_BGZIP:
            raise InputError(
                f"{path}: the file is in bgzip, but the block that ends such a file is missing. "
                "The download or copy was cut short: fetch the file again."
            )


def _wrong(fields: list[str]) -> str | None:
    if len(fields) < 5:
        return f"has {len(fields)} columns, not at least 5. Are they separated by tabs?"
    if not re.fullmatch(r"[1-9][0-9]{0,11}", fields[1]):
        return (
            f"has the position `{fields[1][:30]}`, which is not a number from 1. Is the file a VCF?"
        )
    if not _LETTERS.fullmatch(fields[3]):
        return (
            f"has the reference allele `{fields[3][:30]}`, which is not of A, C, G, T and N. Write "
            "N for other letters."
        )
    return None
