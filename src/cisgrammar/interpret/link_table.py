"""One table of links: how much each peak drives each gene, where, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import torch
from anndata import AnnData

from cisgrammar.common.statistics import benjamini_hochberg
from cisgrammar.data.folds import TEST, TRAIN
from cisgrammar.data.gene_batches import GeneBatch, GenePeaks
from cisgrammar.interpret.link_activities import Activities, gene_activities
from cisgrammar.models.cre_attention import CreAttention

STRONG, WEAK = "strong", "weak"
NEAR = 500  # pairs of like distance that a null is taken from


@dataclass
class LinkScores:
    """What is said of each pair; arrays are ``(pairs,)`` and may be of some genes alone yet.

    Parameters
    ----------
    score
        Standard deviation over cells of what the peak adds to the gene.
    highest
        The largest absolute activity of any cell, as published.
    r
        Of that activity with the gene's measured expression, over cells.
    slope
        Sign of the activity's covariance with accessibility: -1, 0 or 1.
    evidence, null
        How well what the peak adds explains what the other peaks leave of the gene's expression;
        the same of a matched peak of another chromosome.
    by_type
        Mean activity about its mean over cells: ``(pairs, cell types)``.
    """

    score: np.ndarray
    highest: np.ndarray
    r: np.ndarray
    slope: np.ndarray
    evidence: np.ndarray
    null: np.ndarray
    by_type: np.ndarray
    genes: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def empty(cls, n_pairs: int, n_types: int) -> LinkScores:
        """Start with zeros."""
        arrays = [np.zeros(n_pairs) for _ in range(6)]
        return cls(*arrays, by_type=np.zeros((n_pairs, n_types)))


def score_genes(
    scores: LinkScores,
    model: CreAttention,
    data: GenePeaks,
    genes: Sequence[int] | np.ndarray,
    background: np.ndarray,
    cell_types: np.ndarray,
    parts_of_cells: np.ndarray,
    target: str,
) -> None:
    """Fill in the pairs of some genes by a model that did not see these.

    Parameters
    ----------
    scores
        Is filled in.
    model, data, target
        The trained model, what it learned from, and what it predicts.
    genes
        Rows.
    background
        For each peak one of another chromosome, alike in accessibility and GC: ``(peaks,)``.
    cell_types, parts_of_cells
        Of the cells.
    """
    device = next(model.parameters()).device
    names, number = np.unique(cell_types, return_inverse=True)
    mean_of_type = np.zeros((len(names), len(number)), np.float32)
    mean_of_type[number, np.arange(len(number))] = 1 / np.bincount(number)[number]
    for gene in map(int, genes):
        its, readout = data.candidates.of_gene(gene), data.readout(gene, target)
        batch = data.batch([gene])
        found = gene_activities(model, batch.to(device), readout)
        values = found.values[:, 1:].cpu().numpy()
        access = batch.accessibility[0][:, 1:].numpy()
        centred = values - values.mean(axis=0)
        observed = data.expression.observed(np.array([gene]))[:, 0]
        scores.score[its] = centred.std(axis=0)
        scores.highest[its] = np.abs(values).max(axis=0)
        scores.r[its] = _correlation(centred, observed)
        covariance = (centred * (access - access.mean(axis=0))).mean(axis=0)
        scores.slope[its] = np.sign(np.where(np.abs(covariance) > 1e-9, covariance, 0))
        scores.by_type[its] = (mean_of_type @ centred).T
        rest = observed - _fitted(found, observed)
        scores.evidence[its] = _evidence(centred, rest, own=True)
        other = _replaced(batch, data, background[data.candidates.peaks[its]])
        null = gene_activities(model, other.to(device), readout).values[:, 1:].cpu().numpy()
        scores.null[its] = _evidence(null - null.mean(axis=0), rest, own=False)
        scores.genes.append(_gene_row(data, gene, found, observed, parts_of_cells))


def _fitted(found: Activities, observed: np.ndarray) -> np.ndarray:
    """Give the prediction, about the level of the gene."""
    prediction = found.prediction.cpu().numpy()
    return prediction - prediction.mean() + observed.mean()


def _evidence(added: np.ndarray, rest: np.ndarray, own: bool) -> np.ndarray:
    """Say by how much what peaks add lowers the squared error of the rest, as a signed root.

    ``rest`` is expression less the whole prediction; what a peak of its own adds is given back.
    """
    target = rest[:, None] + added if own else np.broadcast_to(rest[:, None], added.shape)
    target = target - target.mean(axis=0)
    size = np.sqrt((added**2).sum(axis=0))
    product = (added * target).sum(axis=0)
    return np.where(size > 1e-9, product / np.where(size > 1e-9, size, 1), 0)


def _correlation(centred: np.ndarray, observed: np.ndarray) -> np.ndarray:
    y = observed - observed.mean()
    size = np.sqrt((centred**2).sum(axis=0)) * np.sqrt((y**2).sum())
    return np.where(size > 1e-9, (centred * y[:, None]).sum(axis=0) / np.maximum(size, 1e-9), 0)


def _replaced(batch: GeneBatch, data: GenePeaks, peaks: np.ndarray) -> GeneBatch:
    """Put other peaks where the candidates are."""
    access = batch.accessibility[0][:, :1]
    other = torch.cat([access, data.accessibility.of_peaks(peaks)], dim=1)
    return GeneBatch(
        batch.promoters, data.embedding[torch.from_numpy(peaks)], batch.distances, batch.counts,
        [other],
    )  # fmt: skip


def _gene_row(
    data: GenePeaks, gene: int, found: Activities, observed: np.ndarray, parts: np.ndarray
) -> dict[str, Any]:
    """Say how well a gene's expression is predicted in the cells of each part."""
    prediction = found.prediction.cpu().numpy()[:, None]
    row: dict[str, Any] = {"gene": data.candidates.genes["gene"].iloc[gene]}
    for part in (TRAIN, TEST):
        here = parts == part
        its = prediction[here] - prediction[here].mean()
        row[f"r_{part}_cells"] = float(_correlation(its, observed[here])[0])
    return row


