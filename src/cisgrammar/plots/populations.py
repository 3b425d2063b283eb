"""How well populations of cells are predicted, and what their own models know of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cisgrammar.common.statistics import pearson
from cisgrammar.models.registry import MODELS
from cisgrammar.plots import style

METHODS = {
    "tissue": "its tissue's model",
    "features": "features alone",
    "flags": "missing features alone",
    "kmer_ridge": "k-mer ridge",
    "kmers_and_features": "k-mers and features",
}
ABLATIONS = {
    "whole model": "whole model",
    "sequence": "sequence alone",
    "features": "features alone",
}
MOST_ROWS = 40
NAME_WIDTH = 34.0  # mm


def _title(model: str) -> str:
    return MODELS[model].title if model in MODELS else model


@style.styled
def population_scores(scores: pd.DataFrame, model: str) -> Figure:
    """Draw r over test genes of each population: a dot a method, the median of folds.

    Parameters
    ----------
    scores
        ``population_scores.tsv``.
    model
        The model's name.

    Raises
    ------
    ValueError
        If the table is empty or a column is missing.
    """
    style.require(scores, "population_scores", ["method", "population", "fold", "genes", "r"])
    every = scores[scores["genes"] == "all"]
    names = list(dict.fromkeys(every["population"].astype(str)))[:MOST_ROWS]
    height = 22 + 4.2 * len(names)
    figure = style.new_figure(style.TWO_COLUMNS * 0.75, height)
    axes = figure.subplots()
    methods = {model: _title(model), **METHODS}
    for i, (method, title) in enumerate(methods.items()):
        its = every[every["method"] == method]
        if its.empty:
            continue
        colour, median = style.PALETTE[i], its.groupby("population")["r"].median()
        rows = np.arange(len(names))
        axes.plot(
            median.reindex(names), rows, "o", ms=4 if method == model else 3, color=colour,
            label=title, zorder=3 if method == model else 2,
        )  # fmt: skip
        if method == model:
            folds = its.groupby("population")["r"].agg(["min", "max"]).reindex(names)
            axes.hlines(rows, folds["min"], folds["max"], color=colour, lw=0.8)
    labels = [style.shorten(name, NAME_WIDTH) for name in names]
    axes.set(yticks=range(len(names)), yticklabels=labels, ylim=(len(names) - 0.5, -0.5))
    axes.set_xlabel("r over test genes")
    axes.grid(axis="y", lw=0.3, color="#DDDDDD")
    figure.legend(loc="outside upper center", ncols=3)
    return figure


@style.styled
def population_ablations(table: pd.DataFrame) -> Figure:
    """Draw r with a part of the inputs, a panel a level: a dot a fold, a line their median.

    Parameters
    ----------
    table
        ``population_ablations.tsv``.

    Raises
    ------
    ValueError
        If the table is empty or a column is missing.
    """
    columns = ["ablation", "population", "level", "fold", "r"]
    style.require(table, "population_ablations", columns)
    of_folds = table.groupby(["level", "ablation", "fold"], sort=False)["r"].median().reset_index()
    names = list(dict.fromkeys(table["ablation"].astype(str)))
    levels = list(dict.fromkeys(table["level"].astype(str)))
    width = min(style.TWO_COLUMNS, 50 + 50.0 * len(levels))
    figure = style.new_figure(width, 22 + 5.0 * len(names))
    panels = figure.subplots(1, len(levels), sharey=True, squeeze=False)[0]
    for axes, level in zip(panels, levels, strict=True):
        its = of_folds[of_folds["level"].astype(str) == level]
        for row, name in enumerate(names):
            r = its.loc[its["ablation"].astype(str) == name, "r"]
            colour = style.PALETTE[0] if row == 0 else style.PALETTE[1]
            axes.plot(r, [row] * len(r), "o", ms=3, color=colour, alpha=0.7, mew=0)
            axes.plot([r.median()] * 2, [row - 0.3, row + 0.3], color="black", lw=1)
        axes.set_title(style.shorten(level, 45), loc="left")
        axes.set(xlabel="r over test genes", ylim=(len(names) - 0.5, -0.5))
        axes.grid(axis="x", lw=0.3, color="#DDDDDD")
    labels = [ABLATIONS.get(name, f"window of {name.replace('_', ' + ')}") for name in names]
    panels[0].set(yticks=range(len(names)), yticklabels=labels)
    return figure


@style.styled
def gain_against_similarity(gains: pd.DataFrame, model: str) -> Figure:
    """Draw what a population's own model gains over its tissue's, against how alike they are.

    Parameters
    ----------
    gains
        ``population_gains.tsv``.
    model
        The model's name.

    Raises
    ------
    ValueError
        If a column is missing.
    """
    columns = ["level", "similarity", "gain"]
    if missing := [column for column in columns if column not in gains]:
        raise ValueError(f"gain_against_similarity: no column {', '.join(missing)}")
    figure = style.new_figure(style.ONE_COLUMN, 70)
    axes = figure.subplots()
    axes.axhline(0, lw=0.5, color="#999999")
    for colour, (level, its) in zip(
        style.PALETTE, gains.groupby("level", sort=False), strict=False
    ):
        axes.plot(its["similarity"], its["gain"], "o", ms=4, color=colour, label=str(level))
    r = pearson(gains["similarity"], gains["gain"]) if len(gains) > 2 else np.nan
    told = f"{len(gains)} populations" + (
        f", r = {style.signed(float(r))}" if np.isfinite(r) else ""
    )
    axes.set_title(told, loc="left")
    axes.set(
        xlabel="Similarity to the tissue (r of expression)",
        ylabel="Gain in r over the tissue's model",
    )
    if len(gains):
        figure.legend(loc="outside upper center", ncols=3)
    return figure


@style.styled
def gene_r_against_variance(genes: pd.DataFrame, model: str) -> Figure:
    """Draw r of each gene over populations against how much the gene varies.

    Parameters
    ----------
    genes
        ``population_genes.tsv``.
    model
        The model's name.

    Raises
    ------
    ValueError
        If a column is missing.
    """
    columns = ["level", "variance", "r"]
    if missing := [column for column in columns if column not in genes]:
        raise ValueError(f"gene_r_against_variance: no column {', '.join(missing)}")
    levels = list(dict.fromkeys(genes["level"].astype(str))) or [""]
    figure = style.new_figure(min(style.TWO_COLUMNS, 62.0 * len(levels) + 10), 65)
    for axes, level in zip(figure.subplots(1, len(levels), squeeze=False)[0], levels, strict=True):
        its = genes[(genes["level"] == level) & genes["r"].notna() & (genes["variance"] > 0)]
        axes.plot(np.log10(its["variance"]), its["r"], ".", ms=1.5, alpha=0.4, mew=0,
                  color=style.PALETTE[0], rasterized=True)  # fmt: skip
        _tenths(axes, np.log10(its["variance"].to_numpy()), its["r"].to_numpy())
        axes.axhline(0, lw=0.5, color="#999999")
        axes.set_title(f"{level}: {len(its):,} genes", loc="left")
        axes.set(
            xlabel="Variance over populations (log10)",
            ylabel="r over populations",
            ylim=(-1.05, 1.05),
        )
    return figure


def _tenths(axes: Axes, variance: np.ndarray, r: np.ndarray) -> None:
    """Draw the median r of each tenth of the genes by variance."""
    if len(r) < 50:
        return
    parts = np.array_split(np.argsort(variance, kind="stable"), 10)
    x, y = ([float(np.median(values[part])) for part in parts] for values in (variance, r))
    axes.plot(x, y, "-o", ms=3, color=style.PALETTE[3])


@style.styled
def cross_heatmap(cross: pd.DataFrame, model: str) -> Figure:
    """Draw the score of each population's model on every population.

    Parameters
    ----------
    cross
        ``population_cross.tsv``.
    model
        The model's name.

    Raises
    ------
    ValueError
        If the table is empty or a column is missing.
    """
    style.require(cross, "cross_heatmap", ["predicted_by", "scored_on", "r"])
    names = list(dict.fromkeys(cross["predicted_by"].astype(str)))
    table = cross.pivot_table("r", "predicted_by", "scored_on", dropna=False).loc[names, names]
    side = max(4.0 * len(names), 24.0)
    figure = style.new_figure(side + 62, side + 48)
    axes = figure.subplots()
    image = axes.imshow(table.to_numpy(dtype=float), cmap=style.SEQUENTIAL, aspect="equal")
    labels = [style.shorten(name, NAME_WIDTH) for name in names]
    axes.set_xticks(range(len(names)), labels, rotation=90)
    axes.set_yticks(range(len(names)), labels)
    axes.set(xlabel="Scored on", ylabel="Predicted by the model of")
    figure.colorbar(image, ax=axes, label="r over test genes", shrink=0.8)
    return figure
