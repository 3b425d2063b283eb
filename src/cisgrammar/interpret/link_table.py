"""One table of links: how much each peak drives each gene, where, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from anndata import AnnData
from scipy.stats import norm

from cisgrammar.data.folds import TEST, TRAIN
from cisgrammar.data.gene_batches import GeneBatch, GenePeaks
from cisgrammar.interpret.link_activities import gene_activities
from cisgrammar.interpret.link_evidence import Effects
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
    highest
        The largest absolute activity of any cell by the shared model, as published.
    expected, of_matched
        Effect per unit of accessibility by the shared model: of the peak, and of a matched peak
        of another chromosome in the place of this one.
    of_promoters
        The same of each gene's promoter: ``(genes,)``.
    effect
        After the gene's own cells were seen (:mod:`cisgrammar.interpret.link_evidence`).
    score, null
        How sure a large effect is (:func:`certainty`); the same of the matched peak.
    r
        Of what the peak adds with the gene's measured expression, over cells.
    by_type
        Effect times accessibility about its mean over cells: ``(pairs, cell types)``.
    genes
        How well each gene is predicted.
    """

    spread: np.ndarray
    highest: np.ndarray
    expected: np.ndarray
    of_matched: np.ndarray
    of_promoters: np.ndarray
    effect: np.ndarray
    score: np.ndarray
    null: np.ndarray
    r: np.ndarray
    by_type: np.ndarray
    genes: list[dict[str, Any]]

    @classmethod
    def empty(cls, n_pairs: int, n_genes: int, n_types: int) -> LinkScores:
        """Start with zeros."""
        names = ("spread", "highest", "expected", "of_matched", "effect", "score", "null", "r")
        arrays = {name: np.zeros(n_pairs) for name in names}
        by_type = np.zeros((n_pairs, n_types))
        return cls(**arrays, of_promoters=np.zeros(n_genes), by_type=by_type, genes=[])

    def gene_table(self, folds: pd.DataFrame) -> pd.DataFrame:
        """List genes in the order of the folds, with r over test cells of each way to predict."""
        table = pd.DataFrame(self.genes).set_index("gene")
        return table.reindex(folds["sequence"]).rename_axis("gene").reset_index()


def score_genes(
    scores: LinkScores,
    model: CreAttention,
    data: GenePeaks,
    genes: Sequence[int] | np.ndarray,
    background: np.ndarray,
    parts: np.ndarray,
    *,
    target: str,
) -> None:
    """Fill in what a model that did not see some genes says of their pairs.

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
    parts
        Of the cells.
    """
    device = next(model.parameters()).device
    for gene in map(int, genes):
        its, readout = data.candidates.of_gene(gene), data.readout(gene, target)
        batch = data.batch([gene])
        found = gene_activities(model, batch.to(device), readout)
        added = found.added.cpu().numpy()
        other = _replaced(batch, data, background[data.candidates.peaks[its]])
        of_other = gene_activities(model, other.to(device), readout).added
        observed = _centred(data.expression.observed(np.array([gene])))[:, 0]
        slope = slopes(_centred(added), _centred(batch.accessibility[0]))
        scores.of_promoters[gene], scores.expected[its] = slope[0], slope[1:]
        scores.of_matched[its] = slopes(_centred(of_other), _centred(other.accessibility[0]))[1:]
        scores.spread[its] = added[:, 1:].std(axis=0)
        scores.highest[its] = np.abs(added[:, 1:]).max(axis=0)
        scores.genes.append(
            _gene_row(data, gene, found.prediction.cpu().numpy(), batch, observed, parts)
        )


def score_effects(
    scores: LinkScores,
    data: GenePeaks,
    effects: Effects,
    background: np.ndarray,
    cell_types: np.ndarray,
) -> None:
    """Fill in what follows from effects that genes' own cells support."""
    names, number = np.unique(cell_types, return_inverse=True)
    of_types = np.zeros((len(names), len(number)))
    of_types[number, np.arange(len(number))] = 1 / np.bincount(number)[number]
    scores.effect[:] = effects.mean
    sizes, other_sizes = np.zeros((2, len(effects.mean)))
    for gene in range(len(data.candidates)):
        its = data.candidates.of_gene(gene)
        peaks, effect = data.candidates.peaks[its], effects.mean[its]
        access = _centred(data.accessibility.of_peaks(peaks))
        observed = _centred(data.expression.observed(np.array([gene])))[:, 0]
        sizes[its] = access.std(axis=0)
        other_sizes[its] = data.accessibility.of_peaks(background[peaks]).numpy().std(axis=0)
        scores.r[its] = correlation(access * effect, observed)
        scores.by_type[its] = (of_types @ access).T * effect[:, None]
    usual = float(np.sqrt(np.mean((effects.mean * sizes) ** 2)))
    scores.score[:] = certainty(effects.mean * sizes, effects.deviation * sizes, usual)
    scores.null[:] = certainty(
        effects.null_mean * other_sizes, effects.null_deviation * other_sizes, usual
    )


def certainty(mean: np.ndarray, deviation: np.ndarray, usual: float) -> np.ndarray:
    """Say how sure it is that an effect, whatever its sign, is larger than is usual.

    Parameters
    ----------
    mean, deviation
        Of each effect.
    usual
        A size.

    Returns
    -------
    -log10 of the probability that it is smaller, or of the other sign.
    """
    distance = (np.abs(mean) - usual) / np.maximum(deviation, 1e-12)
    return -norm.logcdf(-distance) / np.log(10)


def _centred(values: Any) -> np.ndarray:
    values = np.asarray(values.cpu() if hasattr(values, "cpu") else values, dtype=np.float64)
    return values - values.mean(axis=0)


def slopes(added: np.ndarray, access: np.ndarray) -> np.ndarray:
    """Regress what peaks add on their accessibility, both centred; 0 where that is constant."""
    square = (access**2).sum(axis=0)
    return np.where(square > 1e-9, (added * access).sum(axis=0) / np.maximum(square, 1e-9), 0)


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
    score: np.ndarray, effect: np.ndarray, fdr: np.ndarray, settings: Mapping[str, float]
) -> np.ndarray:
    """Call strong and weak cREs.

    Parameters
    ----------
    score, effect, fdr
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
    possible = (effect > 0) & (fdr <= settings["max_fdr"])
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
    gene, gene_name, peak, chrom, start, end, distance, promoter_peak, link_score, spread, effect,
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
        effect=scores.effect,
        highest=scores.highest,
        sign=pd.Series(np.sign(scores.effect)).map({1.0: "+", -1.0: "-", 0.0: ""}).to_numpy(),
        r=scores.r,
        best_cell_type=names[scores.by_type.argmax(axis=1)],
        p=p,
        fdr=fdr,
        call=strengths(scores.score, scores.effect, fdr, settings),
    ).join(baselines.drop(columns="distance"))


def activities_of_types(table: pd.DataFrame, scores: LinkScores, types: Sequence[str]) -> AnnData:
    """Give cell types x pairs: mean activity about its mean over cells."""
    var = table[["gene", "gene_name", "peak", "distance", "call"]].copy()
    var.index = pd.Index(var["gene"] + "|" + var["peak"], name="pair")
    obs = pd.DataFrame(index=pd.Index(types, name="cell_type"))
    return AnnData(scores.by_type.T.astype(np.float32), obs, var)
