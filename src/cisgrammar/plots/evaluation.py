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
    "mean_pool_r": "mean over\npools",
    "mean_gene_r": "mean over\nsequences",
    "centred_r": "means\nsubtracted",
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


COMPARED = {
    "r2": "R² on held-out sequences",
    "centred_r": "r, means of\nsequences subtracted",
    "doubly_centred_r": "r, means of sequences\nand pools subtracted",
}
OF_CLASSES = {"mean_auroc": "area under\nthe ROC curve"}
METHODS = {
    "mean": "mean of the training sequences",
    "gc": "GC and CpG content",
    "linear": "motif hits, linear regression",
    "ridge": "motif hits, ridge regression",
    "random_forest": "motif hits, random forest",
    "kmer_ridge": "k-mer counts, ridge regression",
    "kmer_logistic": "k-mer counts, logistic regression",
    "shuffled_nucleotides": "nucleotides shuffled",
    "shuffled_dinucleotides": "dinucleotides shuffled",
    "permuted_pools": "pools permuted within sequences",
    "only_aligned": "only filters that match a known motif",
    "only_non_aligned": "only filters that match none",
}
CONTROLS = [name for name in METHODS if name.startswith(("shuffled", "permuted", "only"))]
WITHOUT = "without_"  # the prefix of the controls that remove a family
KINDS = {"model": style.PALETTE[0], "baseline": style.PALETTE[1], "control": style.PALETTE[4]}


@style.styled
def method_comparison(
    comparison: pd.DataFrame,
    model: str,
    ceiling: Mapping[str, float] | None = None,
    n_without: int = 3,
) -> Figure:
    """Draw the scores of every method: a dot a fold, a line for their mean.

    The model stands on top, then baselines and then controls, the best first.

    Parameters
    ----------
    comparison
        ``comparison.tsv``, one row per method and fold: method, fold, r2, centred_r (both missing
        where a prediction is constant), doubly_centred_r; mean_auroc where targets are 0 and 1.
    model
        The method that the others are compared with.
    ceiling
        Score to its noise ceiling, the highest that the noise permits, drawn as a dashed line.
    n_without
        Of the controls that remove one family, draw so many: those that lose most.

    Raises
    ------
    ValueError
        If the table is empty or a column is missing.
    """
    style.require(comparison, "method_comparison", ["method", "fold", *COMPARED])
    means = comparison.groupby("method")["r2"].mean().fillna(0).sort_values(kind="stable")
    removed = [method for method in means.index if method.startswith(WITHOUT)]
    means = means.drop(removed[n_without:])[::-1]
    kinds = {method: _kind(method, model) for method in means.index}
    kinds = dict(sorted(kinds.items(), key=lambda item: list(KINDS).index(item[1])))
    figure = style.new_figure(style.TWO_COLUMNS, 20 + 5 * max(len(means), 4))
    compared = COMPARED | (OF_CLASSES if "mean_auroc" in comparison else {})
    panels = figure.subplots(1, len(compared), sharey=True)
    for panel, (score, label) in zip(panels, compared.items(), strict=True):
        worthless = 0.5 if score in OF_CLASSES else 0
        panel.axvline(worthless, color="0.8", lw=0.5, zorder=0)
        for y, (method, kind) in enumerate(kinds.items()):
            values = comparison.loc[comparison["method"] == method, score]
            jitter = np.random.default_rng(0).uniform(-0.22, 0.22, len(values))
            panel.scatter(values, y + jitter, s=9, c=KINDS[kind], lw=0, alpha=0.85)
            if len(values) > 1:
                panel.vlines(values.mean(), y - 0.36, y + 0.36, color=style.INK, lw=1.3, zorder=3)
        panel.set_xlabel(label)
        if ceiling and score in ceiling:
            panel.axvline(ceiling[score], color=style.INK, ls="--", lw=0.7)
            panel.set_xlim(right=max(panel.get_xlim()[1], 1.05 * ceiling[score]))
            panel.set_title(f"dashed: noise ceiling {ceiling[score]:.2f}", loc="right")
    names = [style.shorten(_method_name(method), 50) for method in kinds]
    panels[0].set_yticks(range(len(means)), names)
    panels[0].set_ylim(len(means) - 0.4, -0.6)
    shown = [kind for kind in KINDS if kind in kinds.values()]
    handles = [
        mpl.lines.Line2D([], [], ls="", marker="o", ms=4, mew=0, color=KINDS[kind], label=kind)
        for kind in shown
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=len(shown))
    return figure


def _kind(method: str, model: str) -> str:
    if method == model:
        return "model"
    return "control" if method in CONTROLS or method.startswith(WITHOUT) else "baseline"


def _method_name(method: str) -> str:
    if method.startswith(WITHOUT):
        return f"without {method.removeprefix(WITHOUT)}"
    return METHODS.get(method, method)
