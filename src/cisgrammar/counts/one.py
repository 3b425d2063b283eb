"""One file of counts, checked, with its labels under the names that the pipeline knows."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp

from cisgrammar.common.errors import InputError
from cisgrammar.common.inputs import examples, nearest
from cisgrammar.counts.carried import writable
from cisgrammar.counts.cell_table import add_cell_table, add_columns_of_names
from cisgrammar.counts.formats import load
from cisgrammar.counts.labels import standard_labels
from cisgrammar.counts.raw import RawCounts
from cisgrammar.counts.text import NAMELESS
from cisgrammar.counts.values import check_values

logger = logging.getLogger(__name__)


def read_counts(
    path: str | Path,
    *,
    matrix: str = "X",
    cell_type: str | None = None,
    batch: str | None = None,
    gene_column: str | None = None,
    modality: str | None = None,
    accept_non_integer: bool = False,
    cell_table: str | Path | None = None,
    ignore_in_barcodes: str | None = None,
    cell_column: str | None = None,
    columns_in_barcodes: Mapping[str, str] | None = None,
    names: tuple[Sequence[str], Sequence[str]] | None = None,
) -> ad.AnnData:
    """Read raw counts with their labels.

    Parameters
    ----------
    path
        h5ad, h5mu, loom, zarr, 10x h5, a 10x mtx folder, or a TSV or CSV of genes x cells;
        told apart by what is in it.
    matrix
        Where the raw counts are in an h5ad, h5mu, zarr or loom: ``X``, ``raw`` or
        ``layers/<name>``.
    cell_type, batch
        Columns of obs to use; None: one cell type ``unlabelled``, one batch ``all``.
    gene_column
        Column of var with the names of genes; None: the index.
    modality
        ``rna`` or ``atac`` for files that hold both.
    accept_non_integer
        Take values that are not integers, such as spike-in-normalised ones.
    cell_table, ignore_in_barcodes, cell_column
        A table with more columns for the cells, joined by barcode: see
        :func:`cisgrammar.counts.cell_table.add_cell_table`.
    columns_in_barcodes
        As in :func:`cisgrammar.counts.cell_table.add_columns_of_names`.
    names
        Of cells and of genes, in the order of a table that has none.

    Returns
    -------
    X float32 CSR, cells x genes; obs has the categories ``cell_type`` and
    ``batch``; obs_names and var_names are unique: the counts of genes of the
    same name are added up.

    Raises
    ------
    InputError
        If the file is missing, damaged or in no known format, the values are no
        raw counts, or a column is not there.
    """
    raw = load(path, matrix=matrix, modality=modality)
    assert raw.matrix is not None  # it is read whole
    if raw.format == NAMELESS:
        give_names(path, raw, names)
    check_values(path, raw.numbers, matrix, raw.integer_matrices, accept_non_integer)
    obs = raw.obs
    if cell_table is not None:
        obs = add_cell_table(path, obs, cell_table, ignore_in_barcodes, cell_column)
    obs = add_columns_of_names(path, obs, columns_in_barcodes or {})
    obs = standard_labels(path, obs, cell_type, batch)
    counts = raw.matrix.astype(np.float32, copy=False)
    counts.eliminate_zeros()
    names = gene_names(path, raw.var, gene_column)
    var = raw.var.set_axis(names)
    counts, var = _add_up_same_names(path, counts, var)
    adata = ad.AnnData(X=counts, obs=writable(path, obs), var=writable(path, var))
    if not adata.obs_names.is_unique:
        logger.warning(
            "%s: %d cells have a name that came before; they get -1, -2, ...",
            path,
            adata.obs_names.duplicated().sum(),
        )
        adata.obs_names_make_unique()
    logger.info("%s: %d cells x %d genes, %s", path, *adata.shape, raw.format)
    return adata


def give_names(
    path: str | Path, raw: RawCounts, names: tuple[Sequence[str], Sequence[str]] | None
) -> RawCounts:
    """Name the cells and genes of a table without names.

    Parameters
    ----------
    path
        The file, for messages.
    raw
        Its counts; get the names.
    names
        Of cells and of genes, in the table's order.

    Returns
    -------
    The counts.

    Raises
    ------
    InputError
        If there are none, or not as many as cells and genes.
    """
    size = f"{len(raw.var):,} lines of {len(raw.obs):,} numbers"
    if names is None:
        raise InputError(
            f"{path}: there are {size}, but no names of cells and genes. Only a matrix of peaks, "
            "with `peaks.bed` and RNA of the same cells, can do without; else put a line of cell "
            "names on top and a name at the start of each line."
        )
    cells, genes = names
    if (len(raw.obs), len(raw.var)) != (len(cells), len(genes)):
        raise InputError(
            f"{path}: there are {size} without names, but the RNA has {len(cells):,} cells and "
            f"`peaks.bed` {len(genes):,} lines, whose order would name them. The files do not "
            "belong together."
        )
    raw.obs.index, raw.var.index = pd.Index(cells), pd.Index(genes)
    return raw


def gene_names(path: str | Path, var: pd.DataFrame, gene_column: str | None) -> pd.Index:
    """Choose the names of genes: a column of var, or its index.

    Raises
    ------
    InputError
        If the column is not there or has missing values.
    """
    if gene_column is None:
        return pd.Index(var.index.astype(str), name=None)
    if gene_column not in var:
        raise InputError(
            f"{path}: there is no column `{gene_column}` for the genes (var); the columns are: "
            f"{examples(var.columns, 8)}.{nearest(gene_column, var.columns)} Set "
            "`counts.gene_column` to one of them, or leave it out to use the index."
        )
    if var[gene_column].isna().any():
        raise InputError(
            f"{path}: {var[gene_column].isna().sum()} genes have no value in the column "
            f"`{gene_column}`. Set `counts.gene_column` to one that names all genes."
        )
    return pd.Index(var[gene_column].astype(str), name=None)


def _add_up_same_names(
    path: str | Path, counts: sp.csr_matrix, var: pd.DataFrame
) -> tuple[sp.csr_matrix, pd.DataFrame]:
    again = var.index.duplicated()
    if not again.any():
        return counts, var
    logger.warning(
        "%s: %d genes have a name that came before (%s); their counts are added up. "
        "If a column of var has unique ids, set `counts.gene_column` to it.",
        path,
        again.sum(),
        examples(var.index[again].unique()),
    )
    column, unique = pd.factorize(var.index)
    to_unique = sp.csr_matrix(
        (np.ones(len(var), np.float32), (np.arange(len(var)), column)),
        shape=(len(var), len(unique)),
    )
    counts = (counts @ to_unique).tocsr()
    counts.sort_indices()
    return counts, var[~again]
