"""One table of links: how much each peak drives each gene, where, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from anndata import AnnData

from cisgrammar.data.folds import TEST, TRAIN
from cisgrammar.data.gene_batches import GeneBatch, GenePeaks
from cisgrammar.interpret.link_activities import gene_activities
from cisgrammar.models.cre_attention import CreAttention

STRONG, WEAK = "strong", "weak"
NEAR = 500  # pairs of like distance that a null is taken from
RIDGE = 0.25  # penalty of the ridge on peaks, as a share of the cells


@dataclass
class LinkScores:
    """What is said of each pair; arrays are ``(pairs,)`` and may be of some genes alone yet.

    Parameters
    ----------
    spread
        Standard deviation over cells of what the peak adds to the gene, by the shared model.
    weight
        How much of that the gene's own expression supports: 1 is as much as the model says.
    score, null
        ``spread`` times ``weight``, where that is above 0; the same of a matched peak of another
        chromosome in the place of this one.
    highest
        The largest absolute activity of any cell, as published.
    r
        Of the activity with the gene's measured expression, over cells.
    slope
        Sign of the activity's covariance with accessibility: -1, 0 or 1.
    by_type
        Mean activity about its mean over cells, times ``weight``: ``(pairs, cell types)``.
    genes
        How well each gene is predicted.
    """

    spread: np.ndarray
    weight: np.ndarray
    score: np.ndarray
    null: np.ndarray
    highest: np.ndarray
    r: np.ndarray
    slope: np.ndarray
    by_type: np.ndarray
    genes: list[dict[str, Any]]

    @classmethod
    def empty(cls, n_pairs: int, n_types: int) -> LinkScores:
        """Start with zeros."""
        names = ("spread", "weight", "score", "null", "highest", "r", "slope")
        arrays = {name: np.zeros(n_pairs) for name in names}
        return cls(**arrays, by_type=np.zeros((n_pairs, n_types)), genes=[])

    def gene_table(self, folds: pd.DataFrame) -> pd.DataFrame:
        """List genes in the order of the folds, with r over test cells of each way to predict."""
        table = pd.DataFrame(self.genes).set_index("gene")
        return table.reindex(folds["sequence"]).rename_axis("gene").reset_index()


@dataclass(frozen=True)
class Labels:
    """What is known of cells: their types and the parts that they are in, a label for each."""

    cell_types: np.ndarray
    parts: np.ndarray

    def means(self) -> np.ndarray:
        """Give what averages over the cells of each type: ``(types, cells)``."""
        names, number = np.unique(self.cell_types, return_inverse=True)
        shares = np.zeros((len(names), len(number)), np.float32)
        shares[number, np.arange(len(number))] = 1 / np.bincount(number)[number]
        return shares


def score_genes(
    scores: LinkScores,
    model: CreAttention,
    data: GenePeaks,
    genes: Sequence[int] | np.ndarray,
    background: np.ndarray,
    labels: Labels,
    *,
    target: str,
    penalty: float,
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
    labels
        Of the cells.
    penalty
        As for :func:`supported`.
    """
    device, of_types = next(model.parameters()).device, labels.means()
    for gene in map(int, genes):
        its, readout = data.candidates.of_gene(gene), data.readout(gene, target)
        batch = data.batch([gene])
        found = gene_activities(model, batch.to(device), readout)
        every = _centred(found.added)
        other = _replaced(batch, data, background[data.candidates.peaks[its]])
        null = _centred(gene_activities(model, other.to(device), readout).added)[:, 1:]
        observed = _centred(data.expression.observed(np.array([gene])))[:, 0]
        weight, null_weight = supported(every, null, observed, penalty)
        values, access = every[:, 1:], batch.accessibility[0][:, 1:].numpy()
        covariance = (values * (access - access.mean(axis=0))).mean(axis=0)
        scores.spread[its] = values.std(axis=0)
        scores.weight[its] = weight
        scores.score[its] = np.maximum(weight, 0) * values.std(axis=0)
        scores.null[its] = np.maximum(null_weight, 0) * null.std(axis=0)
        scores.highest[its] = np.abs(found.added[:, 1:].cpu().numpy()).max(axis=0)
        scores.r[its] = correlation(values, observed)
        scores.slope[its] = np.sign(np.where(np.abs(covariance) > 1e-9, covariance, 0))
        scores.by_type[its] = (of_types @ values).T * weight[:, None]
        scores.genes.append(
            _gene_row(data, gene, found.prediction.cpu().numpy(), batch, observed, labels.parts)
        )


