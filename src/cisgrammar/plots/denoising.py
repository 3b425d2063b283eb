"""Accessibility before and after denoising."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from scipy.cluster.hierarchy import leaves_list, linkage

from cisgrammar.plots import style
from cisgrammar.plots.cell_types import present_types

LEFT, TOP, SIZE, GAP, STRIP, SCALE = 12.0, 6.0, 75.0, 5.0, 2.0, 13.0  # mm
AS_IMAGE = 2000  # from so many points on, points are an image inside the SVG


@style.styled
def denoised_heatmap(
    raw: np.ndarray,
    denoised: np.ndarray,
    cell_types: pd.Series,
    colours: Mapping[str, str] | None = None,
) -> Figure:
    """Draw the same cells and peaks before and after denoising.

    Parameters
    ----------
    raw
        0 and 1: ``(cells, peaks)``.
    denoised
        Predicted accessibility, alike.
    cell_types
        Of the cells.
    colours
        Cell type to colour.

    Raises
    ------
    ValueError
        If there are no cells or no peaks.

    Notes
    -----
    Cells stand by cell type, peaks by Ward's clustering of their denoised accessibility, in units
    of its standard deviation over these cells.
    """
    if not raw.size:
        raise ValueError(f"denoised_heatmap: nothing to draw, the table is empty {raw.shape}")
    types = cell_types.astype(str)
    present = present_types(types, colours)
    types = pd.Categorical(types, categories=list(present))
    rows = np.argsort(types.codes, kind="stable")
    z = denoised - denoised.mean(axis=0)
    z /= np.maximum(denoised.std(axis=0), 1e-12)
    columns = leaves_list(linkage(z.T, "ward")) if z.shape[1] > 2 else np.arange(z.shape[1])
    legend = style.legend_below(present, 2 * SIZE)
    height = TOP + SIZE + 7
    figure = style.new_figure(LEFT + 2 * SIZE + GAP + SCALE, height + legend[1] + 1, placed=True)
    left, right = (
        style.axes_at(figure, LEFT + i * (SIZE + GAP), TOP, SIZE, SIZE) for i in range(2)
    )
    _image(left, raw[np.ix_(rows, columns)], "Greys", 0, 1)
    limit = style.symmetric_limit(z)
    image = _image(right, z[np.ix_(rows, columns)], style.DIVERGING, -limit, limit)
    scale = style.axes_at(figure, LEFT + 2 * SIZE + GAP + 2, TOP, STRIP, SIZE / 3)
    figure.colorbar(image, cax=scale, ticks=[-limit, 0, limit], format=lambda z, _: f"{z:.2g}")
    left.set_title("As measured: open or not", loc="left")
    right.set_title("Denoised (z-score over cells)", loc="left")
    left.set_ylabel(f"{len(rows):,} cells", labelpad=8)
    strip = style.axes_at(figure, LEFT - STRIP - 0.6, TOP, STRIP, SIZE)
    palette = mpl.colors.ListedColormap(list(present.values()))
    _image(strip, types.codes[rows, None], palette, -0.5, len(present) - 0.5)
    for axes in (left, right):
        axes.set_xlabel(f"{len(columns):,} peaks")
    style.legend_in_columns(figure, LEFT, height, legend, present, title="Cell type")
    return figure


def _image(axes: Axes, values: np.ndarray, cmap: Any, low: float, high: float) -> AxesImage:
    axes.set(xticks=[], yticks=[])
    return axes.imshow(
        values, cmap=cmap, vmin=low, vmax=high, aspect="auto", interpolation="nearest"
    )


@style.styled
def accessibility_against_expression(
    per_cell: pd.DataFrame, per_gene: pd.DataFrame, colours: Mapping[str, str] | None = None
) -> Figure:
    """Draw how genes' accessibility goes with their expression, before and after denoising.

    Parameters
    ----------
    per_cell
        cell_type, r_raw, r_denoised: a cell a row.
    per_gene
        r_raw, r_denoised: a gene a row.
    colours
        Cell type to colour.

    Raises
    ------
    ValueError
        If a table is empty or a column is missing.
    """
    columns = ["r_raw", "r_denoised"]
    style.require(per_cell, "accessibility_against_expression", ["cell_type", *columns])
    style.require(per_gene, "accessibility_against_expression", columns)
    colours = present_types(per_cell["cell_type"], colours)
    figure = style.new_figure(style.TWO_COLUMNS - 30, 74)
    cells, genes = figure.subplots(1, 2)
    order = np.random.default_rng(0).permutation(len(per_cell))
    shuffled = per_cell.iloc[order]
    dots = [colours[str(name)] for name in shuffled["cell_type"]]
    _scatter(cells, shuffled, dots, f"Over genes, {len(per_cell):,} cells")
    _scatter(genes, per_gene, style.PALETTE[0], f"Over cells, {len(per_gene):,} genes")
    return figure


def _scatter(axes: Axes, table: pd.DataFrame, dots: Any, title: str) -> None:
    x, y = table["r_raw"].to_numpy(float), table["r_denoised"].to_numpy(float)
    image = len(table) > AS_IMAGE
    size = float(np.clip(3000 / max(len(table), 1), 1, 8))
    axes.scatter(x, y, s=size, c=dots, lw=0, alpha=0.7, rasterized=image)
    both = np.concatenate([x, y])
    both = both[np.isfinite(both)]
    low, high = (both.min(), both.max()) if both.size else (0.0, 1.0)
    room = 0.04 * (high - low) + 1e-6
    ends = [low - room, high + room]
    axes.plot(ends, ends, color="0.7", lw=0.6, zorder=0)
    axes.set(xlim=ends, ylim=ends, aspect="equal")
    axes.set(xlabel="Pearson's r, as measured", ylabel="Pearson's r, denoised")
    pair = np.isfinite(x) & np.isfinite(y)
    medians = [style.signed(float(np.median(v[pair]))) if pair.any() else "none" for v in (x, y)]
    axes.set_title(f"{title}\nmedian {medians[0]} to {medians[1]}", loc="left")
