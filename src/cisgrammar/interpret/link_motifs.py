"""Which known motifs stand in peaks that drive genes, and which TFs may be behind them."""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd
import torch
from anndata import AnnData
from scipy import sparse
from scipy.stats import fisher_exact, norm, rankdata, tiecorrect

from cisgrammar.common.statistics import benjamini_hochberg
from cisgrammar.data.gene_peaks import densest_description
from cisgrammar.genome.gene_match import with_gene_names
from cisgrammar.interpret.link_baselines import draw_background
from cisgrammar.interpret.regulators import find_regulators, sum_by_label

MATCHED = 10  # peaks beside each linking one
ALIKE = 0.5  # of the peaks of two motifs are of both
LEAST = 5  # links with a motif, for its activity to be compared with TFs
logger = logging.getLogger(__name__)


def candidate_peaks(links: pd.DataFrame, names: pd.Index) -> np.ndarray:
    """Find the rows of the peaks that are candidates of some gene."""
    return np.sort(names.get_indexer(links["peak"].unique()))


def find_link_motifs(
    links: pd.DataFrame,
    peaks: pd.DataFrame,
    hits: sparse.spmatrix,
    motifs: pd.DataFrame,
    *,
    seed: int,
) -> pd.DataFrame:
    """Compare peaks that are linked with others, and peaks with a motif with those without.

    Parameters
    ----------
    links
        All pairs, from :func:`cisgrammar.interpret.link_table.link_table`.
    peaks
        Candidates: index name; ``chrom``, ``accessibility``, ``gc``.
    hits
        Where each motif has a hit: ``(peaks, motifs)``.
    motifs
        The database's table: motif, name, tfs.
    seed
        Of the draw of matched peaks.

    Returns
    -------
    One row a motif, the surest first: motif, name, tfs; ``like``, the surest of the motifs before
    it that shares half of the peaks with it; ``peaks`` with a hit; ``linked`` of them,
    ``share`` of all linked peaks and ``share_matched`` of peaks that are not linked and alike in
    accessibility and GC, ``odds_ratio``, ``p`` (Fisher's exact test, more than expected), ``q``;
    ``effect`` (mean of the largest effect of each peak with a hit, less that of those without),
    ``p_effect`` (Mann-Whitney, two-sided), ``q_effect``.

    Notes
    -----
    Linked are peaks of pairs with a call, strong or weak. Motifs that look alike share their peaks:
    the table names them all, and which are ``like`` another.
    """
    is_hit = sparse.csr_matrix(hits != 0).astype(np.float64)
    linked = peaks.index.isin(links["peak"][links["call"] != ""])
    drawn = np.unique(draw_background(peaks, MATCHED, seed)[linked])
    matched = drawn[~linked[drawn]]
    inside, outside = is_hit[linked], is_hit[matched]
    counts = np.stack([inside.sum(axis=0).A1, outside.sum(axis=0).A1]).astype(int)
    sizes = np.array([linked.sum(), len(matched)])
    tests = [_fisher(with_motif, sizes) for with_motif in counts.T]
    shares = counts / np.maximum(sizes, 1)[:, None]
    effect, p_effect = _shifts(is_hit, _largest_effect(links, peaks.index))
    table = motifs[["motif", "name", "tfs"]].reset_index(drop=True).assign(
        peaks=is_hit.sum(axis=0).A1.astype(int),
        linked=counts[0],
        share=shares[0],
        share_matched=shares[1],
        odds_ratio=[odds for odds, _ in tests],
        p=[p for _, p in tests],
        q=benjamini_hochberg(np.array([p for _, p in tests])),
        effect=effect,
        p_effect=p_effect,
        q_effect=benjamini_hochberg(p_effect),
    )  # fmt: skip
    logger.info(
        "%d linked and %d matched peaks; %d of %d motifs are in more linked ones (q < 0.05), %d "
        "raise or lower genes (q_effect < 0.05)",
        *(*sizes, (table["q"] < 0.05).sum(), len(table), (table["q_effect"] < 0.05).sum()),
    )
    order = table.sort_values(["p_effect", "p", "motif"], kind="stable").index.to_numpy()
    table.insert(3, "like", _likeness(is_hit, order, table["motif"].to_numpy()))
    return table.loc[order].reset_index(drop=True)


