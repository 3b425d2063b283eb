"""How training went."""

from __future__ import annotations

import pandas as pd
from matplotlib import ticker
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cisgrammar.plots import style


@style.styled
def loss_curves(histories: pd.DataFrame) -> Figure:
    """Draw training and validation loss against epoch, one panel a fold.

    Parameters
    ----------
    histories
        The folds' ``history.tsv`` one below the other, with a column ``fold``: fold, epoch,
        train_loss, validation_loss, best; ``member`` and ``part`` where a model has
        several, each with its own curves.

    Raises
    ------
    ValueError
        If the table is empty or a column is missing.
    """
    return _curves(histories, "loss", "Loss (mean squared error)", log=True)


@style.styled
def cross_entropy_curves(histories: pd.DataFrame) -> Figure:
    """Draw what :func:`loss_curves` draws, for losses that are binary cross-entropies."""
    return _curves(histories, "loss", "Loss (binary cross-entropy)")


@style.styled
def auroc_curves(histories: pd.DataFrame) -> Figure:
    """Draw what :func:`loss_curves` draws of the columns train_auroc and validation_auroc."""
    return _curves(histories, "auroc", "AUROC per cell")


def _curves(histories: pd.DataFrame, what: str, label: str, log: bool = False) -> Figure:
    columns = ["fold", "epoch", f"train_{what}", f"validation_{what}", "best"]
    style.require(histories, f"{what}_curves", columns)
    folds = list(histories.groupby("fold", sort=True))
    rows, across = style.grid_shape(len(folds), 5)
    width = min(style.TWO_COLUMNS, max(style.ONE_COLUMN, 18 + 36 * across))
    figure = style.new_figure(width, 14 + 32 * rows)
    panels = figure.subplots(rows, across, sharex=True, sharey=True, squeeze=False).ravel()
    for panel, (fold, history) in zip(panels, folds, strict=False):
        apart = [key for key in ("member", "part") if key in history]
        curves = [each for _, each in history.groupby(apart)] if apart else [history]
        for curve in curves:
            _curve(panel, curve.sort_values("epoch"), what)
        panel.set_title(f"Fold {fold}")
        panel.xaxis.get_major_locator().set_params(integer=True)
        if not log:
            continue
        panel.set_yscale("log")
        panel.yaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
        panel.yaxis.set_major_formatter("{x:g}")
        panel.yaxis.set_minor_locator(ticker.NullLocator())
    style.hide_unused(panels, len(folds))
    figure.supxlabel("Epoch", fontsize=style.TEXT)
    figure.supylabel(label, fontsize=style.TEXT)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles[:3], labels[:3], loc="outside upper center", ncols=3)
    return figure


def _curve(panel: Axes, history: pd.DataFrame, what: str) -> None:
    """Draw how one model was trained."""
    panel.plot("epoch", f"train_{what}", data=history, c=style.PALETTE[0], label="training")
    panel.plot("epoch", f"validation_{what}", data=history, c=style.PALETTE[3], label="validation")
    best = history[history["best"].astype(bool)].tail(1)
    panel.scatter(
        best["epoch"],
        best[f"validation_{what}"],
        s=14,
        c="black",
        zorder=3,
        label="kept (best)",
    )
