"""What simple methods say of the same pairs of gene and peak: each a column of one table."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.linear_model import Ridge

from cisgrammar.common.seeds import derive_seed
from cisgrammar.genome.candidates import Candidates

CONTACT_POWER, CONTACT_NEAREST = 1.02, 5000  # of contacts by distance, and bases below which alike
BASELINES = (
    "distance", "nearest_tss", "accessibility", "r_cells", "r_pools", "z_background",
    "abc", "ridge",
)  # fmt: skip


def standardised(values: np.ndarray) -> np.ndarray:
    """Give columns mean 0 and variance 1; constant ones become 0."""
    centred = values - values.mean(axis=0)
    deviation = centred.std(axis=0)
    return centred / np.where(deviation > 1e-8, deviation, 1) * (deviation > 1e-8)


def correlations(
    candidates: Candidates,
    peaks: sparse.csr_matrix | np.ndarray,
    expression: sparse.csr_matrix | np.ndarray,
) -> np.ndarray:
    """Correlate each candidate with its gene over the rows: ``(pairs,)``; 0 where one is constant.

    Parameters
    ----------
    candidates
        Whose genes are the columns of ``expression``, whose peaks those of ``peaks``.
    peaks, expression
        Cells, or pools, x peaks and x genes.
    """
    columns, genes = sparse.csc_matrix(peaks), sparse.csc_matrix(expression)
    r = np.zeros(len(candidates.peaks))
    for gene in range(len(candidates)):
        its = candidates.of_gene(gene)
        x = standardised(columns[:, candidates.peaks[its]].toarray().astype(float))
        y = standardised(genes[:, [gene]].toarray().astype(float))
        r[its] = x.T @ y[:, 0] / len(y)
    return r


def matched_background(
    candidates: Candidates,
    pooled_peaks: np.ndarray,
    pooled_genes: np.ndarray,
    peaks: pd.DataFrame,
    n_background: int,
    seed: int,
) -> np.ndarray:
    """Say how far each correlation stands out from those with like peaks elsewhere.

    Parameters
    ----------
    candidates
        Genes and their peaks.
    pooled_peaks, pooled_genes
        Pools x peaks and x genes.
    peaks
        ``chrom``, ``accessibility`` and ``gc`` of each peak.
    n_background
        Peaks of other chromosomes, most alike in accessibility and GC, to draw for each.
    seed
        Of the draws.

    Returns
    -------
    z of each pair: ``(pairs,)``.

    Notes
    -----
    As Signac's ``LinkPeaks`` (Stuart et al. 2021; Ma et al. 2020).
    """
    background = draw_background(peaks, n_background, seed)
    x, y = standardised(pooled_peaks), standardised(pooled_genes)
    z = np.zeros(len(candidates.peaks))
    for gene in range(len(candidates)):
        its = candidates.of_gene(gene)
        r = x.T @ y[:, gene] / len(y)  # of all peaks
        null = r[background[candidates.peaks[its]]]
        spread = null.std(axis=1)
        z[its] = (r[candidates.peaks[its]] - null.mean(axis=1)) / np.where(spread > 0, spread, 1)
    return z


def draw_background(peaks: pd.DataFrame, n: int, seed: int) -> np.ndarray:
    """Draw for each peak others of other chromosomes that are most alike.

    Parameters
    ----------
    peaks
        ``chrom``, ``accessibility``, ``gc``.
    n
        How many, of the ten times as many that are nearest in the ranks of both; fewer where
        there are not so many.
    seed
        Of the draw.

    Returns
    -------
    Rows: ``(peaks, n)``. Where all peaks are on one chromosome, others of that one.
    """
    rng = np.random.default_rng(derive_seed(seed, "background of links"))
    ranks = peaks[["accessibility", "gc"]].rank().to_numpy() / len(peaks)
    chroms = pd.factorize(peaks["chrom"])[0]
    drawn = np.empty((len(peaks), n), dtype=np.int64)
    for chrom in np.unique(chroms):
        others = np.flatnonzero(chroms != chrom)
        others = others if len(others) else np.arange(len(peaks))
        n_near = min(10 * n, len(others))
        for peak in np.flatnonzero(chroms == chrom):
            distance = np.abs(ranks[others] - ranks[peak]).sum(axis=1)
            near = np.argpartition(distance, n_near - 1)[:n_near]
            drawn[peak] = others[rng.choice(near, n, replace=n_near < n)]
    return drawn


def activity_by_contact(candidates: Candidates, accessibility: np.ndarray) -> np.ndarray:
    """Multiply accessibility with contact by distance, as a share of the gene's sum.

    Parameters
    ----------
    candidates
        Genes and their peaks.
    accessibility
        Of each peak.

    Notes
    -----
    Fulco et al. (2019), with a power law for contacts and accessibility for activity. The
    promoter is at distance 0.
    """
    distance = np.maximum(np.abs(candidates.distances), CONTACT_NEAREST)
    product = accessibility[candidates.peaks] * distance**-CONTACT_POWER
    sums = accessibility[candidates.genes["promoter"]] * CONTACT_NEAREST**-CONTACT_POWER
    sums = sums + np.add.reduceat(product, candidates.indptr[:-1])
    return product / np.maximum(sums, 1e-30)[candidates.gene_of_pair]


def nearest_tss(candidates: Candidates) -> np.ndarray:
    """Rank genes by their distance from each peak: 1 for the nearest, 1/2 for the next, ..."""
    table = pd.DataFrame(
        {"peak": candidates.peaks, "distance": np.abs(candidates.distances)}
    )  # a candidate is in reach of each gene that is near it
    return 1 / table.groupby("peak")["distance"].rank(method="min").to_numpy()


def ridge_coefficients(
    candidates: Candidates, pooled_peaks: np.ndarray, pooled_genes: np.ndarray, penalty: float
) -> np.ndarray:
    """Fit each gene's expression by its promoter and candidates: the candidates' coefficients.

    Parameters
    ----------
    candidates, pooled_peaks, pooled_genes
        As for :func:`matched_background`.
    penalty
        As a share of the pools.
    """
    x, y = standardised(pooled_peaks), standardised(pooled_genes)
    coefficients = np.zeros(len(candidates.peaks))
    promoters = candidates.genes["promoter"].to_numpy()
    for gene in range(len(candidates)):
        its = candidates.of_gene(gene)
        columns = np.append(candidates.peaks[its], promoters[gene])
        fit = Ridge(alpha=penalty * len(x)).fit(x[:, columns], y[:, gene])
        coefficients[its] = fit.coef_[:-1]
    return coefficients


def baseline_table(
    candidates: Candidates,
    is_open: sparse.csr_matrix,
    expression: sparse.csr_matrix,
    pools: sparse.csr_matrix,
    peaks: pd.DataFrame,
    *,
    n_background: int,
    ridge_penalty: float,
    seed: int,
) -> pd.DataFrame:
    """Score all pairs by all simple methods; higher means more likely a link.

    Parameters
    ----------
    candidates
        Genes and their peaks.
    is_open, expression
        Cells x peaks, 0 and 1, and x genes, logarithms.
    pools
        ``(pools, cells)``: means.
    peaks
        ``chrom``, ``accessibility``, ``gc``.
    n_background, seed
        As for :func:`matched_background`.
    ridge_penalty
        As for :func:`ridge_coefficients`.

    Returns
    -------
    Columns :data:`BASELINES`, a pair a row. Signed where the method tells a sign.
    """
    pooled_peaks = np.asarray((pools @ is_open.astype(np.float64)).todense())
    pooled_genes = np.asarray((pools @ expression).todense())
    accessibility = peaks["accessibility"].to_numpy()
    return pd.DataFrame(
        {
            "distance": -np.abs(candidates.distances),
            "nearest_tss": nearest_tss(candidates),
            "accessibility": accessibility[candidates.peaks],
            "r_cells": correlations(candidates, is_open, expression),
            "r_pools": correlations(candidates, pooled_peaks, pooled_genes),
            "z_background": matched_background(
                candidates, pooled_peaks, pooled_genes, peaks, n_background, seed
            ),
            "abc": activity_by_contact(candidates, accessibility),
            "ridge": ridge_coefficients(candidates, pooled_peaks, pooled_genes, ridge_penalty),
        }
    )