def find_link_regulators(
    links: pd.DataFrame,
    by_type: AnnData,
    hits: sparse.spmatrix,
    peaks: pd.Index,
    motifs: pd.DataFrame,
    expression: AnnData,
) -> pd.DataFrame:
    """Correlate what links with a motif do with the expression of its TFs, over cell types.

    Parameters
    ----------
    links, hits, motifs
        As for :func:`find_link_motifs`.
    by_type
        Cell types x pairs: activities of links.
    peaks
        Names of the rows of ``hits``.
    expression
        Cell types x genes: :func:`cisgrammar.interpret.regulators.sum_by_label`.

    Returns
    -------
    As :func:`cisgrammar.interpret.regulators.find_regulators`, with ``motif`` for family and
    ``links``, the called pairs with a hit; motifs in fewer than five of them are left out.
    """
    called = np.flatnonzero(links["call"] != "")
    bears = sparse.csr_matrix(hits != 0)[peaks.get_indexer(links["peak"].iloc[called])]
    n_links = bears.sum(axis=0).A1.astype(int)
    enough = n_links >= LEAST
    activity = np.asarray(by_type.X)[:, called] @ bears[:, enough].toarray() / n_links[enough]
    var = motifs.set_index("motif")[["tfs"]].loc[motifs["motif"].to_numpy()[enough]]
    types = [label for label in by_type.obs_names if label in expression.obs_names]
    rows = by_type.obs_names.get_indexer(types)
    found = find_regulators(AnnData(activity[rows], pd.DataFrame(index=types), var), expression)
    found = found.rename(columns={"family": "motif"})
    number = pd.Series(n_links, index=motifs["motif"].to_numpy())
    found.insert(1, "links", number.loc[found["motif"]].to_numpy())
    return found


def expression_of_types(
    counts: AnnData, cells: AnnData, tss: pd.DataFrame, relative: bool
) -> AnnData:
    """Add up the expression of the cells of each type: cell types x genes.

    Parameters
    ----------
    counts
        Cells x genes, these cells among them.
    cells
        Cells x peaks, with ``obs["cell_type"]``.
    tss
        From :func:`cisgrammar.genome.tss.read_tss`: names of genes.
    relative
        Whether :func:`without_shift` is applied.
    """
    there = counts[counts.obs_names.isin(cells.obs_names)].copy()
    there.var = with_gene_names(there.var, tss)
    types = cells.obs["cell_type"].astype(str).loc[there.obs_names]
    there.obs["cell_type"] = types.to_numpy()
    by_label = sum_by_label(there, "cell_type")
    return without_shift(by_label) if relative else by_label


def without_shift(by_label: AnnData) -> AnnData:
    """Take out of expression what moves the genes that most are alike to.

    Parameters
    ----------
    by_label
        Labels x genes: :func:`cisgrammar.interpret.regulators.sum_by_label`.

    Notes
    -----
    Counts tell how a gene compares with all others: where many rise, the rest seem to fall. Those
    stand still here that most well expressed genes are alike to, as in
    :func:`cisgrammar.data.gene_peaks.learn_expression`.
    """
    mean = by_label.X.mean(axis=0).A1
    well = by_label.X[:, mean >= max(np.median(mean), 1e-12)]
    logs = np.log1p(well.toarray())
    about = np.ascontiguousarray((logs - logs.mean(axis=0)).T)
    still = densest_description(torch.from_numpy(about), torch.eye(by_label.n_obs)).numpy()
    shares = sparse.diags(np.exp(still.mean() - still)) @ by_label.X
    return AnnData(sparse.csr_matrix(shares), by_label.obs, by_label.var)


def _fisher(with_motif: np.ndarray, sizes: np.ndarray) -> tuple[float, float]:
    """Test for more with the motif inside than outside: odds ratio (with 0.5 each) and p."""
    table = np.stack([with_motif, sizes - with_motif])
    odds = (table + 0.5) / (table[::-1] + 0.5)
    return float(odds[0, 0] / odds[0, 1]), float(fisher_exact(table, alternative="greater").pvalue)


def _likeness(is_hit: sparse.csr_matrix, order: np.ndarray, names: np.ndarray) -> np.ndarray:
    """Name for each motif the first before it, itself like none, that shares its peaks."""
    both = (is_hit.T @ is_hit).toarray()
    number = np.diag(both)
    jaccard = both / np.maximum(number[:, None] + number - both, 1)
    like = np.full(len(names), "", dtype=object)
    own: list[int] = []
    for motif in order:
        near = np.flatnonzero(jaccard[motif, own] >= ALIKE)
        if len(near):
            like[motif] = names[own[near[0]]]
        else:
            own.append(motif)
    return like


def _largest_effect(links: pd.DataFrame, peaks: pd.Index) -> np.ndarray:
    """Give of each peak the effect that is largest, whatever its sign."""
    order = links["effect"].abs().sort_values(ascending=False, kind="stable").index
    largest = links.loc[order].drop_duplicates("peak").set_index("peak")["effect"]
    return largest.reindex(peaks).to_numpy(dtype=float)


def _shifts(is_hit: sparse.csr_matrix, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compare values with and without a hit: difference of means, p of Mann-Whitney; by motif."""
    n = len(values)
    n_with = is_hit.sum(axis=0).A1
    n_without = n - n_with
    possible = (n_with > 0) & (n_without > 0)
    sums = is_hit.T @ values
    effect = sums / np.maximum(n_with, 1) - (values.sum() - sums) / np.maximum(n_without, 1)
    ranks = rankdata(values)
    u = is_hit.T @ ranks - n_with * (n_with + 1) / 2
    spread = np.sqrt(tiecorrect(ranks) * n_with * n_without * (n + 1) / 12)
    z = (u - n_with * n_without / 2) / np.maximum(spread, 1e-12)
    p = 2 * norm.sf(np.abs(z))
    return np.where(possible, effect, np.nan), np.where(possible, p, np.nan)
