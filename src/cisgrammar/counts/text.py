"""Counts in text: Cell Ranger's mtx folder, and tables of genes x cells."""

from __future__ import annotations

import contextlib
import csv
import itertools
import re
from pathlib import Path
from typing import IO

import numpy as np
import pandas as pd
import scipy.sparse as sp

from cisgrammar.common.errors import InputError
from cisgrammar.common.inputs import examples, open_binary, open_text
from cisgrammar.counts.raw import RawCounts, features_of

KEY = "counts.path"
BLOCK_GENES = 1024
LONGEST_LINE = 10_000
BLOCK_VALUES = 10_000_000
LEAST_BYTES = 6  # of a value: "1 1 1" and a new line
MOST_PACKED = 1100  # times that gzip packs at most
NAMELESS = "table without names"

_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")


def read_10x_mtx(folder: Path, modality: str | None) -> RawCounts:
    """Read ``matrix.mtx``, ``features.tsv`` (or ``genes.tsv``) and ``barcodes.tsv``.

    Each may be gzipped, and all may have the same prefix, as GEO has them.

    Raises
    ------
    InputError
        If one is missing or damaged, or they do not fit each other.
    """
    matrix = _only(folder, "matrix.mtx")
    features = _columns(_only(folder, "features.tsv", "genes.tsv"))
    barcodes = _columns(_only(folder, "barcodes.tsv"))
    with open_binary(matrix, KEY) as stream:
        n_values = _check_sizes(folder, matrix, stream, len(barcodes), len(features))
        try:
            rows, columns, values = _coordinates(stream, n_values)
        except (ValueError, OverflowError) as error:
            raise InputError(
                f"{matrix}: this is not a sound Matrix Market file ({_first_line(error)}). "
                "The download or copy was probably cut short: fetch it again."
            ) from None
    if n_values and not (
        1 <= rows.min() <= rows.max() <= len(features)
        and 1 <= columns.min() <= columns.max() <= len(barcodes)
    ):
        raise InputError(
            f"{matrix}: it has values outside of its {len(features):,} genes x {len(barcodes):,} "
            "cells. The file is damaged: fetch it again."
        )
    shape = (len(barcodes), len(features))
    counts = sp.csr_matrix((values, (columns - 1, rows - 1)), shape=shape)
    counts.sum_duplicates()
    names = features[min(1, features.shape[1] - 1)]
    var = pd.DataFrame({"gene_name": names.to_numpy()}, index=features[0].to_numpy())
    if features.shape[1] > 2:
        keep = features_of(folder, features[2].to_numpy(), modality)
        var["feature_types"] = features[2].to_numpy()
        counts, var = counts[:, keep], var[keep]
    obs = pd.DataFrame(index=barcodes[0].to_numpy())
    return RawCounts("10x mtx", obs, var, counts.data, counts)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")


