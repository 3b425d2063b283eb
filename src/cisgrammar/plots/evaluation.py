"""How well models predict."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cisgrammar.plots import style

SCORES = {
    "r2": "all\nvalues",
    "r": "all\nvalues",
    "mean_pool_r": "mean\nover pools",
    "mean_gene_r": "mean\nover genes",
    "centred_r": "gene means\nsubtracted",
}


@style.styled
def r2_over_folds(evaluation: pd.DataFrame, ceiling: float | None = None) -> Figure:
    """Draw the scores on held-out sequences: a dot a fold, a bar for their mean.

    Parameters
    ----------
    evaluation
        ``evaluation.tsv``: fold, r, r2, centred_r, mean_pool_r, mean_gene_r; its rows ``mean``
        and ``pooled`` are passed over.
    ceiling
        The highest R2 that could be reached, when it is known.

    Raises
    ------
    ValueError
        If there is no fold or a column is missing.
    """
    style.require(evaluation, "r2_over_folds", ["fold", *SCORES])
    folds = evaluation[~evaluation["fold"].astype(str).isin(["mean", "pooled"])]
    style.require(folds, "r2_over_folds")
    figure = style.new_figure(style.ONE_COLUMN + 20, 62)
    left, right = figure.subplots(1, 2, width_ratios=[1.4, 4])
    _dots_and_means(left, folds[["r2"]])
    _dots_and_means(right, folds[list(SCORES)[1:]])
    left.set_ylabel("R² on held-out sequences")
    right.set_ylabel("Pearson's r")
    if ceiling is not None:
        left.set_ylim(top=max(left.get_ylim()[1], 1.08 * ceiling))
        left.axhline(ceiling, color=style.INK, ls="--", lw=0.7)
        left.annotate(
            "ceiling", (0.5, ceiling), (0, 1), xycoords=("axes fraction", "data"),
            textcoords="offset points", ha="center", va="bottom", fontsize=style.SMALL,
        )  # fmt: skip
    return figure


def _dots_and_means(axes: Axes, scores: pd.DataFrame) -> None:
    """Draw a column of dots for each score, its mean as a bar and a number."""
    rng = np.random.default_rng(0)
    for x, values in enumerate(scores.to_numpy(float).T):
        jitter = rng.uniform(-0.16, 0.16, values.size)
        axes.scatter(x + jitter, values, s=12, c=style.PALETTE[0], lw=0, alpha=0.8)
        mean = np.nanmean(values) if np.isfinite(values).any() else np.nan
        axes.hlines(mean, x - 0.28, x + 0.28, color=style.PALETTE[3], lw=1.4, zorder=3)
        axes.annotate(
            f"{mean:.2f}", (x + 0.3, mean), (1, 0), textcoords="offset points", va="center",
            fontsize=style.TINY,
        )  # fmt: skip
    labels = [SCORES[name] for name in scores.columns]
    axes.set_xticks(range(len(labels)), labels)
    axes.set_xlim(-0.5, len(labels) - 0.3)
    low, high = (float(f(scores.to_numpy(float), initial=0)) for f in (np.nanmin, np.nanmax))
    axes.set_ylim(1.1 * low, max(1.08 * high, 0.01))


COMPARED = {"r2": "R² on held-out sequences", "centred_r": "r, gene means subtracted"}
KINDS = {"model": style.PALETTE[0], "baseline": style.PALETTE[1], "control": style.PALETTE[4]}


@style.styled
def method_comparison(
    comparison: pd.DataFrame, ceiling: Mapping[str, float] | None = None
) -> Figure:
    """Draw the scores of every method: a dot a fold, a line for their mean.

    Parameters
    ----------
    comparison
        One row per method and fold: method, kind (``model``, ``baseline`` or ``control``),
        fold, and the scores ``r2`` and ``centred_r`` (missing where a method has none).
    ceiling
        Score to the most that noise leaves to be explained, drawn as a dashed line.

    Raises
    ------
    ValueError
        If the table is empty or a column is missing.
    """
    style.require(comparison, "method_comparison", ["method", "kind", "fold", *COMPARED])
    means = comparison.groupby("method")["r2"].mean().sort_values(kind="stable")
    figure = style.new_figure(style.TWO_COLUMNS, 20 + 5 * max(len(means), 4))
    panels = figure.subplots(1, len(COMPARED), sharey=True)
    for panel, (score, label) in zip(panels, COMPARED.items(), strict=True):
        for y, method in enumerate(means.index):
            table = comparison[comparison["method"] == method]
            colour = KINDS[table["kind"].iloc[0]]
            values = table[score].to_numpy(float)
            jitter = np.random.default_rng(0).uniform(-0.22, 0.22, values.size)
            panel.scatter(values, y + jitter, s=9, c=colour, lw=0, alpha=0.85)
            panel.vlines(table[score].mean(), y - 0.36, y + 0.36, color=style.INK, lw=1.3, zorder=3)
        panel.axvline(0, color="0.8", lw=0.5, zorder=0)
        panel.set_xlabel(label)
        if ceiling and score in ceiling:
            panel.axvline(ceiling[score], color=style.INK, ls="--", lw=0.7)
            panel.set_title(f"dashed: noise ceiling {ceiling[score]:.2f}", loc="right")
    panels[0].set_yticks(range(len(means)), [style.shorten(name, 45) for name in means.index])
    panels[0].set_ylim(-0.6, len(means) - 0.4)
    kinds = [kind for kind in KINDS if kind in set(comparison["kind"])]
    handles = [
        mpl.lines.Line2D([], [], ls="", marker="o", ms=4, mew=0, color=KINDS[kind], label=kind)
        for kind in kinds
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=len(kinds))
    return figure