def _centred(values: Any) -> np.ndarray:
    values = np.asarray(values.cpu() if hasattr(values, "cpu") else values, dtype=np.float64)
    return values - values.mean(axis=0)


def supported(
    values: np.ndarray, null: np.ndarray, observed: np.ndarray, penalty: float
) -> tuple[np.ndarray, np.ndarray]:
    """Say how much of what each peak adds one gene's own expression supports.

    Parameters
    ----------
    added
        What the promoter and the candidates add, centred: ``(cells, 1 + candidates)``.
    null
        What matched peaks add in the candidates' places, centred: ``(cells, candidates)``.
    observed
        The gene's measured expression, centred: ``(cells,)``.
    penalty
        Of the squared differences of weights from 1; high ones trust the shared model.

    Returns
    -------
    Weights of the candidates, fitted together, and of each matched peak, fitted in the place of
    its candidate: ``(candidates,)`` each.

    Notes
    -----
    Ridge regression about 1 in place of 0: the shared model is the prior of a gene's own fit. So
    a peak that is open in the same cells as a true link is told from it by its sequence first,
    and by the gene's own cells where these say more.
    """
    gram, product = values.T @ values, values.T @ observed
    diagonal = penalty * np.eye(len(gram))
    weight = np.linalg.solve(gram + diagonal, product + penalty)[1:]
    cross, squares, its = values.T @ null, (null**2).sum(axis=0), null.T @ observed
    grams = np.repeat((gram + diagonal)[None], null.shape[1], axis=0)
    products = np.repeat((product + penalty)[None], null.shape[1], axis=0)
    each = np.arange(null.shape[1])
    grams[each, each + 1, :] = cross.T
    grams[each, :, each + 1] = cross.T
    grams[each, each + 1, each + 1] = squares + penalty
    products[each, each + 1] = its + penalty
    solved = np.linalg.solve(grams, products[:, :, None])[:, :, 0]
    return weight, solved[each, each + 1]


