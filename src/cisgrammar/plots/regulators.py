"""Which transcription factor (TF) is behind a family."""

from __future__ import annotations

from collections.abc import Mapping

import anndata as ad
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cisgrammar.plots import style
from cisgrammar.plots.cell_types import present_types
from cisgrammar.plots.heatmaps import spread

SIGNIFICANT = 0.05
LABEL_PITCH = 2.7  # mm


@style.styled
def regulator_volcano(
    regulators: pd.DataFrame,
    n_labels: int = 40,
    unit: str = "log10 counts",
    score: str = "influence",
) -> Figure:
    """Draw Spearman's rho of families' influence with their TFs' expression against q.

    Parameters
    ----------
    regulators
        ``regulators.tsv``, one row per family and TF: family, tf, rho, fdr, mean_expression;
        rows without rho are passed over.
    n_labels
        The most names to write, those of the largest ``|rho|`` among the significant. They
        stand in a column on either side, joined to their dots, so that none lies on another.
    unit
        The unit of expression.
    score
        What the families' numbers are: ``influence`` or ``effect``.

    Raises
    ------
    ValueError
        If no row has rho, or a column is missing.
    """
    columns = ["family", "tf", "rho", "fdr", "mean_expression"]
    style.require(regulators, "regulator_volcano", columns)
    table = regulators.dropna(subset=["rho", "fdr"]).reset_index(drop=True)
    style.require(table, "regulator_volcano")
    positive = table["fdr"] > 0  # 0 is less than a float can hold
    least = table.loc[positive, "fdr"].min() if positive.any() else 1e-300
    table["height"] = -np.log10(table["fdr"].clip(lower=least))
    strong = table["fdr"] < SIGNIFICANT
    height, bound = 105.0, max(0.1, 1.05 * float(table["rho"].abs().max()))
    figure = style.new_figure(style.TWO_COLUMNS, height, placed=True)
    axes = style.axes_at(figure, 12, 4, 142, height - 16)
    axes.axhline(-np.log10(SIGNIFICANT), color="0.7", lw=0.5, ls="--", zorder=0)
    axes.axvline(0, color="0.85", lw=0.5, zorder=0)
    axes.scatter("rho", "height", data=table[~strong], s=9, c="0.75", lw=0)
    dots = axes.scatter(
        "rho", "height", data=table[strong], s=14, c="mean_expression",
        cmap=style.SEQUENTIAL, lw=0.2, edgecolor=style.INK,
    )  # fmt: skip
    bar = figure.colorbar(dots, cax=style.axes_at(figure, 159, height / 2 - 30, 2.5, 60))
    bar.set_label(f"Mean expression of the TF ({unit})")
    top = max(table["height"].max(), 2)
    axes.set(xlim=(-1.8 * bound, 1.8 * bound), ylim=(-0.03 * top, 1.05 * top))
    ticks = axes.get_xticks()
    axes.set_xticks(ticks[np.abs(ticks) <= min(bound, 1)])
    axes.set_xlabel(f"Spearman's ρ of family {score} with TF expression, over pools")
    axes.set_ylabel("−log10 q (Benjamini-Hochberg)")
    order = table["rho"].abs().where(strong).dropna().sort_values(ascending=False, kind="stable")
    room = int((height - 18) / LABEL_PITCH)
    for side in (-1, 1):
        named = table.loc[order.index[:n_labels]]
        _label_side(axes, named[np.sign(named["rho"]) == side].head(room), side)
    return figure


def _label_side(axes: Axes, named: pd.DataFrame, side: int) -> None:
    """Write the names of dots in a column at the left (-1) or right (1), with leader lines."""
    named = named.sort_values("height", kind="stable")
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    per_mm = (high - low) / (axes.get_window_extent().height / axes.figure.dpi / style.MM)
    places = spread(named["height"].to_numpy(), LABEL_PITCH * per_mm, low + per_mm, high - per_mm)
    edge = right if side > 0 else left
    for row, y in zip(named.itertuples(), places, strict=True):
        x = edge - side * 0.38 * right  # leaves 27 mm to the names
        family = style.shorten(row.family, 22 - style.text_width(row.tf, style.TINY), style.TINY)
        axes.plot(
            [row.rho, x + side * 0.015 * right], [row.height, y], color="0.6", lw=0.4, zorder=0.5
        )
        axes.text(
            x + side * 0.02 * right,
            y,
            f"{row.tf} ({family})",
            ha="left" if side > 0 else "right",
            va="center_baseline",
            fontsize=style.TINY,
        )


@style.styled
def influence_against_expression(
    influence: ad.AnnData,
    expression: pd.DataFrame,
    regulators: pd.DataFrame,
    colours: Mapping[str, str] | None = None,
    n_top: int = 12,
    units: tuple[str, str] = ("log10 counts", "log10 counts"),
    score: str = "influence",
) -> Figure:
    """Draw family influence against TF expression, a dot a pool, coloured by cell type.

    Parameters
    ----------
    influence
        Pools x families, obs ``cell_type``.
    expression
        Pools x TFs.
    regulators
        family, tf, rho: the pairs to draw, the first ``n_top``.
    colours
        Cell type to colour.
    n_top
        The most pairs to draw.
    units
        Of expression and of influence.
    score
        What the numbers are: ``influence`` or ``effect``.

    Raises
    ------
    ValueError
        If a table is empty or a column is missing.
    """
    style.require(regulators, "influence_against_expression", ["family", "tf", "rho"])
    style.require(influence.obs, "influence_against_expression", ["cell_type"])
    pairs = regulators.head(n_top)
    labels = influence.obs["cell_type"].astype(str).to_numpy()
    present = present_types(labels, colours)
    rows, across = style.grid_shape(len(pairs), 4)
    legend, above = style.legend_below(present, style.TWO_COLUMNS - 12), 10 + 42.0 * rows
    figure = style.new_figure(style.TWO_COLUMNS, above + legend[1] + 3)
    upper = figure.subfigures(2, 1, height_ratios=[above, legend[1] + 3], squeeze=False)[0, 0]
    panels = upper.subplots(rows, across, squeeze=False).ravel()
    shuffled = np.random.default_rng(0).permutation(len(labels))  # no cell type hides another
    dots = np.array([present[label] for label in labels])[shuffled]
    table = influence.to_df()
    for panel, row in zip(panels, pairs.itertuples(), strict=False):
        x = expression.loc[table.index, row.tf].to_numpy(float)[shuffled]
        y = table[row.family].to_numpy(float)[shuffled]
        panel.scatter(x, y, s=4, c=dots, lw=0, alpha=0.7, rasterized=True)
        panel.locator_params(nbins=4)
        family = style.shorten(row.family, 30, style.TEXT)
        panel.set_title(f"{family}\n{row.tf}: ρ = {style.signed(row.rho)}")
    style.hide_unused(panels, len(pairs))
    upper.supxlabel(f"TF expression ({units[0]})", fontsize=style.TEXT)
    upper.supylabel(f"Family {score} ({units[1]})", fontsize=style.TEXT)
    style.legend_in_columns(figure, 10, above + 1, legend, present, title="Cell type")
    return figure
