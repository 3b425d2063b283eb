"""Tables of numbers by gene that users bring: measured half-lives, bulk expression."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from cisgrammar.common.errors import InputError, Problems
from cisgrammar.common.inputs import examples, nearest, share
from cisgrammar.data.text_tables import read_text_table
from cisgrammar.genome.gene_match import match_genes

logger = logging.getLogger(__name__)

_MISSING = ("", "NA", "NaN", "nan", "None")


def read_numbers(
    path: str | Path, key: str, columns: Sequence[str] | None = None, least: float | None = None
) -> pd.DataFrame:
    """Read a table of genes and numbers.

    Parameters
    ----------
    path
        TSV or CSV, plain or gzip: a header, gene ids or names first, then columns.
    key
        The config's key that names the file, for messages.
    columns
        Those to read; None takes all that hold numbers throughout.
    least
        The least value that makes sense, if there is one.

    Returns
    -------
    Index gene, float64 columns; NaN where a value is missing (empty or NA).

    Raises
    ------
    InputError
        If it is not a table, a gene comes twice, a column is not there, or a value is not a number.
    """
    frame = _read_text(path, key)
    problems = Problems()
    again = frame.index[frame.index.duplicated()].unique()
    if len(again):
        problems.add(
            f"{path}: {len(again):,} genes come more than once ({examples(again)}). Each gene must "
            f"have one line in the table of `{key}`: keep one, or average them."
        )
    for column in [column for column in columns or [] if column not in frame]:
        problems.add(
            f"{path}: there is no column `{column}`; the columns are {examples(frame, 12)}."
            f"{nearest(column, frame)} Correct the columns of `{key}`."
        )
    problems.raise_if_any()
    text = frame[list(frame if columns is None else columns)]
    text = text.mask(text.isin(_MISSING))
    numbers = text.apply(pd.to_numeric, errors="coerce").astype(float)
    wrong = (numbers.isna() | np.isinf(numbers)) & text.notna()
    if columns is None:
        numbers = numbers.loc[:, ~wrong.any()]
        if numbers.empty:
            raise InputError(
                f"{path}: no column holds numbers throughout. `{key}` takes gene ids first and "
                "numbers after them: name the columns that hold these."
            )
    elif wrong.any(axis=None):
        row, column = np.argwhere(wrong.to_numpy())[0]
        problems.add(
            f"{path}: {int(wrong.sum().sum()):,} values are not numbers, the first "
            f"{text.iloc[row, column]!r} of {text.index[row]} in column `{text.columns[column]}`. "
            f"Leave missing values empty or write NA, or name other columns in `{key}`."
        )
    if least is not None and (numbers < least).any(axis=None):
        problems.add(
            f"{path}: {int((numbers < least).sum().sum()):,} values are below {least:g}, which "
            f"cannot be (`{key}`). They are probably logarithms already; see config/README.md."
        )
    problems.raise_if_any()
    return numbers


def _read_text(path: str | Path, key: str) -> pd.DataFrame:
    frame = read_text_table(path, key, "\t,")
    if frame.empty:
        raise InputError(
            f"{path}: this is not a table of genes: it needs a header and two or more columns "
            f"separated by tabs or commas, gene ids first. Correct `{key}`."
        )
    return frame


def by_gene(
    numbers: pd.DataFrame, genes: pd.DataFrame, path: str | Path, key: str, min_overlap: float
) -> pd.DataFrame:
    """Give a table's numbers in the order of genes, joined by id, else by name.

    Parameters
    ----------
    numbers
        As from :func:`read_numbers`.
    genes
        Index id, column ``gene_name``.
    path, key
        The table and the config's key, for messages.
    min_overlap
        Least share of the smaller side that must be on the other.

    Returns
    -------
    Genes x columns; NaN for genes that are not in the table. How many is logged.

    Raises
    ------
    InputError
        If too few genes are in both.
    """
    known = pd.DataFrame({"gene_id": genes.index, "gene_name": genes["gene_name"].to_numpy()})
    rows = match_genes(list(numbers.index), known).rows
    n = int((rows >= 0).sum())
    if not n or share(n, min(len(numbers), len(genes))) < min_overlap:
        raise InputError(
            f"{path}: only {n:,} of its {len(numbers):,} genes ({examples(numbers.index)}) are "
            f"among the {len(genes):,} of the data ({examples(genes.index)}; names "
            f"{examples(genes['gene_name'])}). The table names genes in another way or is of "
            f"another species: name genes as the annotation does in the table of `{key}`."
        )
    logger.info("%s: %d of %d genes of the data are in it", path, n, len(genes))
    joined = pd.DataFrame(np.nan, index=genes.index, columns=numbers.columns)
    joined.iloc[rows[rows >= 0]] = numbers[rows >= 0].to_numpy()
    return joined
