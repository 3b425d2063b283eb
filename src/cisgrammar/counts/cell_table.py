"""A separate table of cells, joined to the counts by barcode."""

from __future__ import annotations

import csv
import logging
import re
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd

from cisgrammar.common.errors import InputError
from cisgrammar.common.inputs import examples, nearest, open_text, share, time_limit

logger = logging.getLogger(__name__)

KEY = "counts.cell_table"
LEAST_SHARE = 0.5
LONGEST_MATCHING = 60.0  # seconds for the names of all cells
_QUOTED = "\ue000"  # a mark that Unicode leaves to private use
USUAL_SUFFIXES = (r"-\d+$", r"_\d+$", r"[-_].*$", r"^.*[:#_]")


def add_cell_table(
    path: str | Path,
    obs: pd.DataFrame,
    table: str | Path,
    ignore: str | None = None,
    column: str | None = None,
) -> pd.DataFrame:
    r"""Add the columns of a table to the cells.

    Parameters
    ----------
    path
        The counts, for messages.
    obs
        One row per cell.
    table
        TSV or CSV, plain or gzip: a column of barcodes and any others. An empty value is missing;
        so is NA without quotes in a column of numbers, and in a table that has its text in quotes,
        as R writes it. Elsewhere NA is a label.
    ignore
        Regular expression; what it matches is left out of the barcodes on both
        sides before they are compared, e.g. ``-\d+$`` for a suffix ``-1``.
    column
        The column of barcodes; None: the first.

    Returns
    -------
    obs with the columns added; a column of the same name gives way. Cells that
    are not in the table have missing values.

    Raises
    ------
    InputError
        If the table cannot be read, names a barcode twice, or has fewer than
        half of the cells.
    """
    cells = _read_cells(table, column)
    here = simplify(obs.index, ignore)
    cells.index = simplify(cells.index, ignore)
    again = cells.index[cells.index.duplicated()].unique()
    if len(again):
        cause = f" once `{ignore}` is left out" if ignore else ""
        raise InputError(
            f"{table}: {len(again):,} barcodes come more than once{cause}: {examples(again)}. "
            "Each cell must have one line; if the table is of several runs, split it."
        )
    found = here.isin(cells.index)
    if found.mean() < LEAST_SHARE:
        raise InputError(_no_match(path, table, obs.index, cells.index, int(found.sum())))
    logger.info("%s: %d of %d cells are in %s", path, found.sum(), len(found), table)
    added = cells.reindex(here).set_axis(obs.index)
    return obs.drop(columns=obs.columns.intersection(added.columns)).join(added)


def add_columns_of_names(
    path: str | Path, obs: pd.DataFrame, columns: Mapping[str, str]
) -> pd.DataFrame:
    """Read columns out of the cells' names, as GEO's tables have them.

    Parameters
    ----------
    path
        The counts, for messages.
    obs
        One row per cell.
    columns
        Name of the new column -> regular expression whose one group is the value, e.g.
        ``_(Stressed|Unstressed)_``.

    Returns
    -------
    obs with the columns; cells whose name does not match have missing values.

    Raises
    ------
    InputError
        If one is not a regular expression, or matches no name.
    """
    found = {}
    for column, text in columns.items():
        key = f"counts.columns_in_barcodes.{column}"
        try:
            pattern = re.compile(text)
        except re.error as error:
            raise InputError(f"{key}: {text!r} is not a regular expression ({error}).") from None
        if pattern.groups != 1:
            raise InputError(
                f"{key}: {text!r} has {pattern.groups} groups. Put brackets around what is the "
                "value, and around nothing else: `_(Stressed|Unstressed)_`."
            )
        with time_limit(LONGEST_MATCHING, _endless(key, text)):
            matches = [pattern.search(str(name)) for name in obs.index]
        if not any(matches):
            raise InputError(
                f"{path}: {text!r} (`{key}`) matches none of the cells' names "
                f"({examples(obs.index)}). Correct the regular expression."
            )
        found[column] = [match and match[1] for match in matches]
    return obs.assign(**found)