def p_values(evidence: np.ndarray, null: np.ndarray, distances: np.ndarray) -> np.ndarray:
    """Rank each pair's evidence among that of matched pairs at like distances.

    Parameters
    ----------
    evidence, null
        Of pairs, and of pairs with a peak of another chromosome: ``(pairs,)``.
    distances
        In bases.

    Returns
    -------
    (1 + nulls as high) / (1 + nulls), by windows of pairs of like absolute distance.
    """
    order = np.argsort(np.abs(distances), kind="stable")
    n_windows = max(1, len(order) // NEAR)
    p = np.ones(len(order))
    for rows in np.array_split(order, n_windows):
        nulls = np.sort(null[rows])
        higher = len(nulls) - np.searchsorted(nulls, evidence[rows], "left")
        p[rows] = (1 + higher) / (1 + len(nulls))
    return p


def strengths(
    score: np.ndarray, slope: np.ndarray, fdr: np.ndarray, settings: Mapping[str, float]
) -> np.ndarray:
    """Call strong and weak cREs.

    Parameters
    ----------
    score, slope, fdr
        Of pairs.
    settings
        ``weak``, ``strong``: percentiles of the scores above 0; ``max_fdr``.

    Notes
    -----
    Murakami et al. (2025): above the 40th and the 85th percentile, where accessibility and
    activity rise together. Here the FDR has to be low too, unless ``max_fdr`` is 1.
    """
    positive = score[score > 0]
    weak, strong = np.percentile(positive, [settings["weak"], settings["strong"]]) if len(
        positive
    ) else (np.inf, np.inf)
    possible = (slope > 0) & (fdr <= settings["max_fdr"])
    call = np.full(len(score), "", dtype=object)
    call[possible & (score > weak)] = WEAK
    call[possible & (score > strong)] = STRONG
    return call


def link_table(
    data: GenePeaks,
    peaks: pd.DataFrame,
    scores: LinkScores,
    cell_types: Sequence[str],
    baselines: pd.DataFrame,
    settings: Mapping[str, Any],
) -> pd.DataFrame:
    """Join what the model and simple methods say of all pairs.

    Parameters
    ----------
    data
        Genes and candidates.
    peaks
        Index name; chrom, start, end.
    scores
        Of all genes.
    cell_types
        Names of the columns of ``scores.by_type``.
    baselines
        A column for each simple method, a row for each pair.
    settings
        The key ``calls`` of the section ``links``.

    Returns
    -------
    gene, gene_name, peak, chrom, start, end, distance, promoter, score, highest, sign (``+``,
    ``-`` or nothing), r, best_cell_type, evidence, p, fdr, strength, and the baselines.
    """
    pairs = data.candidates.table(peaks.index)
    places = peaks.iloc[data.candidates.peaks][["chrom", "start", "end"]].reset_index(drop=True)
    p = p_values(scores.evidence, scores.null, data.candidates.distances)
    p[scores.score <= 0] = 1
    fdr = benjamini_hochberg(p)
    names = np.asarray(cell_types, dtype=object)
    table = pairs[["gene", "gene_name", "peak"]].join(places)
    return table.assign(
        distance=pairs["distance"],
        promoter=pairs["promoter"],
        score=scores.score,
        highest=scores.highest,
        sign=pd.Series(scores.slope).map({1.0: "+", -1.0: "-", 0.0: ""}).to_numpy(),
        r=scores.r,
        best_cell_type=names[scores.by_type.argmax(axis=1)],
        evidence=scores.evidence,
        p=p,
        fdr=fdr,
        strength=strengths(scores.score, scores.slope, fdr, settings),
    ).join(baselines.drop(columns="distance"))


def activities_of_types(table: pd.DataFrame, scores: LinkScores, types: Sequence[str]) -> AnnData:
    """Give cell types x pairs: mean activity about its mean over cells."""
    var = table[["gene", "gene_name", "peak", "distance", "strength"]].copy()
    var.index = pd.Index(var["gene"] + "|" + var["peak"], name="pair")
    obs = pd.DataFrame(index=pd.Index(types, name="cell_type"))
    return AnnData(scores.by_type.T.astype(np.float32), obs, var)
