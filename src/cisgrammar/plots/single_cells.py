"""What a model of single cells says of them, and how well it predicts."""

from __future__ import annotations

from collections.abc import Mapping

import anndata as ad
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from cisgrammar.common.statistics import pearson
from cisgrammar.models.registry import MODELS
from cisgrammar.plots import style
from cisgrammar.plots.maps import bare_map, category_map

MAPS = {"X_umap": "UMAP", "X_tsne": "t-SNE"}
METRICS = {
    "ari": "adjusted Rand index",
    "ami": "adjusted mutual information",
    "homogeneity": "homogeneity",
    "cell_type_asw": "silhouette of cell types",
    "label_score": "neighbours of one type",
    "neighbor_score": "neighbours also in RNA",
    "kbet": "mixing of batches, kBET",
    "ilisi": "mixing of batches, iLISI",
}
PREDICTORS = {  # of held-out peaks, as the tables call them
    "measured": ("model", style.PALETTE[0]),
    "shuffled": ("shuffled labels", "#999999"),
    "kmer_ridge": ("k-mer ridge", style.PALETTE[1]),
}
EMBEDDINGS = {"lsi": "LSI", "pca": "PCA", "harmony": "LSI, Harmony"}
EMBEDDINGS |= {name: spec.title for name, spec in MODELS.items()}


@style.styled
def embedding_map(
    cells: ad.AnnData, column: str, key: str = "X_umap", colours: Mapping[str, str] | None = None
) -> Figure:
    """Draw cells on a map of their embedding, coloured by a label.

    Parameters
    ----------
    cells
        ``embedding.h5ad``.
    column
        Of obs: ``cell_type``, ``leiden``, ``batch``.
    key
        ``X_umap`` or ``X_tsne``.
    colours
        Label to colour.

    Raises
    ------
    ValueError
        If there are no cells or no such column.
    """
    style.require(cells.obs, "embedding_map", [column])
    labels = cells.obs[column].rename("cluster" if column == "leiden" else column)
    figure, axes = category_map(np.asarray(cells.obsm[key], float), labels, colours, dot=2)
    bare_map(axes, MAPS[key])
    axes.set_title(f"{cells.n_obs:,} cells", loc="left")
    return figure


@style.styled
def depth_against_intercept(
    depth: pd.DataFrame, colours: Mapping[str, str] | None = None
) -> Figure:
    """Draw each cell's intercept against its number of open peaks, coloured by cell type.

    Parameters
    ----------
    depth
        cell_type, log10_open, intercept.
    colours
        Cell type to colour.

    Raises
    ------
    ValueError
        If the table is empty or a column is missing.
    """
    columns = ["log10_open", "intercept"]
    style.require(depth, "depth_against_intercept", ["cell_type", *columns])
    figure, axes = category_map(depth[columns].to_numpy(float), depth["cell_type"], colours, dot=3)
    told = f"r = {style.signed(_r(depth))}"
    within = [_r(cells) for _, cells in depth.groupby("cell_type", observed=True) if len(cells) > 2]
    if len(within) > 1:
        told += f"; median within cell types {style.signed(float(np.nanmedian(within)))}"
    axes.set_title(told, loc="left")
    axes.set(xlabel="Open peaks of the cell (log10)", ylabel="Intercept of the cell")
    return figure


def _r(depth: pd.DataFrame) -> float:
    return float(pearson(depth["log10_open"].to_numpy(), depth["intercept"].to_numpy()))