def _read_cells(table: str | Path, column: str | None) -> pd.DataFrame:
    with open_text(table, KEY) as stream:
        lines = [line.rstrip("\r\n") for line in stream if line.strip()]
    separator = "\t" if lines and "\t" in lines[0] else ","
    try:
        marked = [*lines[:1], *map(_mark_na(separator), lines[1:])]
        rows = list(csv.reader(marked, delimiter=separator))
    except csv.Error as error:
        raise InputError(
            f"{table}: this is not a sound table ({error}). Check its quotes."
        ) from None
    if len(rows) < 2 or len(rows[0]) < 1 or len(rows[1]) < 2:
        raise InputError(
            f"{table}: this is not a table of cells: it needs a header and two or more columns "
            f"separated by tabs or commas, barcodes first. Correct `{KEY}`."
        )
    header, *cells = rows
    if len(cells[0]) == len(header) + 1:  # R leaves out the name of the first column
        header = ["", *header]
    again = [name for name, times in Counter(header).items() if times > 1]
    if again:
        raise InputError(
            f"{table}: the header has the same name more than once ({examples(again)}). "
            "Each column must have a name of its own."
        )
    bad = [number for number, row in enumerate(cells, start=2) if len(row) != len(header)]
    if bad:
        raise InputError(
            f"{table}: line {bad[0]} has {len(cells[bad[0] - 2])} columns, not {len(header)} as "
            f"the header ({len(bad):,} such lines). A separator within a value needs quotes "
            "around the value."
        )
    frame = pd.DataFrame(cells, columns=header, dtype=object)
    if column is not None and column not in frame:
        raise InputError(
            f"{table}: there is no column `{column}`; the columns are {examples(header, 12)}."
            f"{nearest(column, header)} Set `counts.cell_column` to the one with the barcodes, or "
            "leave it out if they are in the first."
        )
    frame = frame.set_index(column or frame.columns[0]).rename_axis(None)
    frame.index = frame.index.str.removeprefix(_QUOTED)
    in_quotes = lines[0].startswith('"')
    for name in frame.columns[(frame == "NA").any()]:
        frame[name] = _known(table, frame[name], in_quotes)
    return frame.replace({"": None, f"{_QUOTED}NA": "NA"})


def _mark_na(separator: str) -> Callable[[str], str]:
    """Make a function that marks NA in quotes, which csv does not tell from NA without."""
    field = re.compile(f'(^|{separator})"NA"(?=$|{separator})')
    return lambda line: field.sub(rf'\1"{_QUOTED}NA"', line)


def _known(table: str | Path, values: pd.Series, in_quotes: bool) -> pd.Series:
    """Empty NA without quotes where it is missing: among numbers, or beside text in quotes."""
    bare = values == "NA"
    numbers = pd.to_numeric(values[~bare & (values != "")], errors="coerce")
    if in_quotes or numbers.notna().all():
        return values.mask(bare, "")
    logger.warning(
        "%s: %d cells have NA in the column `%s`, which is taken for a label as the others are; "
        "where a value is missing, leave it empty", table, bare.sum(), values.name,
    )  # fmt: skip
    return values


def simplify(barcodes: pd.Index, ignore: str | None) -> pd.Index:
    """Leave out of barcodes what a regular expression matches.

    Raises
    ------
    InputError
        If it is not a regular expression.
    """
    if ignore is None:
        return pd.Index(barcodes.astype(str))
    try:
        pattern = re.compile(ignore)
    except re.error as error:
        raise InputError(
            f"counts.ignore_in_barcodes: {ignore!r} is not a regular expression ({error}). "
            r"For a suffix such as -1 write -\d+$."
        ) from None
    with time_limit(LONGEST_MATCHING, _endless("counts.ignore_in_barcodes", ignore)):
        return pd.Index([pattern.sub("", str(barcode)) for barcode in barcodes])


def _endless(key: str, pattern: str) -> str:
    return (
        f"{key}: comparing the cells' names with {pattern!r} does not end. Repeats within repeats, "
        "as in (a+)+, take that long: write it without them."
    )


def _no_match(
    path: str | Path, table: str | Path, here: pd.Index, there: pd.Index, n_found: int
) -> str:
    remedy = suffix_remedy(here, there) or "Name the table that belongs to these counts."
    return (
        f"{table}: only {n_found:,} of the {len(here):,} cells of {path} are in the table "
        f"({examples(here)} in the counts, {examples(there)} in the table). {remedy}"
    )


def suffix_remedy(here: pd.Index, there: pd.Index) -> str:
    """Say which usual suffix or prefix keeps barcodes apart; empty when none does."""
    for suffix in USUAL_SUFFIXES:
        common = simplify(here, suffix).isin(simplify(there, suffix))
        if share(int(common.sum()), len(here)) >= LEAST_SHARE:
            return (
                f"Without what matches {suffix} {common.sum():,} would be: set "
                f"`counts.ignore_in_barcodes: '{suffix}'`."
            )
    return ""
