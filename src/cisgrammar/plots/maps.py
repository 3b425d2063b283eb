"""Points on a plane, coloured by category or by a number."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cisgrammar.plots import style

MANY_POINTS = 5000  # from here on points are an image inside the SVG, at the PNG's resolution
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
    colours = dict(colours or style.category_colours(labels))
    present = {name: colours[name] for name in sorted({str(n) for n in names if n is not None})}
    numbered = len(present) >= NUMBERED_FROM
    title = str(labels.name).replace("_", " ").capitalize()
    figure, axes = _map_beside_legend(present, numbered, title)
    shuffled = np.random.default_rng(0).permutation(len(points))  # no category hides another
    dots = np.array([style.MISSING if n is None else colours[str(n)] for n in names])[shuffled]
    axes.scatter(
        *points[shuffled].T, s=dot, c=dots, lw=0, rasterized=len(points) > MANY_POINTS, alpha=0.8
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
    wanted = style.legend_width(present, height)
    if wanted <= style.TWO_COLUMNS - legend_left - 1:
        figure = style.new_figure(legend_left + wanted + 1, top + height + below, layout=None)
        size = (wanted, height)
    else:
        width = style.TWO_COLUMNS - left - 2
        legend_left, legend_top = left - 4, top + height + below
        columns = max(1, int((width + 4) / style.legend_width(present, 1e9)))
        size = (width + 4, 4.5 + 2.9 * -(-len(present) // columns))
        figure = style.new_figure(style.TWO_COLUMNS, legend_top + size[1] + 1, layout=None)
    style.legend_in_columns(figure, legend_left, legend_top, size, present, numbered, title)
    return figure, style.axes_at(figure, left, top, width, height)


def _number_categories(
    axes: Axes, points: np.ndarray, names: pd.Series, present: Mapping[str, str]
) -> None:
    """Write each category's number at its median point."""
    medians = pd.DataFrame(points).groupby(names.to_numpy()).median()
    for i, (name, colour) in enumerate(present.items()):
        x, y = medians.loc[name]
        axes.scatter(x, y, s=46, c=colour, lw=0.4, edgecolor="white", zorder=3)
        style.number_on(axes, x, y, i + 1, colour)


def bare_map(axes: Axes, name: str) -> None:
    """Give a map without meaningful units (UMAP) short names of its axes and no ticks."""
    axes.set(xticks=[], yticks=[], xlabel=f"{name}1", ylabel=f"{name}2")
