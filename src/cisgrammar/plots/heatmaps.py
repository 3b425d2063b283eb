"""Heat maps with dendrograms, logos beside the rows and bars; placed to the millimetre.

Every size follows from the numbers of rows and columns and from the widths of their names, so
that the same code serves 5 and 60 cell types.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from scipy.cluster.hierarchy import dendrogram, linkage

from cisgrammar.plots import style
from cisgrammar.plots.logos import draw_logo

MARGIN, TREE, LOGO, BAR, GROUP_GAP, LEADER = 2.0, 9.0, 26.0, 14.0, 1.2, 5.0
PAGE_HEIGHT = 240.0
LONGEST_ROW_NAME, LONGEST_COLUMN_NAME = 55.0, 42.0
SCALE = 30.0  # width kept free at the top left for the colour scale
LEAST_ROW = 1.6  # mm; the least that leaves each row its name
GREY = "0.5"


@dataclass
class Group:
    """Rows that stand together, in the order of their tree."""

    rows: pd.DataFrame
    tree: dict | None
    name: str
    grey: bool
    top: float = 0.0  # mm


@dataclass
class Heatmap:
    """What to draw; :meth:`draw` draws it.

    Parameters
    ----------
    values
        The numbers, with row and column names.
    label
        What the colours mean, with its unit.
    logos
        Row name to probabilities ``(4, width)``; rows without one stay empty.
    set_aside
        Names of the rows to draw grey, below the others.
    row_notes
        Row name to a few words after it.
    bars, bar_label
        One number a row, drawn as a bar on the right; what it is, with its unit.
    cluster
        Whether to order rows and columns by Ward's clustering of the values (missing ones as
        0), with dendrograms.
    row_groups
        Row name to group; each group is clustered for itself and named on the right.
    named_rows
        The rows to name, when there are too many to name all.
    column_order
        Names of columns in the order in which they are to stand, then without a dendrogram; others
        than those of the values may be there. Empty: the order of their clustering.
    column_groups
        Column name to group, shown as a strip of colours with a legend.
    limit
        Value of the strongest colours, with 0 in the middle; from the values if not given.
    row_height, cell_width
        The largest in mm; both shrink when there are many.
    """

    values: pd.DataFrame
    label: str
    logos: Mapping[str, np.ndarray] = field(default_factory=dict)
    set_aside: Collection[str] = frozenset()
    row_notes: Mapping[str, str] = field(default_factory=dict)
    bars: pd.Series | None = None
    bar_label: str = ""
    cluster: bool = True
    row_groups: Mapping[str, str] = field(default_factory=dict)
    named_rows: Collection[str] | None = None
    column_order: Sequence[str] = ()
    column_groups: Mapping[str, str] = field(default_factory=dict)
    limit: float = 0.0
    row_height: float = 6.0
    cell_width: float = 7.0

    def __post_init__(self) -> None:
        self.values = pd.DataFrame(
            self.values.to_numpy(float),
            index=self.values.index.astype(str),
            columns=self.values.columns.astype(str),
        )
        self.limit = self.limit or style.symmetric_limit(self.values.to_numpy())
        if not self.logos:
            self.row_height = min(self.row_height, 3.6)
        self._order()
        self._measure_across()
        self._measure_down()

    def draw(self) -> Figure:
        """Draw it, as wide as it needs, at most 180 mm."""
        self.figure, self.page = style.canvas(self.width, self.height)
        for group in self.groups:
            self._draw_cells(group)
            self._draw_row_tree(group)
        self._draw_names()
        if self.row_groups:
            self._draw_group_names()
        self._draw_columns()
        self._draw_column_tree()
        self._draw_scale()
        if self.bars is not None:
            self._draw_bars(self.bars)
        return self.figure

    def _order(self) -> None:
        """Put rows (each group for itself) and columns into the order of their trees."""
        cluster_columns = self.cluster and not self.column_order
        self.column_tree = tree(self.values.T) if cluster_columns else None
        if self.column_order:
            self.values = self.values[[c for c in self.column_order if c in self.values]]
        if self.column_tree:
            self.values = self.values.iloc[:, self.column_tree["leaves"]]
        keys = [
            (name in self.set_aside, self.row_groups.get(name, "")) for name in self.values.index
        ]
        self.groups: list[Group] = []
        for grey, name in sorted(set(keys)):
            rows = self.values[[key == (grey, name) for key in keys]]
            row_tree = tree(rows) if self.cluster else None
            order = row_tree["leaves"] if row_tree else range(len(rows))
            self.groups.append(Group(rows.iloc[list(order)], row_tree, name, grey))

    def _measure_across(self) -> None:
        """Work out the widths, in mm."""
        self.names = {
            name: style.shorten(name, LONGEST_ROW_NAME)
            + (f" ({self.row_notes[name]})" if name in self.row_notes else "")
            for name in (self.values.index if self.named_rows is None else self.named_rows)
        }
        widest = max(
            (style.text_width(text, style.SMALL) for text in self.names.values()), default=0
        )
        trees = TREE + 1.0 if any(group.tree for group in self.groups) else 0.0
        leader = LEADER if self.named_rows is not None else 1.0
        logos = LOGO + 2 if self.logos else 0.0
        self.left = max(MARGIN + trees + logos + widest + leader, SCALE + MARGIN + 4)
        self.name_right = self.left - leader
        self.logo_right = self.name_right - widest - 2
        self.right = MARGIN + (BAR + 4 if self.bars is not None else 0.0)
        widths = [style.text_width(f"{group.name}  ", style.SMALL) for group in self.groups]
        self.right += max(widths) + 2 if self.row_groups else 0.0
        n_columns = self.values.shape[1]
        self.cell = min(self.cell_width, (style.TWO_COLUMNS - self.left - self.right) / n_columns)
        self.cells_right = self.left + n_columns * self.cell
        self.width = max(self.cells_right + self.right, 50.0)

    def _measure_down(self) -> None:
        """Work out the heights, in mm."""
        n_rows = len(self.values)
        self.column_size = style.SMALL if self.cell > 2.4 else min(style.TINY, self.cell / 0.36)
        self.column_names = [
            style.shorten(name, LONGEST_COLUMN_NAME, self.column_size)
            for name in self.values.columns
        ]
        longest = max(style.text_width(name, self.column_size) for name in self.column_names)
        self.top = MARGIN + max(12.0, TREE + 2.0) + (2.5 if self.column_groups else 0.0)
        self.colours = style.category_colours(self.column_groups.values())
        self.legend_size = (0.0, 0.0)
        if self.colours:
            self.legend_size = style.legend_below(self.colours, self.width - 2 * MARGIN)
        gaps = GROUP_GAP * (len(self.groups) - 1)
        below = max(longest + 3.0, 0.0 if self.bars is None else 10.0)
        below += self.legend_size[1] + MARGIN
        free = PAGE_HEIGHT - self.top - gaps - below
        least = LEAST_ROW if self.named_rows is None else 0.0
        self.row = min(self.row_height, max(free / n_rows, least))
        self.bottom = self.top
        for group in self.groups:
            group.top = self.bottom
            self.bottom += len(group.rows) * self.row + GROUP_GAP
        self.bottom -= GROUP_GAP
        self.height = self.bottom + below

    def _draw_cells(self, group: Group) -> None:
        n_rows, n_columns = group.rows.shape
        colours = mpl.colormaps[style.SET_ASIDE if group.grey else style.DIVERGING]
        mesh = self.page.pcolormesh(
            self.left + self.cell * np.arange(n_columns + 1),
            group.top + self.row * np.arange(n_rows + 1),
            np.ma.masked_invalid(group.rows.to_numpy()),
            cmap=colours.with_extremes(bad=style.MISSING),
            vmin=-self.limit,
            vmax=self.limit,
            rasterized=min(self.cell, self.row) < 1,
        )
        if min(self.cell, self.row) > 1.5:
            mesh.set(edgecolor="white", linewidth=0.3)

    def _draw_group_names(self) -> None:
        heights = np.array([len(group.rows) * self.row for group in self.groups])
        middles = np.array([group.top for group in self.groups]) + heights / 2
        places = spread(middles, 6.0, self.top + 2.5, self.bottom - 2.5)
        for group, place in zip(self.groups, places, strict=True):
            text = f"{group.name}\nn = {len(group.rows):,}"
            self.page.text(self.cells_right + 2, place, text, va="center", fontsize=style.SMALL)

    def _draw_names(self) -> None:
        """Write row names, with leader lines where only some are named, and draw their logos."""
        rows = [
            (name, group.top + (i + 0.5) * self.row, GREY if group.grey else None)
            for group in self.groups
            for i, name in enumerate(group.rows.index)
            if name in self.names
        ]
        middles = np.array([middle for _, middle, _ in rows])
        some = self.named_rows is not None
        places = spread(middles, 2.5, self.top + 1, self.bottom - 1) if some else middles
        size = style.SMALL if some else min(style.SMALL, self.row / 0.3)
        for (name, middle, grey), place in zip(rows, places, strict=True):
            self.page.text(
                self.name_right - 0.5,
                place,
                self.names[name],
                ha="right",
                va="center_baseline",
                fontsize=size,
                color=grey or style.INK,
            )
            if some:
                x = self.name_right + np.array([0, 1, LEADER - 1.2, LEADER - 0.3])
                self.page.plot(x, [place, place, middle, middle], color=GREY, lw=0.4)
            if name in self.logos:
                self._draw_logo(self.logos[name], middle, grey)

    def _draw_logo(self, matrix: np.ndarray, middle: float, colour: str | None) -> None:
        width, height = min(LOGO, 2.2 * matrix.shape[1]), 0.84 * self.row
        x, base = self.logo_right - width, middle + height / 2
        draw_logo(self.page, matrix, x, base, width, -height, colour)

    def _draw_row_tree(self, group: Group) -> None:
        if group.tree:
            heights, leaves = tree_lines(group.tree)
            x = MARGIN + (TREE - 0.5) * (1 - heights)
            lines = np.stack([x, group.top + leaves * self.row], axis=-1)
            ink = GREY if group.grey else style.INK
            self.page.add_collection(LineCollection(list(lines), colors=ink, lw=min(0.5, self.row)))

    def _draw_column_tree(self) -> None:
        if self.column_tree:
            heights, leaves = tree_lines(self.column_tree)
            y = self.top - (2.9 if self.column_groups else 0.5) - TREE * heights
            lines = np.stack([self.left + leaves * self.cell, y], axis=-1)
            self.page.add_collection(LineCollection(list(lines), colors=style.INK, lw=0.5))

    def _draw_columns(self) -> None:
        """Write column names below; above, the strip of their groups, with its legend."""
        for j, (name, text) in enumerate(zip(self.values.columns, self.column_names, strict=True)):
            x = self.left + j * self.cell
            self.page.text(
                x + self.cell / 2,
                self.bottom + 1.2,
                text,
                rotation=90,
                ha="center",
                va="top",
                fontsize=self.column_size,
            )
            if name in self.column_groups:
                colour = self.colours[self.column_groups[name]]
                box = mpl.patches.Rectangle((x, self.top - 2.4), self.cell, 1.8, fc=colour, lw=0)
                self.page.add_patch(box)
        if self.colours:
            top = self.height - MARGIN - self.legend_size[1]
            style.legend_in_columns(
                self.figure, MARGIN, top, self.legend_size, self.colours, title="Category"
            )

    def _draw_scale(self) -> None:
        """Draw the colour scale at the top left; a grey one below it for rows set aside."""
        self.page.text(MARGIN, MARGIN + 1, self.label, va="center", fontsize=style.SMALL)
        y, steps = MARGIN + 3.0, np.linspace(0, 1, 65)
        for grey in sorted({group.grey for group in self.groups}):
            name = style.SET_ASIDE if grey else style.DIVERGING
            edges = MARGIN + 1 + (SCALE - 2) * steps
            self.page.pcolormesh(edges, [y, y + 1.8], steps[None, :-1], cmap=name)
            y += 2.1
        for share, value in ((0, -self.limit), (0.5, 0), (1, self.limit)):
            text = f"{value:.2g}".replace("-", "−")
            room = style.text_width(text, style.TINY) / 2 + 0.5
            x = max(MARGIN + 1 + (SCALE - 2) * share, room)
            self.page.text(x, y + 1.2, text, ha="center", va="center", fontsize=style.TINY)

    def _draw_bars(self, bars: pd.Series) -> None:
        axes = style.axes_at(
            self.figure, self.cells_right + 4, self.top, BAR, self.bottom - self.top
        )
        bars = bars.set_axis(bars.index.astype(str)).astype(float)
        for group in self.groups:
            middles = group.top - self.top + (np.arange(len(group.rows)) + 0.5) * self.row
            colour = "0.7" if group.grey else style.PALETTE[0]
            axes.barh(middles, bars.reindex(group.rows.index), 0.7 * self.row, color=colour)
        axes.axvline(0, color=style.INK, lw=0.5)
        axes.set(ylim=(self.bottom - self.top, 0), yticks=[])
        axes.spines["left"].set_visible(False)
        shown = bars.reindex(self.values.index).dropna()
        extreme = shown.loc[shown.abs().idxmax()] if len(shown) else 1.0
        axes.set_xticks(sorted({0.0, float(f"{extreme:.0e}")}))
        axes.xaxis.set_major_formatter("{x:g}")
        axes.tick_params(axis="x", labelsize=style.TINY)
        axes.set_xlabel(self.bar_label, fontsize=style.TINY)


def tree(values: pd.DataFrame) -> dict | None:
    """Cluster rows by Ward's method: scipy's drawing of the tree; none below three rows."""
    if len(values) < 3:
        return None
    few = len(values) <= 300  # the optimal order takes too long for more
    return dendrogram(
        linkage(np.nan_to_num(values.to_numpy(float)), "ward", optimal_ordering=few), no_plot=True
    )


def tree_lines(drawn: dict) -> tuple[np.ndarray, np.ndarray]:
    """Heights (0..1) and places (leaf i is at i + 0.5) of a tree's forks, each ``(forks, 4)``."""
    heights = np.asarray(drawn["dcoord"], dtype=float)
    return heights / max(heights.max(), 1e-12), np.asarray(drawn["icoord"], dtype=float) / 10


def spread(wanted: np.ndarray, pitch: float, low: float, high: float) -> np.ndarray:
    """Move sorted places apart until ``pitch`` lies between each two, within limits if possible.

    Examples
    --------
    >>> spread(np.array([1.0, 1.5, 9.0]), 2.0, 0.0, 10.0).tolist()
    [0.25, 2.25, 9.0]
    """
    steps = pitch * np.arange(len(wanted))
    free = wanted - steps
    means: list[tuple[float, int]] = []  # pooled neighbours: the nearest non-decreasing places
    for place in free:
        mean, size = float(place), 1
        while means and means[-1][0] > mean:
            last, n = means.pop()
            mean, size = (last * n + mean * size) / (n + size), n + size
        means.append((mean, size))
    nearest = np.repeat([mean for mean, _ in means], [size for _, size in means])
    last_free = max(high - pitch * (len(wanted) - 1), low)
    return np.clip(nearest, low, last_free) + steps
