"""Links of all genes, each by the model of the fold that did not see it; activities in cells."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from anndata import AnnData
from scipy.stats import mannwhitneyu

from cisgrammar.common.progress import progress
from cisgrammar.common.statistics import benjamini_hochberg
from cisgrammar.data.folds import TEST
from cisgrammar.data.gene_batches import GenePeaks
from cisgrammar.interpret.link_baselines import draw_background
from cisgrammar.interpret.link_evidence import fit_effects
from cisgrammar.interpret.link_table import STRONG, LinkScores, score_effects, score_genes
from cisgrammar.models.cre_attention import load_attention

MAX_P, LEAST_DIFFERENCE = 1e-4, 0.01  # adjusted; of mean z-scores
logger = logging.getLogger(__name__)


def score_by_folds(
    models: Sequence[str | Path],
    data: GenePeaks,
    folds: pd.DataFrame,
    peaks: pd.DataFrame,
    labels: tuple[np.ndarray, np.ndarray],
    settings: Mapping[str, Any],
    *,
    seed: int,
    device: torch.device | str = "cpu",
) -> LinkScores:
    """Score the pairs of each fold's test genes by its model.

    Parameters
    ----------
    models
        Checkpoints, in the order of the folds.
    data
        What they learned from.
    folds
        Of the genes.
    peaks
        ``chrom``, ``accessibility``, ``gc``: by which peaks are matched for the null.
    labels
        Types and parts of the cells.
    settings
        The section ``links``.
    seed
        Of the matched peaks.
    device
        Where to compute.
    """
    types, parts = labels
    background = draw_background(peaks, 1, seed)[:, 0]
    sizes = len(data.candidates.peaks), len(data.candidates), len(np.unique(types))
    scores = LinkScores.empty(*sizes)
    for fold, path in enumerate(progress(models, "folds")):
        score_genes(
            scores,
            load_attention(path, device),
            data,
            np.flatnonzero(folds[f"fold{fold}"] == TEST),
            background,
            parts,
            target=settings["target"],
        )
    effects = fit_effects(
        data, scores.expected, scores.of_promoters, scores.of_matched, background, seed
    )
    score_effects(scores, data, effects, background, types)
    return scores


def activities_of_cells(data: GenePeaks, links: pd.DataFrame, obs: pd.DataFrame) -> AnnData:
    """Give what strong cREs add to their genes in each cell, and nothing of other pairs.

    Parameters
    ----------
    data
        As for :func:`score_by_folds`.
    links
        The table of links, with ``call`` and ``effect``.
    obs
        Of the cells.

    Returns
    -------
    Cells x pairs, float32: effect times accessibility.
    """
    strong = np.flatnonzero((links["call"] == STRONG).to_numpy())
    values = data.accessibility.of_peaks(data.candidates.peaks[strong]).numpy()
    values = values * links["effect"].to_numpy(np.float32)[strong]
    logger.info("%d strong cREs in %d cells", len(strong), len(obs))
    var = links.iloc[strong][["gene", "gene_name", "peak", "distance", "link_score"]].copy()
    var.index = pd.Index(var["gene"] + "|" + var["peak"], name="pair")
    return AnnData(values, obs[["cell_type"]].copy(), var)


def specific_links(activities: AnnData) -> pd.DataFrame:
    """Find the strong cREs that are more active in one cell type than in the others.

    Parameters
    ----------
    activities
        From :func:`activities_of_cells`.

    Returns
    -------
    gene, gene_name, peak, cell_type, difference (of mean z-scores over a cell's cREs), p, p_adj.

    Notes
    -----
    Murakami et al. (2025), code: z-scores within a cell, rank-sum test, adjusted p < 1e-4.
    """
    columns = ["gene", "gene_name", "peak", "cell_type", "difference", "p", "p_adj"]
    if not activities.n_vars:
        return pd.DataFrame(columns=columns)
    x = np.asarray(activities.X, dtype=np.float64)
    x = (x - x.mean(axis=1, keepdims=True)) / np.maximum(x.std(axis=1, keepdims=True), 1e-12)
    types, tables = activities.obs["cell_type"].astype(str).to_numpy(), []
    for name in np.unique(types):
        inside, outside = x[types == name], x[types != name]
        if not len(outside):
            continue
        p = mannwhitneyu(inside, outside, alternative="greater", axis=0).pvalue
        table = activities.var[["gene", "gene_name", "peak"]].reset_index(drop=True)
        difference = inside.mean(axis=0) - outside.mean(axis=0)
        tables.append(table.assign(cell_type=name, difference=difference, p=p))
    found = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)
    found["p_adj"] = benjamini_hochberg(found["p"].to_numpy(float))
    kept = found[(found["p_adj"] < MAX_P) & (found["difference"] > LEAST_DIFFERENCE)]
    return kept.sort_values(["cell_type", "p"], kind="stable")[columns].reset_index(drop=True)
