"""What single bases around TSSs are worth: by position over many genes, and in single genes."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from cisgrammar.plots import style

BINS = 150


@style.styled
def effect_profile(profile: pd.DataFrame) -> Figure:
    """Draw how much bases matter by their distance from the TSS, a curve for each level.

    Parameters
    ----------
    profile
        level, position, mean_effect, of each population; averaged over the populations of a
        level and over neighbouring positions.
    """
    figure = style.new_figure(style.ONE_COLUMN, 55)
    axes = figure.subplots()
    axes.axvline(0, color="0.6", lw=0.5, ls=(0, (3, 3)))
    for colour, (level, its) in zip(
        style.PALETTE, profile.groupby("level", sort=False), strict=False
    ):
        by_position = its.groupby("position")["mean_effect"].mean()
        position, effect = binned(by_position.index.to_numpy(), by_position.to_numpy(), BINS)
        axes.plot(position, effect, c=colour, label=style.shorten(str(level), 40))
    axes.set(xlabel="Position from the TSS (bp)", ylabel="Mean largest effect\n(log10 units)")
    axes.set_ylim(bottom=0)
    _say_positions(axes)
    figure.legend(loc="outside upper center", ncols=3)
    return figure


def binned(position: np.ndarray, values: np.ndarray, n_bins: int) -> tuple[np.ndarray, np.ndarray]:
    """Average neighbours: at most so many bins, of positions that are not averaged across 0."""
    width = max(1, round(len(position) / n_bins))
    table = pd.DataFrame({"position": position, "value": values})
    means = table.groupby(position // width).mean()  # the bin that begins at 0 is the TSS's
    return means["position"].to_numpy(), means["value"].to_numpy()


@style.styled
def gene_effects(comparison: pd.DataFrame) -> Figure:
    """Draw the largest effect at each position in two populations, and their difference.

    Parameters
    ----------
    comparison
        Of one gene and two populations: gene, population, other, position, effect, other_effect,
        difference.
    """
    names = [str(comparison[column].iloc[0]) for column in ("population", "other")]
    rows = dict(zip([*names, "Difference"], ["effect", "other_effect", "difference"], strict=True))
    figure = style.new_figure(style.TWO_COLUMNS, 20 + 24 * len(rows))
    panels = figure.subplots(len(rows), 1, sharex=True, sharey=True)
    position = comparison["position"].to_numpy()
    colours = (style.PALETTE[0], style.PALETTE[3], style.INK)
    for panel, (name, column), colour in zip(panels, rows.items(), colours, strict=True):
        effect = comparison[column].to_numpy()
        panel.vlines(position, np.minimum(effect, 0), np.maximum(effect, 0), colors=colour,
                     lw=0.4, rasterized=True)  # fmt: skip
        panel.axhline(0, color=style.INK, lw=0.4)
        panel.axvline(0, color="0.6", lw=0.5, ls=(0, (3, 3)), zorder=0)
        panel.set_title(style.shorten(name, 120), loc="left")
        panel.yaxis.set_major_locator(MaxNLocator(4))
    panels[-1].set_xlim(position.min() - 1, position.max() + 1)
    gene = style.shorten(comparison["gene"].iloc[0], 60)
    panels[-1].set_xlabel(f"Position from the TSS of {gene} (bp)")
    _say_positions(panels[-1])
    figure.supylabel("Largest effect (log10 units)", fontsize=style.TEXT)
    return figure


def _say_positions(axes: Axes) -> None:
    axes.xaxis.set_major_locator(MaxNLocator(7, integer=True))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
