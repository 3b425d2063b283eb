"""Which peaks may drive which gene: its promoter's peak, and all others within reach of its TSS."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cisgrammar.common.errors import InputError
from cisgrammar.common.inputs import examples

logger = logging.getLogger(__name__)

GENE_COLUMNS = ["gene", "gene_name", "chrom", "tss", "strand"]


@dataclass(frozen=True)
class Candidates:
    """Genes and the peaks near them, ragged: nothing is padded to the widest gene.

    Parameters
    ----------
    genes
        gene, gene_name, chrom, tss (0-based), strand, and ``promoter``, the row of its peak.
    indptr
        Candidates of gene ``i`` are ``indptr[i]:indptr[i + 1]``: int64 ``(genes + 1,)``.
    peaks
        Row of each candidate, in the order of genes and along the chromosome: ``(pairs,)``.
    distances
        Middle of the candidate minus TSS, in bases, along the chromosome: ``(pairs,)``.
    """

    genes: pd.DataFrame
    indptr: np.ndarray
    peaks: np.ndarray
    distances: np.ndarray

    def __len__(self) -> int:
        return len(self.genes)

    @property
    def gene_of_pair(self) -> np.ndarray:
        """Row of the gene of each candidate: ``(pairs,)``."""
        return np.repeat(np.arange(len(self)), np.diff(self.indptr))

    def of_gene(self, gene: int) -> slice:
        """Say where the candidates of a gene stand."""
        return slice(int(self.indptr[gene]), int(self.indptr[gene + 1]))

    def gene_table(self, names: pd.Index) -> pd.DataFrame:
        """List the genes, with the name of the promoter's peak in place of its row."""
        named = self.genes.assign(promoter_peak=names[self.genes["promoter"]])
        return named.drop(columns="promoter")

    def table(self, names: pd.Index) -> pd.DataFrame:
        """List gene, gene_name, peak, promoter_peak and distance, a pair a row."""
        genes = self.genes.iloc[self.gene_of_pair]
        return pd.DataFrame(
            {
                "gene": genes["gene"].to_numpy(),
                "gene_name": genes["gene_name"].to_numpy(),
                "peak": names[self.peaks],
                "distance": self.distances,
                "promoter_peak": names[genes["promoter"]],
            }
        )

    @classmethod
    def of_tables(
        cls, genes: pd.DataFrame, pairs: pd.DataFrame, names: pd.Index, where: str = "candidates"
    ) -> Candidates:
        """Read them off what :meth:`gene_table` and :meth:`table` gave.

        Raises
        ------
        InputError
            If a peak is not among the names: the tables are of other data.
        """
        rows = names.get_indexer(pairs["peak"])
        promoter = names.get_indexer(genes["promoter_peak"])
        unknown = int((rows < 0).sum() + (promoter < 0).sum())
        if unknown:
            raise InputError(
                f"{where}: {unknown:,} peaks are not among the data's ({examples(names)}). The "
                "table was made of other data: delete it and run again."
            )
        count = pairs["gene"].value_counts().reindex(genes["gene"]).to_numpy()
        indptr = np.append(0, np.cumsum(count)).astype(np.int64)
        return cls(
            genes.assign(promoter=promoter), indptr, rows, pairs["distance"].to_numpy(np.int64)
        )


def find_candidates(
    peaks: pd.DataFrame, tss: pd.DataFrame, *, reach: int, promoter_reach: int
) -> tuple[Candidates, pd.DataFrame, pd.DataFrame]:
    """Find each gene's promoter peak, and the other peaks whose middles are within reach.

    Parameters
    ----------
    peaks
        chrom, start, end; in any order.
    tss
        gene_id, gene_name, chrom, tss (0-based) and strand; chromosomes named as for peaks.
    reach
        Candidates have their middle at most so many bases from the TSS.
    promoter_reach
        So has the promoter's peak: the nearest, the first along the chromosome of two as near.

    Returns
    -------
    candidates
        Of genes with a promoter and a candidate.
    left_out
        gene, gene_name, chrom, tss, strand, reason: each gene that has none.
    steps
        step, number: what came in, was left out and remains.

    Raises
    ------
    InputError
        If no gene is left.

    Notes
    -----
    Murakami et al. (2025), Methods: 300 kb and 500 bases; genes without either are left out.
    """
    genes = tss.rename(columns={"gene_id": "gene"})[GENE_COLUMNS].reset_index(drop=True)
    middle = ((peaks["start"] + peaks["end"]) // 2).to_numpy(np.int64)
    on_chrom = {}
    for chrom, rows in peaks.reset_index(drop=True).groupby("chrom", observed=True).groups.items():
        order = np.asarray(rows)[np.argsort(middle[rows], kind="stable")]
        on_chrom[str(chrom)] = order, middle[order]
    promoters, found, reasons = [], [], []
    nothing = np.empty(0, int), np.empty(0, int)
    for chrom, site in zip(genes["chrom"], genes["tss"], strict=True):
        rows, middles = on_chrom.get(str(chrom), nothing)
        near = slice(*_within(middles, site, promoter_reach))
        if near.start == near.stop:
            reasons.append("no peak at the promoter" if len(rows) else "no peak on the chromosome")
            continue
        promoter = rows[near][np.abs(middles[near] - site).argmin()]
        wide = rows[slice(*_within(middles, site, reach))]
        wide = wide[wide != promoter]
        reasons.append("" if len(wide) else "no other peak within reach")
        if len(wide):
            promoters.append(promoter)
            found.append(wide)
    reason = np.array(reasons, dtype=object)
    kept = genes[reason == ""].reset_index(drop=True)
    left_out = genes[reason != ""].assign(reason=reason[reason != ""]).reset_index(drop=True)
    counted = left_out["reason"].value_counts()
    if kept.empty:
        why = "; ".join(f"{name}: {n:,}" for name, n in counted.items())
        raise InputError(
            f"links: of {len(genes):,} genes none has a peak at its promoter and another within "
            f"{reach:,} bases ({why}). Peaks are on {examples(on_chrom)}, genes on "
            f"{examples(genes['chrom'].unique())}. Peaks and annotation are probably of different "
            "assemblies, or name chromosomes differently (`genome.chromosomes`); else raise "
            "`links.promoter_reach`, or lower `accessibility.min_share`."
        )
    if len(kept) < len(genes) / 2:
        logger.warning("%d of %d genes are left out of links", len(left_out), len(genes))
    rows = np.concatenate(found)
    indptr = np.append(0, np.cumsum([len(its) for its in found])).astype(np.int64)
    candidates = Candidates(
        kept.assign(promoter=np.array(promoters)),
        indptr,
        rows,
        middle[rows] - np.repeat(kept["tss"].to_numpy(np.int64), np.diff(indptr)),
    )
    steps = [("genes", len(genes))]
    steps += [(f"genes left out: {name}", int(n)) for name, n in counted.items()]
    steps += [("genes with candidates", len(kept)), ("pairs of gene and candidate", len(rows))]
    steps += [("candidates of the widest gene", int(np.diff(indptr).max()))]
    return candidates, left_out, pd.DataFrame(steps, columns=["step", "number"])


def _within(middles: np.ndarray, site: int, reach: int) -> tuple[int, int]:
    """Find the first and the end of sorted places at most ``reach`` from a site."""
    return (
        int(np.searchsorted(middles, site - reach, "left")),
        int(np.searchsorted(middles, site + reach, "right")),
    )
