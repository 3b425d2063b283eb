"""How well models predict."""

from __future__ import annotations

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
    low = min(0.0, float(np.nanmin(scores.to_numpy(float), initial=0)))
    axes.set_ylim(low if low == 0 else low * 1.1)
