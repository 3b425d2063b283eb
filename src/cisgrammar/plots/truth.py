"""Simulated data: what was found, against what was planted."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure
from scipy.stats import spearmanr

from cisgrammar.plots import style
from cisgrammar.plots.cell_types import present_types


@style.styled
def influence_against_truth(
    pairs: pd.DataFrame,
    colours: Mapping[str, str] | None = None,
    score: str = "influence",
    y_label: str = "",
    effect_on: str = "expression",
) -> Figure:
    """Draw a score against true activity, one panel a planted motif, one dot a cell type.

    Parameters
    ----------
    pairs
        One row per planted motif and cell type: motif, cell_type, activity (the true effect on
        log expression), and the score (of the motif found for it; missing when none was found).
    colours
        Cell type to colour.
    score
        The column to draw: ``influence`` or ``effect``, or another.
    y_label
        What it is, with its unit.
    effect_on
        Of what the true activity is an effect on the logarithm.

    Raises
    ------
    ValueError
        If the table is empty or a column is missing.
    """
    columns = ["motif", "cell_type", "activity", score]
    style.require(pairs, "influence_against_truth", columns)
    motifs = list(pairs.groupby("motif", sort=True))
    rows, across = style.grid_shape(len(motifs), 4)
    colours = present_types(pairs["cell_type"], colours)
    legend = len(colours) <= 12
    if not legend:
        colours = dict.fromkeys(colours, style.PALETTE[0])
    width = min(style.TWO_COLUMNS, max(style.ONE_COLUMN, 12 + 42 * across))
    figure = style.new_figure(width, 12 + 36 * rows + (4 * -(-len(colours) // 4) if legend else 0))
    panels = figure.subplots(rows, across, squeeze=False).ravel()
    for panel, (motif, table) in zip(panels, motifs, strict=False):
        panel.axhline(0, color="0.8", lw=0.5, zorder=0)
        panel.axvline(0, color="0.8", lw=0.5, zorder=0)
        panel.set_title(_title(str(motif), table, score))
        panel.locator_params(nbins=4)
        for name, colour in colours.items():
            row = table[table["cell_type"].astype(str) == name]
            dots = {"c": colour, "s": 14, "lw": 0.3, "edgecolor": style.INK}
            panel.scatter(row["activity"], row[score], label=name, **dots)
    style.hide_unused(panels, len(motifs))
    figure.supxlabel(f"True activity (effect on log {effect_on})", fontsize=style.TEXT)
    y_label = y_label or f"{score.capitalize()} (log10 counts)"
    figure.supylabel(y_label, fontsize=style.TEXT)
    if legend:
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=4)
    return figure


def _title(motif: str, table: pd.DataFrame, score: str) -> str:
    """Name a motif with Spearman's rho over cell types, or say that it was not found."""
    both = table.dropna(subset=["activity", score])
    if both.empty:
        return f"{motif}: not found"
    if len(both) < 3 or both["activity"].nunique() < 2 or both[score].nunique() < 2:
        return motif
    rho = spearmanr(both["activity"], both[score]).statistic
    return f"{motif}: ρ = {style.signed(rho)}"