@style.styled
def held_out_auroc(scores: pd.DataFrame) -> Figure:
    """Draw how AUROCs of held-out peaks are distributed, per cell and per peak.

    Parameters
    ----------
    scores
        labels (``measured``, ``kmer_ridge``, ``shuffled``), per (``cell``, ``peak``), auroc
        (missing where all are open or closed).

    Raises
    ------
    ValueError
        If the table is empty or a column is missing.
    """
    style.require(scores, "held_out_auroc", ["labels", "per", "auroc"])
    there = set(scores["labels"])
    kinds = {name: colour for name, (_, colour) in PREDICTORS.items() if name in there}
    figure = style.new_figure(style.TWO_COLUMNS * 0.75, 62)
    low = min(0.45, float(scores["auroc"].min()))
    bins = np.linspace(low, 1, 41)
    for axes, per in zip(figure.subplots(1, 2), ("cell", "peak"), strict=True):
        told = []
        for name, colour in kinds.items():
            chosen = (scores["labels"] == name) & (scores["per"] == per)
            values = scores.loc[chosen, "auroc"].dropna()
            shares = np.ones(len(values)) / max(len(values), 1)
            label = PREDICTORS[name][0]
            look = {"histtype": "step", "lw": 1.2} if name == "kmer_ridge" else {"alpha": 0.75}
            axes.hist(values, bins, weights=shares, color=colour, label=label, **look)
            axes.axvline(values.mean(), color=colour, lw=0.9, ls="--")
            told.append(f"{label} {values.mean():.2f} ({len(values):,} {per}s)")
        axes.axvline(0.5, color=style.INK, lw=0.5)
        axes.set_title("Mean: " + "\n".join(told), loc="left")
        axes.set(xlabel=f"AUROC per {per}", ylabel=f"Share of {per}s", xlim=(low, 1))
    if len(kinds) > 1:
        handles, labels = axes.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(kinds))
    return figure


@style.styled
def embedding_metrics(metrics: pd.DataFrame) -> Figure:
    """Draw the scores of embeddings: a row a score, a dot an embedding.

    Parameters
    ----------
    metrics
        ``embedding_metrics.tsv``: embedding, n_clusters, then one column a score from 0 to 1.

    Raises
    ------
    ValueError
        If the table is empty or a column is missing.
    """
    style.require(metrics, "embedding_metrics", ["embedding", "n_clusters"])
    scores = metrics.drop(columns=["embedding", "n_clusters"]).dropna(axis=1, how="all")
    scores = scores[sorted(scores.columns, key=_place)]
    figure = style.new_figure(style.ONE_COLUMN + 45, 20 + 4.6 * max(scores.shape[1], 2))
    axes = figure.add_subplot()
    places = np.arange(scores.shape[1])
    axes.hlines(places, 0, 1, color=style.MISSING, lw=0.5, zorder=1)
    apart = np.linspace(0.22, -0.22, len(metrics)) if len(metrics) > 1 else [0.0]
    markers = "osD^vP*X"
    for i, (name, row) in enumerate(zip(metrics["embedding"], scores.to_numpy(float), strict=True)):
        axes.scatter(
            row, places - apart[i], s=16, lw=0, zorder=3, marker=markers[i % len(markers)],
            color=style.PALETTE[i % len(style.PALETTE)], label=embedding_name(str(name)),
        )  # fmt: skip
    axes.set_yticks(places, [metric_name(column) for column in scores.columns])
    axes.set(ylim=(len(places) - 0.4, -0.6), xlabel="Score (higher is better)")
    lowest = np.nanmin(scores.to_numpy(float), initial=0)
    axes.set_xlim(min(-0.02, float(lowest) - 0.02), 1.02)
    if scores.empty:
        axes.set_title("No cell types, batches or RNA to compare with")
    figure.legend(loc="outside upper center", ncols=4)
    return figure


def _place(column: str) -> int:
    """Put scores of one kind together, in the order of METRICS; sorting keeps the rest."""
    known = [i for i, key in enumerate(METRICS) if column.startswith(key)]
    return known[0] if known else len(METRICS)


def metric_name(column: str) -> str:
    """Name a score in words: ``label_score_50`` is among 50 neighbours."""
    for key, name in METRICS.items():
        if column == key:
            return name
        if column.startswith(f"{key}_"):
            return f"{name}, {column.removeprefix(key + '_').replace('_', ' ')}"
    return column.replace("_", " ")


def embedding_name(name: str) -> str:
    """Name an embedding in words: ``scbasset_fold1`` is scBasset's of fold 1."""
    base, _, rest = name.partition("_")
    told = EMBEDDINGS.get(base, base)
    return f"{told}, {rest.replace('_', ' ').replace('fold', 'fold ')}" if rest else told
