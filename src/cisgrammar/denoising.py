"""Accessibility as the model expects it, free of depth: of chosen peaks, and of genes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import torch
from scipy import sparse
from torch import Tensor

from cisgrammar.evaluation import pearson
from cisgrammar.models.scbasset import Scbasset, embed_sequences

PEAKS_AT_ONCE = 256
PROMOTER_REACH = 2000  # bp from the TSS


def denoise(
    model: Scbasset, codes: Tensor, cells: Tensor | None = None, at_once: int = PEAKS_AT_ONCE
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


def promoter_peaks(
    peaks: pd.DataFrame, tss: pd.DataFrame, reach: int = PROMOTER_REACH
) -> sparse.csr_matrix:
    """Find the peaks at each gene's promoter.

    Parameters
    ----------
    peaks
        chrom, start, end.
    tss
        chrom and tss (0-based) of each gene; chromosomes named as for peaks.
    reach
        A peak belongs to a gene if it has a base at most this far from the TSS.

    Returns
    -------
    0 and 1: ``(genes, peaks)``.
    """
    rows, columns = [], []
    by_chrom = {chrom: np.flatnonzero(peaks["chrom"] == chrom) for chrom in peaks["chrom"].unique()}
    starts, ends = peaks["start"].to_numpy(), peaks["end"].to_numpy()
    for row, (chrom, place) in enumerate(zip(tss["chrom"], tss["tss"], strict=True)):
        here = by_chrom.get(chrom, np.empty(0, dtype=int))
        near = here[(starts[here] <= place + reach) & (ends[here] > place - reach)]
        columns.append(near)
        rows.append(np.full(len(near), row))
    places = (np.concatenate(rows), np.concatenate(columns)) if rows else ([], [])
    return sparse.csr_matrix((np.ones(len(places[0])), places), (len(tss), len(peaks)))


def gene_scores(model: Scbasset, codes: Tensor, of_gene: sparse.csr_matrix) -> np.ndarray:
    """Average denoised accessibility over each gene's promoter peaks.

    Parameters
    ----------
    model
        A trained model.
    codes
        Sequences of all peaks, uint8 ``(peaks, length)``.
    of_gene
        From :func:`promoter_peaks`: ``(genes, peaks)``.

    Returns
    -------
    float32 ``(genes, cells)``; NaN for genes without such peaks.
    """
    used = np.unique(of_gene.indices)
    share = sparse.diags(1 / np.maximum(np.diff(of_gene.indptr), 1)) @ of_gene[:, used]
    scores = np.zeros((of_gene.shape[0], model.head.out_features), dtype=np.float32)
    first = 0
    for block in denoise(model, codes[torch.from_numpy(used)]):
        scores += (share.tocsc()[:, first : first + len(block)] @ block).astype(np.float32)
        first += len(block)
    scores[np.diff(of_gene.indptr) == 0] = np.nan
    return scores


def agreement_with_expression(
    scores: np.ndarray, expression: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Correlate accessibility scores of genes with their expression.

    Parameters
    ----------
    scores, expression
        ``(genes, cells)``; expression as logarithms. Genes without a score are left out.

    Returns
    -------
    per_cell
        Pearson's r over genes: ``(cells,)``.
    per_gene
        Over cells: ``(genes,)``; NaN where a gene has no score or either is constant.
    """
    there = np.isfinite(scores).all(axis=1)
    per_gene = np.full(len(scores), np.nan)
    per_gene[there] = pearson(scores[there], expression[there], axis=1)
    return pearson(scores[there], expression[there], axis=0), per_gene
