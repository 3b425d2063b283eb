"""Simulated transcripts: where their CDS is, and how much of their ends an annotation knows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from cisgrammar.genome.gff import Stretch
from cisgrammar.genome.half_life import Transcript, untranslated

FIVE_PRIME = (0.01, 0.25)  # of the spliced transcript, drawn log-uniform
THREE_PRIME = (0.03, 0.5)
LEAST_UTR = 5


def draw_cds(genes: pd.DataFrame, rng: np.random.Generator) -> list[list[Stretch]]:
    """Draw the CDS of each gene within its exons, UTRs of very different lengths beside it.

    Parameters
    ----------
    genes
        strand and exons, as in :class:`cisgrammar.simulate.genome.Genome`.

    Returns
    -------
    Stretches (start, end) in ascending order for each gene.
    """
    drawn = []
    for gene in genes.itertuples():
        length = sum(end - start for start, end in gene.exons)
        five, three = (
            max(LEAST_UTR, int(length * np.exp(rng.uniform(*np.log(share)))))
            for share in (FIVE_PRIME, THREE_PRIME)
        )
        first, last = (five, length - three) if gene.strand == "+" else (three, length - five)
        drawn.append(_of_spliced(gene.exons, first, last))
    return drawn


def _of_spliced(exons: list[Stretch], first: int, last: int) -> list[Stretch]:
    """Give the stretches on the chromosome of some bases of the spliced transcript."""
    found, before = [], 0
    for start, end in exons:
        low, high = max(first - before, 0), min(last - before, end - start)
        if low < high:
            found.append((start + low, start + high))
        before += end - start
    return found


def transcript(gene: Any) -> Transcript:
    """Give a row of the genes as a transcript."""
    return Transcript(gene.chrom, gene.strand, gene.exons, gene.cds)


def annotated(genes: pd.DataFrame, unannotated: float, rng: np.random.Generator) -> pd.DataFrame:
    """Forget the 3' UTR of a share of the genes, as an annotation may not know it.

    The 5' end stays, for it is the TSS.
    """
    forgotten = rng.random(len(genes)) < unannotated
    rows = []
    for gene, forget in zip(genes.itertuples(), forgotten, strict=True):
        exons, (_, three) = gene.exons, untranslated(transcript(gene))
        if forget and three:
            low, high = gene.cds[0][0], gene.cds[-1][1]
            kept = (gene.start, high) if gene.strand == "+" else (low, gene.end)
            exons = [
                (max(start, kept[0]), min(end, kept[1]))
                for start, end in exons
                if start < kept[1] and end > kept[0]
            ]
        rows.append((exons, exons[0][0], exons[-1][1]))
    table = pd.DataFrame(rows, columns=["exons", "start", "end"], index=genes.index)
    return genes.assign(**{name: table[name] for name in table})
