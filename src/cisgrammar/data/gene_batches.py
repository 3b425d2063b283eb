"""Batches of genes with their promoters and candidates, ragged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from cisgrammar.data.gene_peaks import Accessibility, Expression
from cisgrammar.genome.candidates import Candidates


@dataclass(frozen=True)
class GeneBatch:
    """Some genes with their promoters and candidates, ragged.

    Parameters
    ----------
    promoters
        Descriptions of the promoters' sequences: ``(genes, described)``.
    candidates
        Those of candidates, gene after gene: ``(pairs, described)``.
    distances
        From the TSS, in units of the reach: ``(pairs,)``.
    counts
        Candidates of each gene: as many numbers as genes.
    accessibility
        For each gene ``(cells, 1 + its candidates)``, the promoter first.
    """

    promoters: Tensor
    candidates: Tensor
    distances: Tensor
    counts: Sequence[int]
    accessibility: Sequence[Tensor]

    @property
    def gene_of_pair(self) -> Tensor:
        """Number of the gene of each candidate: int64 ``(pairs,)``."""
        device = self.promoters.device
        counts = torch.tensor(list(self.counts), device=device)
        return torch.repeat_interleave(torch.arange(len(counts), device=device), counts)

    def to(self, device: torch.device | str) -> GeneBatch:
        """Move to a device."""
        return GeneBatch(
            self.promoters.to(device),
            self.candidates.to(device),
            self.distances.to(device),
            self.counts,
            [its.to(device) for its in self.accessibility],
        )


@dataclass(frozen=True)
class GenePeaks:
    """All genes, of which batches are taken.

    Parameters
    ----------
    candidates
        Genes and their peaks.
    embedding
        Descriptions of the peaks' sequences: float32 ``(peaks, described)``.
    accessibility
        Of the same peaks.
    expression
        Of the genes of ``candidates``, in their order.
    reach
        Distances are in units of it.
    """

    candidates: Candidates
    embedding: Tensor
    accessibility: Accessibility
    expression: Expression
    reach: int

    def batch(self, genes: Sequence[int] | np.ndarray, cells: Tensor | None = None) -> GeneBatch:
        """Take some genes, in some cells or all."""
        its = [self.candidates.of_gene(int(gene)) for gene in genes]
        peaks = [self.candidates.peaks[pairs] for pairs in its]
        promoters = self.candidates.genes["promoter"].to_numpy()[np.asarray(genes, dtype=int)]
        distances = np.concatenate([self.candidates.distances[pairs] for pairs in its])
        return GeneBatch(
            self.embedding[torch.from_numpy(promoters)],
            self.embedding[torch.from_numpy(np.concatenate(peaks))],
            torch.from_numpy(distances / self.reach).float(),
            [len(rows) for rows in peaks],
            [
                self.accessibility.of_peaks(np.append(first, rows), cells)
                for first, rows in zip(promoters, peaks, strict=True)
            ],
        )

    def targets(
        self, genes: Sequence[int] | np.ndarray, cells: Tensor | None, target: str
    ) -> Tensor:
        """Give what is predicted of some genes in some cells: ``(genes, cells, outputs)``.

        Parameters
        ----------
        genes, cells
            As for :meth:`batch`.
        target
            ``cell_components``: the cell's components, the same for all genes. ``own_gene``: the
            gene's own expression, rebuilt from the components.
        """
        components = torch.from_numpy(self.expression.components)
        components = components if cells is None else components[cells]
        if target == "cell_components":
            return components.expand(len(genes), -1, -1)
        loadings = torch.from_numpy(self.expression.loadings[:, np.asarray(genes, dtype=int)])
        return (components @ loadings).T[:, :, None]

    def readout(self, gene: int, target: str) -> Tensor:
        """Give what turns a prediction of :meth:`targets` into the gene's expression."""
        if target == "own_gene":
            return torch.ones(1)
        return torch.from_numpy(self.expression.loadings[:, gene])
