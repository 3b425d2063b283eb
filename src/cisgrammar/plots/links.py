"""Links of peaks and genes: how far, in which cells, and how well methods find them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.cluster.hierarchy import leaves_list, linkage

from cisgrammar.plots import style
from cisgrammar.plots.cell_types import present_types

BINS = 40
MOST_PAIRS = 400  # rows of the heat map
ENTRIES = {  # methods' names in words
    "model": "cRE attention",
    "shared_model": "without the gene's own fit",
    "highest_activity": "highest activity of a cell",
    "distance_alone": "distance",
    "nearest_tss": "nearest TSS",
    "accessibility": "accessibility",
    "abc": "accessibility x contact",
    "r_cells": "r over cells",
    "r_pools": "r over pools",
    "z_background": "z, matched background",
    "ridge": "ridge on peaks",
    "no_distance": "model, no distance",
    "shuffled_sequences": "model, shuffled sequences",
    "permuted_cells": "model, permuted cells",
}
WAYS = {
    "components": "components of all genes (limit)",
    "model": "cRE attention",
    "promoter": "promoter alone",
    "ridge_on_peaks": "ridge on peaks (saw the gene)",
}


@style.styled
def links_by_distance(
    links: pd.DataFrame, reach: int, colours: Mapping[str, str] | None = None
) -> Figure:
    """Draw how far links reach beside all candidates, and in which cell type they are highest.

    Parameters
    ----------
    links
        distance, call, best_cell_type.
    reach
        Bases.
    colours
        Cell type to colour.

    Raises
    ------
    ValueError
        If the table is empty or a column is missing.
    """
    style.require(links, "links_by_distance", ["distance", "call", "best_cell_type"])
    called = links[links["call"] != ""]
    types = present_types(called["best_cell_type"], colours)
    figure = style.new_figure(style.TWO_COLUMNS * 0.8, max(62, 14 + 2.6 * len(types)))
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    edges = np.linspace(-reach, reach, BINS + 1) / 1000
    for table, name, colour in (
        (links, f"all {len(links):,} candidates", "#999999"),
        (called, f"{len(called):,} called", style.PALETTE[0]),
        (called[called["call"] == "strong"], "strong", style.PALETTE[3]),
    ):
        if len(table):
            shares = np.full(len(table), 1 / len(table))
            left.hist(table["distance"] / 1000, edges, weights=shares, histtype="step",
                      color=colour, label=name)  # fmt: skip
    left.set(xlabel="Middle of the peak from the TSS (kb)", ylabel="Share of the pairs")
    left.locator_params(axis="x", nbins=5)
    left.legend()
    counts = called["best_cell_type"].astype(str).value_counts().reindex(types)
    names = [style.shorten(name, 30) for name in types]
    right.barh(range(len(names)), counts, color=list(types.values()))
    right.set_yticks(range(len(names)), names)
    right.margins(y=0.01)
    right.invert_yaxis()
    right.set(xlabel="Links called, by the cell type\nin which they are highest")
    return figure


@style.styled
def link_activities(activity: pd.DataFrame, order: Sequence[str] = ()) -> Figure:
    """Draw what links do in each cell type, pairs by Ward's clustering.

    Parameters
    ----------
    activity
        Pairs x cell types; those with the largest spread are drawn.
    order
        Cell types in the order of the columns; empty: that of ``activity``.
    """
    if order:
        activity = activity[[name for name in order if name in activity]]
    spread = activity.std(axis=1).to_numpy()
    rows = np.argsort(-spread, kind="stable")[:MOST_PAIRS]
    values = activity.to_numpy()[rows]
    if len(values) > 2:
        values = values[leaves_list(linkage(values, "ward"))]
    width = 45 + 2.3 * activity.shape[1]  # mm, room for a line of text each
    figure = style.new_figure(min(max(width, style.ONE_COLUMN), style.TWO_COLUMNS), 95)
    axes = figure.subplots()
    if not len(values):
        axes.text(0.5, 0.5, "no pair was called", ha="center", transform=axes.transAxes)
        axes.axis("off")
        return figure
    limit = style.symmetric_limit(values)
    image = axes.imshow(values, cmap=style.DIVERGING, vmin=-limit, vmax=limit, aspect="auto",
                        interpolation="nearest")  # fmt: skip
    names = [style.shorten(name, 20) for name in activity.columns]
    axes.set_xticks(range(len(names)), names, rotation=90)
    axes.set(yticks=[], ylabel=f"{len(values):,} links")
    figure.colorbar(image, label="Activity (SD of expression)", shrink=0.5)
    return figure


@style.styled
def links_held_out(held_out: pd.DataFrame) -> Figure:
    """Draw r over test cells of genes, by each way to predict them.

    Parameters
    ----------
    held_out
        A row a gene, a column of r for each way.
    """
    style.require(held_out, "links_held_out", list(WAYS))
    figure = style.new_figure(style.ONE_COLUMN * 1.2, 52)
    axes = figure.subplots()
    values = [held_out[way].dropna().to_numpy() for way in WAYS]
    axes.boxplot(values, orientation="horizontal", showfliers=False, widths=0.6,
                 medianprops={"color": style.PALETTE[3]})  # fmt: skip
    medians = [style.signed(float(np.median(v))) if len(v) else "none" for v in values]
    labels = [f"{name}: {m}" for name, m in zip(WAYS.values(), medians, strict=True)]
    axes.set_yticks(range(1, len(labels) + 1), labels)
    axes.invert_yaxis()
    axes.axvline(0, lw=0.5, color="#999999")
    axes.set_xlabel(f"r over test cells, {len(held_out):,} genes (median)")
    return figure


@style.styled
def link_methods(scores: pd.DataFrame) -> Figure:
    """Draw the areas under precision-recall curves of all methods, with intervals.

    Parameters
    ----------
    scores
        ``evaluation.tsv``.

    Raises
    ------
    ValueError
        If the table is empty or a column is missing.
    """
    style.require(
        scores, "link_methods", ["by_truth", "method", "distance_window", "auprc", "auroc"]
    )
    truths = list(dict.fromkeys(scores["by_truth"]))
    methods = [name for name in ENTRIES if name in set(scores["method"])]
    height = 16 + 4.2 * len(methods) * len(truths)
    figure = style.new_figure(style.TWO_COLUMNS * 0.85, height)
    axes = figure.subplots(len(truths), 2, squeeze=False, sharey=True)
    for row, truth in zip(axes, truths, strict=True):
        its = scores[(scores["by_truth"] == truth) & (scores["distance_window"] == "all")]
        its = its.set_index("method").reindex(methods)
        share = its["links"].iloc[0] / its["pairs"].iloc[0]
        _areas(row[0], its, "auprc", share, "AUPRC")
        _areas(row[1], its, "auroc", 0.5, "AUROC")
        row[0].set_yticks(range(len(methods)), [ENTRIES[name] for name in methods])
        row[0].set_ylim(len(methods) - 0.5, -0.5)
        n = its.iloc[0]
        row[0].set_title(f"{truth}: {n['links']:,.0f} of {n['pairs']:,.0f} pairs", loc="left")
    return figure


def _areas(axes: Axes, table: pd.DataFrame, area: str, chance: float, label: str) -> None:
    rows = np.arange(len(table))
    colours = [style.PALETTE[0 if name == "model" else 7] for name in table.index]
    axes.hlines(rows, table[f"{area}_low"], table[f"{area}_high"], colors=colours, lw=1)
    axes.scatter(table[area], rows, c=colours, s=12, zorder=3)
    axes.axvline(chance, lw=0.6, color="#999999", ls=":")
    axes.set_xlabel(f"{label} (dotted: chance)")
    axes.grid(axis="y", lw=0.3, color="#DDDDDD")
