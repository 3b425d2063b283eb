"""Which peaks and genes are denoised, and the tables that are made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from anndata import AnnData
from scipy import sparse

from cisgrammar.cells.expression import log_expression
from cisgrammar.common.notes import Notes
from cisgrammar.interpret.denoising import (
    GeneReading,
    choose_genes,
    denoise,
    gene_scores,
    named_rows,
)
from cisgrammar.interpret.specific_peaks import specific_peaks
from cisgrammar.models.abilities import EmbedsCells

NO_GENES = "Genes have no scores: {} (`genome.gtf`, `scbasset.denoising.promoter_reach`)."
NO_RNA = "Scores are not compared with expression: the cells have no RNA."


@dataclass(frozen=True)
class DenoisingSettings:
    """What is written for each cell.

    Parameters
    ----------
    peaks, genes
        By name; where there are none, the ``n_peaks`` and ``n_genes`` that differ most between
        cell types.
    """

    peaks: Sequence[str]
    n_peaks: int
    genes: Sequence[str]
    n_genes: int


def denoise_peaks(
    model: EmbedsCells, cells: AnnData, settings: DenoisingSettings, notes: Notes
) -> AnnData:
    """Denoise chosen peaks.

    Parameters
    ----------
    model
        A trained model.
    cells
        accessibility.h5ad: cells x peaks, X may be in a file; ``varm["codes"]``.
    settings
        Which peaks.
    notes
        Get the names that no peak has.

    Returns
    -------
    Cells x chosen peaks, float32.
    """
    rows, unknown = named_rows(settings.peaks, cells.var)
    if unknown:
        notes.add("peaks", f"Not among the peaks that the model learned: {', '.join(unknown)}.")
    if not settings.peaks:
        types = cells.obs["cell_type"].astype(str)
        chosen = specific_peaks(cells.X, types, settings.n_peaks)
        rows = np.sort([row for row, _ in chosen])
    codes = torch.from_numpy(cells.varm["codes"])
    blocks = denoise(model, codes[rows]) if len(rows) else []
    predicted = np.concatenate([np.zeros((0, cells.n_obs), np.float32), *blocks]).T
    return AnnData(predicted, cells.obs, cells.var.iloc[rows])


def score_genes(
    model: EmbedsCells,
    cells: AnnData,
    genes: pd.DataFrame,
    shares: sparse.csr_matrix,
    reading: GeneReading,
    settings: DenoisingSettings,
    notes: Notes,
) -> AnnData:
    """Score chosen genes in each cell.

    Parameters
    ----------
    model, cells
        As for :func:`denoise_peaks`.
    genes, shares
        From :func:`cisgrammar.genome.gene_peaks.as_matrix`.
    reading
        From :func:`cisgrammar.interpret.denoising.read_genes`.
    settings
        Which genes.
    notes
        Get the names that no gene has.

    Returns
    -------
    Cells x chosen genes, float32.
    """
    rows, unknown = choose_genes(settings.genes, settings.n_genes, genes, reading)
    if unknown:
        notes.add("genes", f"Not among the genes with a promoter peak: {', '.join(unknown)}.")
    codes = torch.from_numpy(cells.varm["codes"])
    blocks = list(gene_scores(model, codes, shares[rows]))
    return AnnData(np.concatenate(blocks).astype(np.float32), cells.obs, genes.iloc[rows])


def expression_of(
    counts: AnnData | None, cells: pd.Index, genes: pd.DataFrame
) -> sparse.csr_matrix | None:
    """Give the logarithms of these cells' and genes' expression, if it was measured."""
    if counts is None or genes.empty:
        return None
    return log_expression(counts, cells)[:, counts.var_names.get_indexer(genes.index)]


def note_absent(genes: pd.DataFrame, annotated: bool, has_rna: bool, notes: Notes) -> None:
    """Note why genes have no scores, and why scores are not compared with expression."""
    if genes.empty:
        why = "none has a peak at its TSS" if annotated else "no annotation is given"
        notes.add("genes", NO_GENES.format(why))
    if not has_rna:
        notes.add("expression", NO_RNA)


def tables_of(
    reading: GeneReading, genes: pd.DataFrame, obs: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Put names to what accessibility says of genes.

    Returns
    -------
    by_cell_type
        Genes: gene_name, n_peaks, mean score in each cell type.
    per_gene
        Genes: gene_name, n_peaks, r_raw, r_denoised.
    per_cell
        cell, cell_type, r_raw, r_denoised.
    """
    known = genes[["gene_name", "n_peaks"]]
    by_cell_type = pd.concat([known, reading.by_cell_type], axis=1).rename_axis("gene")
    per_gene = pd.concat([known, reading.per_gene], axis=1).rename_axis("gene")
    types = obs["cell_type"].astype(str).to_numpy()
    per_cell = reading.per_cell.assign(cell=obs.index, cell_type=types)
    return by_cell_type, per_gene, per_cell[["cell", "cell_type", "r_raw", "r_denoised"]]