def _coordinates(stream: IO[bytes], n_values: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Read gene, cell (both from 1) and value of each line after the sizes, in blocks.

    Not with scipy, whose reader ends the process at some damaged files.

    Raises
    ------
    ValueError
        If a line holds anything but three numbers, or there are more or fewer lines.
    """
    kinds = {"row": np.int32, "column": np.int32, "value": np.float64, "more": str}
    blocks = pd.read_csv(
        stream,
        sep=r"\s+",
        header=None,
        names=list(kinds),
        index_col=False,
        dtype=kinds,
        comment="%",
        keep_default_na=False,
        na_values={"more": [""]},
        quoting=csv.QUOTE_NONE,
        encoding="latin-1",
        chunksize=BLOCK_VALUES,
    )
    parts: list[tuple[np.ndarray, ...]] = []
    with contextlib.suppress(pd.errors.EmptyDataError), blocks:  # no value at all
        for block in blocks:
            if block["more"].notna().any():
                raise ValueError("a line has more than three numbers")
            parts.append(tuple(block[name].to_numpy() for name in ("row", "column", "value")))
    found = sum(len(part[0]) for part in parts)
    if found != n_values:
        raise ValueError(f"it has {found:,} values, not {n_values:,} as it says")
    if not parts:
        return np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0)
    rows, columns, values = (np.concatenate(column) for column in zip(*parts, strict=True))
    return rows, columns, values


def _check_sizes(folder: Path, matrix: Path, stream: IO[bytes], n_cells: int, n_genes: int) -> int:
    """Read the lines before the values; give the number of values, which is not just believed."""
    kind = stream.readline(LONGEST_LINE).lower().split()
    if kind[:3] != [b"%%matrixmarket", b"matrix", b"coordinate"] or kind[4:] != [b"general"]:
        shown = b" ".join(kind)[:60].decode("latin-1")
        raise InputError(
            f"{matrix}: this is not a Matrix Market file of Cell Ranger's kind (`%%MatrixMarket "
            f"matrix coordinate integer general`); it starts with {shown!r}. Write the counts as "
            "such, or as h5ad."
        )
    comment, sizes = b"%", b""
    while comment.startswith(b"%"):
        comment = sizes = stream.readline(LONGEST_LINE)
    fields = sizes.split()
    if len(fields) != 3 or not all(field.isdigit() and len(field) < 19 for field in fields):
        shown = sizes[:60].decode("latin-1").strip()
        raise InputError(
            f"{matrix}: this is not a sound Matrix Market file: where its sizes should be (genes, "
            f"cells, values) is {shown!r}. Sparse matrices of Cell Ranger's kind are read. Fetch "
            "it again."
        )
    rows, columns, n_values = map(int, fields)
    if (rows, columns) != (n_genes, n_cells):
        raise InputError(_wrong_sizes(folder, rows, columns, n_cells, n_genes))
    room = matrix.stat().st_size * (MOST_PACKED if matrix.suffix == ".gz" else 1)
    if n_values > min(rows * columns, room // LEAST_BYTES):
        raise InputError(
            f"{matrix}: this is not a sound Matrix Market file: it claims {n_values:,} values, "
            f"more than there can be in {rows:,} x {columns:,} or in its bytes. Fetch it again."
        )
    return n_values


def _wrong_sizes(folder: Path, rows: int, columns: int, n_cells: int, n_genes: int) -> str:
    """Say what is likely the matter where the matrix and its tables are of several sizes."""
    text = (
        f"{folder}: the matrix has {rows:,} genes x {columns:,} cells, but there are {n_genes:,} "
        f"genes and {n_cells:,} barcodes in the tables. "
    )
    if (rows, columns) == (n_cells, n_genes):
        return text + "The matrix is transposed, cells x genes: write it anew as genes x cells."
    if 0 <= n_genes - rows <= 1 and 0 <= n_cells - columns <= 1:
        which = [
            name
            for name, more in (("features", n_genes - rows), ("barcodes", n_cells - columns))
            if more
        ]
        return text + f"There is probably a header line in {' and '.join(which)}: remove it."
    return text + "The three files are not of one run: copy them together."


def _only(folder: Path, *names: str) -> Path:
    """Find the one file of that name, with or without a prefix and ``.gz``."""
    found = [p for name in names for end in ("", ".gz") for p in folder.glob(f"*{name}{end}")]
    if len(found) == 1:
        return found[0]
    if not found:
        there = examples(sorted(p.name for p in folder.iterdir()), 6)
        raise InputError(
            f"{folder}: there is no {' or '.join(names)} in this folder (plain or .gz); there are: "
            f"{there}. Name a folder of Cell Ranger, such as filtered_feature_bc_matrix, or a "
            f"file in `{KEY}`."
        )
    raise InputError(
        f"{folder}: there are {len(found)} files called {' or '.join(names)} in this folder: "
        f"{examples(sorted(p.name for p in found))}. Put each run in a folder of its own."
    )


def _columns(path: Path) -> pd.DataFrame:
    with open_text(path, KEY) as stream:
        rows = [line.rstrip("\r\n").split("\t") for line in stream if line.strip()]
    return pd.DataFrame(rows, dtype=object)


def read_table(path: Path) -> RawCounts:
    """Read genes x cells: a line of cell names, then a name and numbers for each gene.

    Tabs or commas, told by the first line; plain or gzip. A first line of numbers alone says that
    there are no names at all: cells and genes are then called 0, 1, ...

    Raises
    ------
    InputError
        If it is not such a table, or a value is not a number.
    """
    with open_text(path, KEY) as stream:
        header = stream.readline().rstrip("\r\n")
        separator = "\t" if "\t" in header else ","
        cells = _unquoted(header, separator)
        if header.startswith("\x89HDF"):
            raise InputError(
                f"{path}: this is an HDF5 file inside gzip. Unpack it (`gunzip {path}`) and name "
                f"the result in `{KEY}`."
            )
        if len(cells) < 2 or not all(cell.isprintable() for cell in cells):
            raise InputError(
                f"{path}: this is not a count matrix in a known format; it starts with "
                f"{header[:40]!r}. Known are h5ad, h5mu, loom, 10x h5, 10x mtx folders, and tables "
                f"of genes x cells with tabs or commas. Correct `{KEY}`."
            )
        n_cells = 0  # one less than the header where that has a name above the genes
        genes: list[str] = []
        blocks: list[sp.csr_matrix] = []
        rows: list[np.ndarray] = []
        nameless = all(_NUMBER.fullmatch(cell) for cell in cells)
        lines = itertools.chain([header] if nameless else [], stream)
        for number, line in enumerate(lines, start=1 if nameless else 2):
            if not line.strip():
                continue
            gene, *values = _unquoted(line.rstrip("\r\n"), separator)
            if nameless:
                gene, values = str(number - 1), [gene, *values]
            genes.append(gene)
            n_cells = n_cells or len(values)
            rows.append(_numbers(path, number, values, n_cells))
            if len(rows) == BLOCK_GENES:
                blocks.append(sp.csr_matrix(np.stack(rows)))
                rows = []
        if rows:
            blocks.append(sp.csr_matrix(np.stack(rows)))
    if not genes:
        raise InputError(f"{path}: there is a header and not one gene. Correct `{KEY}`.")
    if n_cells not in (len(cells), len(cells) - 1):
        raise InputError(
            f"{path}: the first line names {len(cells)} columns, but the first gene has {n_cells} "
            "values. The first line must name the cells, with or without a word above the genes."
        )
    counts = sp.vstack(blocks).T.tocsr()
    names = cells[len(cells) - n_cells :]
    if nameless:
        names = [str(i) for i in range(n_cells)]
    kind = NAMELESS if nameless else "table"
    obs, var = pd.DataFrame(index=names), pd.DataFrame(index=genes)
    return RawCounts(kind, obs, var, counts.data, counts)


def _unquoted(line: str, separator: str) -> list[str]:
    return [part.strip().strip('"') for part in line.split(separator)]


def _numbers(path: Path, number: int, values: list[str], n_cells: int) -> np.ndarray:
    if not values or len(values) != n_cells:
        raise InputError(
            f"{path}: line {number} has {len(values)} values, not {n_cells} as the first gene. "
            "Each line must have a gene's name and a number for every cell; the file is cut short "
            "or damaged there."
        )
    try:
        return np.array(values, dtype=np.float64)
    except ValueError as error:
        raise InputError(
            f"{path}: line {number} has a value that is not a number ({error}). A table of counts "
            "has genes in lines and cells in columns, the gene's name first and no other text: "
            "take out columns such as lengths, symbols or descriptions."
        ) from None
