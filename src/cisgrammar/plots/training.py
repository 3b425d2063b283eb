"""How training went."""

from __future__ import annotations

import pandas as pd
from matplotlib import ticker
from matplotlib.figure import Figure

from cisgrammar.plots import style


@style.styled
def loss_curves(histories: pd.DataFrame) -> Figure:
    """Draw training and validation loss against epoch, one panel a fold.

    Parameters
    ----------
    histories
        The folds' ``history.tsv`` one below the other, with a column ``fold``: fold, epoch,
        train_loss, validation_loss, best.

    Raises
    ------
    ValueError
        If the table is empty or a column is missing.
    """
    columns = ["fold", "epoch", "train_loss", "validation_loss", "best"]
    style.require(histories, "loss_curves", columns)
    folds = list(histories.groupby("fold", sort=True))
    rows, across = style.grid_shape(len(folds), 5)
    width = min(style.TWO_COLUMNS, max(style.ONE_COLUMN, 18 + 36 * across))
    figure = style.new_figure(width, 14 + 32 * rows)
    panels = figure.subplots(rows, across, sharex=True, sharey=True, squeeze=False).ravel()
    for panel, (fold, history) in zip(panels, folds, strict=False):
        history = history.sort_values("epoch")
        panel.plot("epoch", "train_loss", data=history, c=style.PALETTE[0], label="training")
        panel.plot("epoch", "validation_loss", data=history, c=style.PALETTE[3], label="validation")
        best = history[history["best"].astype(bool)].tail(1)
        panel.scatter(
            best["epoch"], best["validation_loss"], s=14, c="black", zorder=3, label="kept (best)"
        )
        panel.set_title(f"Fold {fold}")
        panel.set_yscale("log")
        panel.xaxis.get_major_locator().set_params(integer=True)
        panel.yaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
        panel.yaxis.set_major_formatter("{x:g}")
        panel.yaxis.set_minor_locator(ticker.NullLocator())
    style.hide_unused(panels, len(folds))
    figure.supxlabel("Epoch", fontsize=style.TEXT)
    figure.supylabel("Loss (mean squared error)", fontsize=style.TEXT)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=3)
    return figure
