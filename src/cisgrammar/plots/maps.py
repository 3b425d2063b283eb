"""Points on a plane, coloured by category or by a number."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cisgrammar.plots import style
from cisgrammar.plots.cell_types import present_types

MANY_POINTS = 2000  # from here on points are an image inside the SVG, at the PNG's resolution
NUMBER_SIZE = 2.6  # mm, between numbers on a map
NUMBERED_FROM = 9  # categories from which on colour alone would not do


def category_map(
    points: np.ndarray,
    labels: pd.Series,
    colours: Mapping[str, str] | None = None,
    dot: float = 2.0,
) -> tuple[Figure, Axes]:
    """Draw points by category, with a legend; many categories are numbered on the map too.

    Parameters
    ----------
    points
        Coordinates, ``(points, 2)``.
    labels
        Category of each; missing ones are drawn grey.
    colours
        Category to colour; by default from the labels.
    dot
        Size of a point, in square points.

    Returns
    -------
    The figure, at most 180 mm wide, and its axes, without labels yet.
    """
    names = labels.astype(object).where(labels.notna(), None)
    present = present_types(labels, colours)
    numbered = len(present) >= NUMBERED_FROM
    title = str(labels.name).replace("_", " ").capitalize()
    figure, axes = _map_beside_legend(present, numbered, title)
    shuffled = np.random.default_rng(0).permutation(len(points))  # no category hides another
    dots = np.array([style.MISSING if n is None else present[str(n)] for n in names])[shuffled]
    axes.scatter(
        points[shuffled, 0],
        points[shuffled, 1],
        s=dot,
        c=dots,
        lw=0,
        rasterized=len(points) > MANY_POINTS,
        alpha=0.8,
    )
    if numbered:
        _number_categories(axes, points, names, present)
    return figure, axes


def _map_beside_legend(
    present: Mapping[str, str], numbered: bool, title: str
) -> tuple[Figure, Axes]:
    """Lay out a map with its legend on the right, or below when the names need more room."""
    left, top, below, width, height = 15.0, 5.0, 11.0, 62.0, 62.0
    if numbered:
        width = height = 90.0
    legend_left, legend_top = left + width + 4, top
    wanted = style.legend_width(present, height, title)
    if wanted <= style.TWO_COLUMNS - legend_left - 1:
        figure = style.new_figure(legend_left + wanted + 1, top + height + below, placed=True)
        size = (wanted, height)
    else:
        width = style.TWO_COLUMNS - left - 2
        legend_left, legend_top = left - 4, top + height + below
        size = style.legend_below(present, width + 4)
        figure = style.new_figure(style.TWO_COLUMNS, legend_top + size[1] + 1, placed=True)
    style.legend_in_columns(figure, legend_left, legend_top, size, present, numbered, title)
    return figure, style.axes_at(figure, left, top, width, height)


def _number_categories(
    axes: Axes, points: np.ndarray, names: pd.Series, present: Mapping[str, str]
) -> None:
    """Write each category's number at its median point, or beside it where two would touch."""
    medians = pd.DataFrame(points).groupby(names.astype(str).to_numpy()).median().loc[list(present)]
    axes.autoscale_view()
    axes.autoscale(False)
    pixels = axes.figure.dpi * style.MM
    places = part(axes.transData.transform(medians.to_numpy()) / pixels, NUMBER_SIZE) * pixels
    places = axes.transData.inverted().transform(places)
    for i, ((x, y), colour) in enumerate(zip(places, present.values(), strict=True)):
        axes.scatter(x, y, s=46, c=colour, lw=0.4, edgecolor="white", zorder=3)
        style.number_on(axes, x, y, i + 1, colour)


def part(places: np.ndarray, least: float) -> np.ndarray:
    """Push places ``(n, 2)`` apart until no two are nearer than ``least``, or 500 times."""
    places = places + 1e-6 * np.random.default_rng(0).normal(size=places.shape)  # no two alike
    for _ in range(500):
        gaps = places[:, None] - places[None]  # (n, n, 2)
        distances = np.hypot(*gaps.T).T + np.eye(len(places)) * least
        if (distances >= 0.999 * least).all():
            break
        overlap = np.maximum(least - distances, 0)[..., None]
        places = places + 0.5 * (overlap * gaps / distances[..., None]).sum(axis=1)
    return places


def bare_map(axes: Axes, name: str) -> None:
    """Give a map without meaningful units (UMAP) short names of its axes and no ticks."""
    axes.set(xticks=[], yticks=[], xlabel=f"{name}1", ylabel=f"{name}2")


def value_maps(
    points: np.ndarray, values: pd.DataFrame, label: str, centred: bool = False
) -> Figure:
    """Draw the same points once for each column of numbers, as small panels.

    Parameters
    ----------
    points
        Coordinates, ``(points, 2)``.
    values
        Points x columns; each panel's colours span its own column.
    label
        What the colours mean.
    centred
        Whether 0 is in the middle of the colours; else they go from the least value to the 99th
        percentile.

    Returns
    -------
    The figure, without labels of the axes.
    """
    rows, across = style.grid_shape(values.shape[1], 5)
    width = min(style.TWO_COLUMNS, max(style.ONE_COLUMN, 20 + 34 * across))
    figure = style.new_figure(width, 8 + 34 * rows)
    panels = figure.subplots(rows, across, sharex=True, sharey=True, squeeze=False).ravel()
    colours = style.DIVERGING if centred else style.SEQUENTIAL
    for panel, (name, column) in zip(panels, values.items(), strict=False):
        numbers = column.to_numpy(float)
        high = style.symmetric_limit(numbers) if centred else np.nanpercentile(numbers, 99)
        low = -high if centred else float(np.nanmin(numbers))
        order = np.argsort(np.abs(numbers) if centred else numbers, kind="stable")  # high on top
        dots = panel.scatter(
            *points[order].T,
            s=float(np.clip(4000 / len(points), 0.6, 7)),
            c=(numbers[order] - low) / max(high - low, 1e-12),
            cmap=colours,
            vmin=0,
            vmax=1,
            lw=0,
            rasterized=len(points) > 1000,
        )
        panel.set(xticks=[], yticks=[])
        panel.set_title(style.shorten(name, 30, style.TEXT))
    style.hide_unused(panels, values.shape[1])
    bar = figure.colorbar(
        dots, ax=list(panels[: values.shape[1]]), aspect=30, shrink=min(1, 1.6 / rows), pad=0.02
    )
    bar.set_label(f"{label}\n(each panel's own scale)")
    bar.set_ticks([0, 0.5, 1] if centred else [0, 1])
    bar.set_ticklabels(["low", "0", "high"] if centred else ["low", "high"])
    bar.outline.set_linewidth(0)
    return figure
