"""Heat maps with dendrograms, logos beside the rows and bars; placed to the millimetre.

Every size follows from the numbers of rows and columns and from the widths of their names, so
that the same code serves 5 and 60 cell types.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from scipy.cluster.hierarchy import dendrogram, linkage

from cisgrammar.plots import style
from cisgrammar.plots.logos import draw_logo

MARGIN, TREE, LOGO, BAR, GROUP_GAP = 2.0, 9.0, 26.0, 14.0, 1.2
LONGEST_NAME = 42.0
KEY = 30.0  # width kept free at the top left for the colour scale


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
    cluster_rows, cluster_columns
        Whether to order by Ward's clustering of the values (missing ones as 0), with dendrogram.
    row_strip, column_strip
        Name to colour, a strip beside the names.
    limit
        Value of the strongest colours, with 0 in the middle; from the values if not given.
    row_height, cell_width
        The largest in mm; both shrink when there are many.
    """

    values: pd.DataFrame
    label: str
    logos: Mapping[str, np.ndarray] = field(default_factory=dict)
    set_aside: frozenset[str] = frozenset()
    row_notes: Mapping[str, str] = field(default_factory=dict)
    bars: pd.Series | None = None
    bar_label: str = ""
    cluster_rows: bool = True
    cluster_columns: bool = True
    row_strip: Mapping[str, str] = field(default_factory=dict)
    column_strip: Mapping[str, str] = field(default_factory=dict)
    limit: float | None = None
    row_height: float = 6.0
    cell_width: float = 7.0
    max_width: float = style.TWO_COLUMNS

    def __post_init__(self) -> None:
        self.values = self.values.set_axis(self.values.index.astype(str), axis=0)
        self.values = self.values.set_axis(self.values.columns.astype(str), axis=1)
        if self.limit is None:
            self.limit = style.symmetric_limit(self.values.to_numpy(float))
        if not self.logos:
            self.row_height = min(self.row_height, 3.6)
        self._order()
        self._measure()

    def _order(self) -> None:
        """Put rows (each group for itself) and columns into the order of their trees."""
        self.column_tree = tree(self.values.T) if self.cluster_columns else None
        columns = self.column_tree["leaves"] if self.column_tree else range(self.values.shape[1])
        self.values = self.values.iloc[:, list(columns)]
        aside = self.values.index.isin(self.set_aside)
        self.groups: list[tuple[pd.DataFrame, dict | None, bool]] = []
        for grey in (False, True):
            rows = self.values[aside == grey]
            if len(rows):
                row_tree = tree(rows) if self.cluster_rows else None
                order = row_tree["leaves"] if row_tree else list(range(len(rows)))
                self.groups.append((rows.iloc[order], row_tree, grey))

    def _measure(self) -> None:
        """Work out every width and height, in mm."""
        n_rows, n_columns = self.values.shape
        self.row_names = {
            name: style.shorten(name, LONGEST_NAME)
            + (f" ({self.row_notes[name]})" if name in self.row_notes else "")
            for name in self.values.index
        }
        widest = max(style.text_width(text, style.SMALL) for text in self.row_names.values())
        trees = TREE if any(row_tree for _, row_tree, _ in self.groups) else 0.0
        self.name_right = MARGIN + trees + (LOGO + 1 if self.logos else 0) + widest + 1
        strip = 3.0 if self.row_strip else 0.0
        self.left = max(self.name_right + strip, KEY + MARGIN + 4)
        self.name_right = self.left - strip
        right = MARGIN + (BAR + 4 if self.bars is not None else 0.0)
        free = self.max_width - self.left - right
        self.cell = min(self.cell_width, free / n_columns)
        self.name_size = style.SMALL if self.cell > 2.4 else min(style.TINY, self.cell / 0.36)
        self.column_names = [
            style.shorten(name, LONGEST_NAME, self.name_size) for name in self.values.columns
        ]
        longest = max(style.text_width(name, self.name_size) for name in self.column_names)
        self.top = MARGIN + max(12.0, TREE + 2.0) + (2.5 if self.column_strip else 0.0)
        gaps = GROUP_GAP * (len(self.groups) - 1)
        self.row = min(self.row_height, max((238.0 - self.top - longest) / n_rows, 1.6))
        self.height = self.top + n_rows * self.row + gaps + longest + 2.5 + MARGIN
        self.bars_left = self.left + n_columns * self.cell + 4
        self.width = self.left + n_columns * self.cell + right

    def draw(self) -> Figure:
        """Draw it, as wide as it needs, at most ``max_width``."""
        self.page = style.canvas(max(self.width, 50.0), self.height)
        y = self.top
        for rows, row_tree, grey in self.groups:
            self._draw_rows(rows, row_tree, grey, y)
            y += len(rows) * self.row + GROUP_GAP
        self.bottom = y - GROUP_GAP
        self._draw_columns()
        self._draw_scale()
        if self.bars is not None:
            self._draw_bars()
        return self.page.figure

    def _draw_rows(self, rows: pd.DataFrame, row_tree: dict | None, grey: bool, y: float) -> None:
        n_rows, n_columns = rows.shape
        colours = mpl.colormaps[style.SET_ASIDE if grey else style.DIVERGING]
        self.page.pcolormesh(
            self.left + self.cell * np.arange(n_columns + 1),
            y + self.row * np.arange(n_rows + 1),
            np.ma.masked_invalid(rows.to_numpy(float)),
            cmap=colours.with_extremes(bad=style.MISSING),
            vmin=-self.limit,
            vmax=self.limit,
            edgecolors="white",
            linewidth=0.3 if min(self.cell, self.row) > 1.5 else 0,
        )
        size = min(style.SMALL, self.row / 0.36)
        for i, name in enumerate(rows.index):
            middle = y + (i + 0.5) * self.row
            self.page.text(
                self.name_right - 1,
                middle,
                self.row_names[name],
                ha="right",
                va="center_baseline",
                fontsize=size,
                color="grey" if grey else style.INK,
            )
            if name in self.row_strip:
                self._patch(
                    self.left - 2.6, middle - self.row / 2, 1.8, self.row, self.row_strip[name]
                )
            if name in self.logos:
                self._draw_logo(self.logos[name], middle, grey)
        if row_tree:
            colour = "grey" if grey else style.INK
            heights, leaves = self._tree_lines(row_tree)
            x = MARGIN + (TREE - 0.5) * (1 - heights)
            lines = np.stack([x, y + leaves * self.row], axis=-1)
            self.page.add_collection(LineCollection(list(lines), colors=colour, lw=0.5))

    def _draw_logo(self, matrix: np.ndarray, middle: float, grey: bool) -> None:
        right = (
            self.name_right
            - 2
            - max(style.text_width(text, style.SMALL) for text in self.row_names.values())
        )
        width = min(LOGO, 2.2 * matrix.shape[1])
        base, height = middle + 0.42 * self.row, 0.84 * self.row
        draw_logo(self.page, matrix, right - width, base, width, -height, "grey" if grey else None)

    def _draw_columns(self) -> None:
        for j, (name, text) in enumerate(zip(self.values.columns, self.column_names, strict=True)):
            middle = self.left + (j + 0.5) * self.cell
            self.page.text(
                middle,
                self.bottom + 1.2,
                text,
                rotation=90,
                ha="center",
                va="top",
                fontsize=self.name_size,
            )
            if name in self.column_strip:
                colour = self.column_strip[name]
                self._patch(middle - self.cell / 2, self.top - 2.4, self.cell, 1.8, colour)
        if self.column_tree:
            heights, leaves = self._tree_lines(self.column_tree)
            y = self.top - (2.9 if self.column_strip else 0.5) - TREE * heights
            lines = np.stack([self.left + leaves * self.cell, y], axis=-1)
            self.page.add_collection(LineCollection(list(lines), colors=style.INK, lw=0.5))

    def _draw_scale(self) -> None:
        """Draw the colour scale at the top left; a grey one below it for rows set aside."""
        self.page.text(MARGIN, MARGIN + 1, self.label, va="center", fontsize=style.SMALL)
        maps = [style.DIVERGING if not grey else style.SET_ASIDE for _, _, grey in self.groups]
        y = MARGIN + 3.0
        for name in maps:
            steps = np.linspace(0, 1, 65)
            self.page.pcolormesh(
                MARGIN + 1 + (KEY - 2) * steps, [y, y + 1.8], steps[None, :-1], cmap=name
            )
            y += 2.1
        for value in (-self.limit, 0, self.limit):
            x = MARGIN + 1 + (KEY - 2) * (value + self.limit) / (2 * self.limit)
            self.page.text(
                x, y + 1.2, f"{value:.2g}", ha="center", va="center", fontsize=style.TINY
            )

    def _draw_bars(self) -> None:
        heights = pd.concat([rows for rows, _, _ in self.groups]).index
        values = self.bars.set_axis(self.bars.index.astype(str)).reindex(heights).to_numpy(float)
        axes = style.axes_at(
            self.page.figure, self.bars_left, self.top, BAR, self.bottom - self.top
        )
        middles = np.concatenate(
            [
                self.row * (start + np.arange(len(rows)) + 0.5) + GROUP_GAP * i
                for i, (start, (rows, _, _)) in enumerate(
                    zip(self._starts(), self.groups, strict=True)
                )
            ]
        )
        greys = np.concatenate([np.full(len(rows), grey) for rows, _, grey in self.groups])
        axes.barh(middles, values, 0.7 * self.row, color=np.where(greys, "0.7", style.PALETTE[0]))
        axes.axvline(0, color=style.INK, lw=0.5)
        axes.set(ylim=(self.bottom - self.top, 0), yticks=[])
        axes.spines["left"].set_visible(False)
        extreme = values[np.nanargmax(np.abs(values))] if np.isfinite(values).any() else 1.0
        axes.set_xticks(sorted({0.0, float(f"{extreme:.0e}")}))
        axes.xaxis.set_major_formatter("{x:g}")
        axes.tick_params(axis="x", labelsize=style.TINY)
        axes.set_xlabel(self.bar_label, fontsize=style.TINY)

    def _starts(self) -> list[int]:
        return [0, *np.cumsum([len(rows) for rows, _, _ in self.groups])[:-1]]

    def _patch(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        self.page.add_patch(mpl.patches.Rectangle((x, y), width, height, facecolor=colour, lw=0))

    @staticmethod
    def _tree_lines(drawn: dict) -> tuple[np.ndarray, np.ndarray]:
        """Heights (0..1) and leaf positions (0..n) of a tree's forks, each ``(forks, 4)``."""
        heights = np.asarray(drawn["dcoord"], dtype=float)
        return heights / max(heights.max(), 1e-12), np.asarray(drawn["icoord"], dtype=float) / 10


def tree(values: pd.DataFrame) -> dict | None:
    """Cluster rows by Ward's method: scipy's drawing of the tree; none below three rows."""
    if len(values) < 3:
        return None
    links = linkage(
        np.nan_to_num(values.to_numpy(float)), "ward", optimal_ordering=len(values) < 500
    )
    return dendrogram(links, no_plot=True)


def strip_colours(labels: Mapping[str, object]) -> dict[str, str]:
    """Colour names by their group: name to colour."""
    colours = style.category_colours(labels.values())
    return {name: colours[str(label)] for name, label in labels.items()}


def logos_of(motifs: Sequence, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Pick the matrices of some motifs, by name."""
    wanted = set(names)
    return {motif.name: motif.matrix for motif in motifs if motif.name in wanted}
