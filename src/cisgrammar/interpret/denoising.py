"""Accessibility as the model expects it, free of depth: of chosen peaks, and of genes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from anndata.abc import CSRDataset
from scipy import sparse
from torch import Tensor

from cisgrammar.common.statistics import pearson
from cisgrammar.models.abilities import EmbedsCells
from cisgrammar.models.prediction import embed_sequences

PEAKS_AT_ONCE = 256
CELLS_AT_ONCE = 512


def denoise(
    model: EmbedsCells, codes: Tensor, cells: Tensor | None = None, at_once: int = PEAKS_AT_ONCE
) -> Iterator[np.ndarray]:
    """Predict accessibility of peaks without depth, block by block.

    Parameters
    ----------
    model
        A trained model.
    codes
        The peaks' sequences, uint8 ``(peaks, length)``.
    cells
        Which cells, int64; None for all.
    at_once
        Peaks in a block.

    Yields
    ------
    float32 ``(peaks of the block, cells)``, from 0 to 1. Nothing larger is in memory.

    Notes
    -----
    Yuan & Kelley (2022), Methods, "Denoising evaluation": the intercept, which is depth, is left
    out. So is what a batch adds.
    """
    weight = model.head.weight.detach().cpu()
    weight = weight if cells is None else weight[cells]
    for block in codes.split(at_once):
        yield torch.sigmoid(embed_sequences(model, block) @ weight.T).numpy()


def gene_scores(
    model: EmbedsCells, codes: Tensor, shares: sparse.csr_matrix, at_once: int = CELLS_AT_ONCE
) -> Iterator[np.ndarray]:
    """Average denoised accessibility over each gene's promoter peaks, block by block.

    Parameters
    ----------
    model
        A trained model.
    codes
        Sequences of all peaks, uint8 ``(peaks, length)``.
    shares
        From :func:`cisgrammar.genome.gene_peaks.as_matrix`: ``(genes, peaks)``.
    at_once
        Cells in a block.

    Yields
    ------
    float64 ``(cells of the block, genes)``. Nothing larger is in memory.
    """
    if not shares.shape[0]:
        yield np.zeros((len(model.head.weight), 0))
        return
    used = np.unique(shares.indices)
    of_used = sparse.csr_matrix(shares[:, used])
    embedding = embed_sequences(model, codes[torch.from_numpy(used)])
    for weight in model.head.weight.detach().cpu().split(at_once):
        yield (of_used @ torch.sigmoid(embedding @ weight.T).double().numpy()).T


@dataclass(frozen=True)
class GeneReading:
    """What accessibility says of genes.

    Parameters
    ----------
    by_cell_type
        Genes x cell types: mean score.
    per_cell
        Columns r_raw, r_denoised: Pearson's r of scores with expression over genes.
    per_gene
        The same over cells. NaN where either is constant, or expression was not measured.
    """

    by_cell_type: pd.DataFrame
    per_cell: pd.DataFrame
    per_gene: pd.DataFrame


def read_genes(
    model: EmbedsCells,
    codes: Tensor,
    is_open: sparse.csr_matrix | CSRDataset,
    cell_types: Sequence[str],
    genes: pd.DataFrame,
    shares: sparse.csr_matrix,
    expression: sparse.csr_matrix | None = None,
) -> GeneReading:
    """Score all genes in all cells, and compare with expression, in one pass.

    Parameters
    ----------
    model
        A trained model.
    codes
        Sequences of all peaks, uint8 ``(peaks, length)``.
    is_open
        Cells x peaks, 0 and 1, may be in a file: for the scores before denoising.
    cell_types
        Of the cells.
    genes, shares
        From :func:`cisgrammar.genome.gene_peaks.as_matrix`.
    expression
        Of the same cells and genes, logarithms; None if it was not measured.

    Notes
    -----
    Yuan & Kelley (2022), Methods, "Denoising evaluation". There expression was denoised by scVI
    before; here it is as measured, which lowers all correlations.
    """
    names, number = np.unique(np.asarray(cell_types).astype(str), return_inverse=True)
    sums, first = np.zeros((len(names), len(genes))), 0
    raw, denoised = _Correlation(), _Correlation()
    for block in gene_scores(model, codes, shares):
        rows = slice(first, first + len(block))
        sums += (np.arange(len(names))[:, None] == number[rows]).astype(float) @ block
        if expression is not None and len(genes):
            expected = expression[rows].toarray().astype(np.float64)
            denoised.add(block, expected)
            raw.add((is_open[rows].astype(np.float64) @ shares.T).toarray(), expected)
        first += len(block)
    means = pd.DataFrame(sums.T / np.bincount(number), index=genes.index, columns=names)
    if expression is None or genes.empty:
        columns = ["r_raw", "r_denoised"]
        per_cell = pd.DataFrame(np.nan, index=range(len(number)), columns=columns)
        return GeneReading(means, per_cell, pd.DataFrame(np.nan, genes.index, columns))
    per_cell = pd.DataFrame({"r_raw": raw.of_rows(), "r_denoised": denoised.of_rows()})
    per_gene = {"r_raw": raw.of_columns(), "r_denoised": denoised.of_columns()}
    return GeneReading(means, per_cell, pd.DataFrame(per_gene, index=genes.index))


def named_rows(names: Sequence[str], table: pd.DataFrame) -> tuple[np.ndarray, list[str]]:
    """Find rows by their index, or by the column ``gene_name`` where there is one.

    Returns
    -------
    Row numbers, ascending, and the names that no row has.
    """
    found, unknown = set(), []
    for name in names:
        rows = np.flatnonzero(table.index == name)
        if not len(rows) and "gene_name" in table:
            rows = np.flatnonzero(table["gene_name"] == name)
        found |= set(rows.tolist())
        unknown += [] if len(rows) else [name]
    return np.array(sorted(found), dtype=int), unknown


def choose_genes(
    names: Sequence[str], n: int, genes: pd.DataFrame, reading: GeneReading
) -> tuple[np.ndarray, list[str]]:
    """Take the named genes, or those whose score differs most between cell types.

    Parameters
    ----------
    names
        Ids or names; nothing takes the ``n`` of the largest standard deviation.
    n
        How many.
    genes, reading
        As in :func:`read_genes`.

    Returns
    -------
    Row numbers, ascending, and the names that are not there.
    """
    if names:
        return named_rows(names, genes)
    spread = reading.by_cell_type.std(axis=1, ddof=0).to_numpy()
    return np.sort(np.argsort(-spread, kind="stable")[:n]), []


class _Correlation:
    """Pearson's r of two tables that come in blocks of rows: of rows, and of columns."""

    def __init__(self) -> None:
        self._rows: list[np.ndarray] = []
        self._sums: list[np.ndarray] = []
        self._n = 0

    def add(self, x: np.ndarray, y: np.ndarray) -> None:
        """Take a block: float64 ``(rows, columns)`` each."""
        self._rows.append(pearson(x, y, axis=1))
        sums = np.stack([x.sum(0), y.sum(0), (x * x).sum(0), (y * y).sum(0), (x * y).sum(0)])
        self._sums = [sums if not self._sums else self._sums[0] + sums]
        self._n += len(x)

    def of_rows(self) -> np.ndarray:
        return np.concatenate(self._rows)

    def of_columns(self) -> np.ndarray:
        """NaN where a column is constant but for rounding."""
        x, y, xx, yy, xy = self._sums[0] / self._n
        x_var, y_var = xx - x**2, yy - y**2
        varies = (x_var > 1e-12 * xx) & (y_var > 1e-12 * yy)
        with np.errstate(invalid="ignore", divide="ignore"):
            r = (xy - x * y) / np.sqrt(x_var * y_var)
        return np.where(varies, np.clip(r, -1, 1), np.nan)