def correlation(centred: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """Correlate centred columns with centred values: ``(columns,)``; 0 where one is constant."""
    size = np.sqrt((centred**2).sum(axis=0)) * np.sqrt((observed**2).sum())
    product = (centred * observed[:, None]).sum(axis=0)
    return np.where(size > 1e-9, product / np.maximum(size, 1e-9), 0)


def _replaced(batch: GeneBatch, data: GenePeaks, peaks: np.ndarray) -> GeneBatch:
    """Put other peaks where the candidates are."""
    access = batch.accessibility[0][:, :1]
    other = torch.cat([access, data.accessibility.of_peaks(peaks)], dim=1)
    return GeneBatch(
        batch.promoters, data.embedding[torch.from_numpy(peaks)], batch.distances, batch.counts,
        [other],
    )  # fmt: skip


def _gene_row(
    data: GenePeaks,
    gene: int,
    prediction: np.ndarray,
    batch: GeneBatch,
    observed: np.ndarray,
    parts: np.ndarray,
) -> dict[str, Any]:
    """Say how well a gene is predicted in test cells: by the model, its promoter, its peaks."""
    train, test = (np.flatnonzero(parts == part) for part in (TRAIN, TEST))
    access = batch.accessibility[0].numpy().astype(np.float64)
    seen = access[train] - access[train].mean(axis=0)
    gram = seen.T @ seen + RIDGE * len(train) * np.eye(access.shape[1])
    by_peaks = access @ np.linalg.solve(gram, seen.T @ observed[train])
    ways = {"model": prediction, "promoter": access[:, 0], "ridge_on_peaks": by_peaks}
    row: dict[str, Any] = {"gene": data.candidates.genes["gene"].iloc[gene]}
    row["peaks"] = access.shape[1]
    denoised = data.expression.denoised(np.array([gene]))[test, 0]
    for name, its in (ways | {"components": None}).items():
        its = denoised if its is None else its[test]
        row[name] = float(correlation((its - its.mean())[:, None], _centred(observed[test]))[0])
    return row


def p_values(score: np.ndarray, null: np.ndarray, distances: np.ndarray) -> np.ndarray:
    """Rank each pair's score among those of matched pairs at like distances.

    Parameters
    ----------
    score, null
        Of pairs, and of the same with a peak of another chromosome: ``(pairs,)``.
    distances
        In bases.

    Returns
    -------
    (1 + nulls as high) / (1 + nulls), in windows of pairs of like absolute distance.
    """
    order = np.argsort(np.abs(distances), kind="stable")
    p = np.ones(len(order))
    for rows in np.array_split(order, max(1, len(order) // NEAR)):
        nulls = np.sort(null[rows])
        higher = len(nulls) - np.searchsorted(nulls, score[rows], "left")
        p[rows] = (1 + higher) / (1 + len(nulls))
    return p


def false_discovery_rates(score: np.ndarray, null: np.ndarray) -> np.ndarray:
    """Estimate the share of false ones among the pairs that score at least as high as each.

    Parameters
    ----------
    score, null
        As for :func:`p_values`.

    Returns
    -------
    The least estimate at this or a lower threshold, at most 1: ``(pairs,)``.

    Notes
    -----
    Matched pairs are decoys, as in target-decoy searches of spectra (Elias & Gygi 2007): as many
    pairs are false as decoys score as high, plus one. That is cautious: some of the peaks that
    are put in would be links if they were there.
    """
    order = np.argsort(-score, kind="stable")
    nulls = np.sort(null)
    higher = len(nulls) - np.searchsorted(nulls, score[order], "left")
    last = np.searchsorted(-score[order], -score[order], "right")  # ties count together
    estimate = np.minimum((1 + higher) / last, 1)
    found = np.empty(len(score))
    found[order] = np.minimum.accumulate(estimate[::-1])[::-1]
    return found


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
    limits = [settings["weak"], settings["strong"]]
    weak, strong = np.percentile(positive, limits) if len(positive) else (np.inf, np.inf)
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
    gene, gene_name, peak, chrom, start, end, distance, promoter_peak, link_score, spread, weight,
    highest, sign (``+``, ``-`` or nothing), r, best_cell_type, p, fdr, call, and the baselines.
    """
    pairs = data.candidates.table(peaks.index)
    places = peaks.iloc[data.candidates.peaks][["chrom", "start", "end"]].reset_index(drop=True)
    p = p_values(scores.score, scores.null, data.candidates.distances)
    fdr = false_discovery_rates(scores.score, scores.null)
    names = np.asarray(cell_types, dtype=object)
    table = pairs[["gene", "gene_name", "peak"]].join(places)
    return table.assign(
        distance=pairs["distance"],
        promoter_peak=pairs["promoter_peak"],
        link_score=scores.score,
        spread=scores.spread,
        weight=scores.weight,
        highest=scores.highest,
        sign=pd.Series(scores.slope).map({1.0: "+", -1.0: "-", 0.0: ""}).to_numpy(),
        r=scores.r,
        best_cell_type=names[scores.by_type.argmax(axis=1)],
        p=p,
        fdr=fdr,
        call=strengths(scores.score, scores.slope, fdr, settings),
    ).join(baselines.drop(columns="distance"))


def activities_of_types(table: pd.DataFrame, scores: LinkScores, types: Sequence[str]) -> AnnData:
    """Give cell types x pairs: mean activity about its mean over cells."""
    var = table[["gene", "gene_name", "peak", "distance", "call"]].copy()
    var.index = pd.Index(var["gene"] + "|" + var["peak"], name="pair")
    obs = pd.DataFrame(index=pd.Index(types, name="cell_type"))
    return AnnData(scores.by_type.T.astype(np.float32), obs, var)
