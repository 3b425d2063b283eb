"""Where along the window each family of motifs acts, and in which cell type."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from cisgrammar.motifs.meme import Motif
from cisgrammar.plots import style
from cisgrammar.plots.heatmaps import tree
from cisgrammar.plots.logos import draw_logo

ACROSS = 3  # panels side by side
GAP, END, MARGIN = 8.0, 3.0, 2.0  # mm
NAME, LOGO, PROFILE, FOOT, SCALE = 4.0, 7.0, 8.0, 9.0, 14.0  # mm, from a panel's top down
ROW, CELLS = 3.0, 28.0  # mm: the largest height of a cell type, and of all where there are many
SURE = 2.0  # standard errors


@style.styled
def family_positions(
    table: pd.DataFrame,
    families: pd.DataFrame,
    motifs: Sequence[Motif] = (),
    n_top: int = 12,
    unit: str = "log10 counts",
    score: str = "effect",
    origin: str = "the TSS",
    order: Sequence[str] = (),
) -> Figure:
    """Draw a panel for each family: cell types down, bins of the window along.

    Above the cells, the mean over cell types and the range from the lowest to the highest.
    Effects less than two standard errors from 0, over folds, are left white.

    Parameters
    ----------
    table
        ``family_positions.tsv``, its families those to draw.
    families
        ``families.tsv``: family, example (the motif whose logo is drawn).
    motifs
        The filters' motifs, the examples among them.
    n_top
        The most families to draw: those of the strongest score in any bin and cell type.
    unit
        The unit of the score, that of the model's targets.
    score
        ``effect`` or ``influence``; errors are known of the effect alone.
    origin
        What positions are counted from.
    order
        Cell types from the top down; empty: those that are alike beside each other.

    Raises
    ------
    ValueError
        If the table is empty or a column is missing.
    """
    columns = ["family", "bin", "start", "end", "cell_type", "effect_se", score]
    style.require(table, "family_positions", columns)
    strongest = table[score].abs().groupby(table["family"]).max()
    shown = list(strongest.sort_values(ascending=False, kind="stable").index[:n_top])
    table = table[table["family"].isin(shown)]
    there = set(table["cell_type"].astype(str))
    types = [name for name in order if name in there] or _order_of_types(table, score)
    limit = style.symmetric_limit(table[score].to_numpy())
    names = families.set_index("family")["example"].to_dict()
    logos = {motif.name: motif.matrix for motif in motifs}
    page = _Page(len(shown), types)
    for i, family in enumerate(shown):
        cells = table[table["family"] == family]
        matrix = logos.get(names.get(family, ""))
        page.draw_panel(i, family, matrix, cells, score, limit)
    page.finish(
        limit, f"{score.capitalize()} ({unit})", f"Middle of the motif, bases from {origin}"
    )
    return page.figure


def _order_of_types(table: pd.DataFrame, score: str) -> list[str]:
    """Put cell types that do alike beside each other."""
    wide = table.assign(cell_type=table["cell_type"].astype(str))
    wide = wide.pivot_table(index="cell_type", columns=["family", "bin"], values=score)
    found = tree(wide)
    return list(wide.index[found["leaves"]] if found else wide.index)


class _Page:
    """The panels' places, in mm, and what they share."""

    def __init__(self, n_panels: int, types: list[str]) -> None:
        self.n_panels, self.types = n_panels, types
        self.across = min(ACROSS, n_panels)
        self.row = min(ROW, CELLS / len(types))
        self.named = self.row >= 1.6
        widest = max(style.text_width(name, style.SMALL) for name in types)
        self.side = max(min(30.0, widest) + 4.0, 10.0) if self.named else 10.0
        self.cells = self.row * len(types)
        self.panel = NAME + LOGO + PROFILE + 1.0 + self.cells + FOOT
        free = style.TWO_COLUMNS - self.side - END - GAP * (ACROSS - 1)
        self.width = free / ACROSS
        down = -(-n_panels // self.across)
        full = self.side + self.across * (self.width + GAP) - GAP + END
        self.figure = style.new_figure(
            max(full, style.ONE_COLUMN), MARGIN + down * self.panel + SCALE, placed=True
        )
        self.below = MARGIN + down * self.panel

    def draw_panel(
        self,
        number: int,
        family: str,
        matrix: np.ndarray | None,
        table: pd.DataFrame,
        score: str,
        limit: float,
    ) -> None:
        """Draw one family: its name, logo, profile and cells."""
        left = self.side + number % self.across * (self.width + GAP)
        top = MARGIN + number // self.across * self.panel
        head = style.axes_at(self.figure, left, top, self.width, NAME)
        head.text(0, 0.5, style.shorten(family, self.width, style.TEXT), va="center")
        head.axis("off")
        if matrix is not None:
            box = style.axes_at(self.figure, left, top + NAME, min(26.0, self.width), LOGO - 1.5)
            draw_logo(box, matrix)
            box.set(xlim=(0, matrix.shape[1]), ylim=(0, 2))
            box.axis("off")
        ordered = table.assign(
            cell_type=pd.Categorical(table["cell_type"].astype(str), self.types)
        ).sort_values(["cell_type", "bin"])
        shape = (len(self.types), -1)
        values, errors = (ordered[c].to_numpy(float).reshape(shape) for c in (score, "effect_se"))
        places = table.drop_duplicates("bin").sort_values("bin")
        edges = np.append(places["start"], places["end"].iloc[-1]).astype(float)
        top += NAME + LOGO
        profile = style.axes_at(self.figure, left, top, self.width, PROFILE)
        _draw_profile(profile, edges, values)
        grid = style.axes_at(self.figure, left, top + PROFILE + 1.0, self.width, self.cells)
        if score == "effect":
            values = np.where(np.abs(values) < SURE * errors, np.nan, values)
        grid.pcolormesh(
            edges,
            np.arange(len(values) + 1),
            values,
            cmap=style.DIVERGING,
            vmin=-limit,
            vmax=limit,
        )
        grid.axvline(0, color=style.INK, lw=0.5, ls=(0, (2, 2)))
        grid.set(xlim=edges[[0, -1]], ylim=(len(values), 0), yticks=[])
        grid.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        grid.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        for spine in ("top", "right"):
            grid.spines[spine].set_visible(True)
        if number % self.across == 0 and self.named:
            short = [style.shorten(name, 30.0) for name in self.types]
            grid.set_yticks(np.arange(len(short)) + 0.5, short)
            grid.tick_params(axis="y", length=0)
        elif number % self.across == 0:
            grid.set_ylabel(f"{len(self.types)} cell types")

    def finish(self, limit: float, label: str, x_label: str) -> None:
        """Draw what all panels share: the colours' scale, and what the axes are."""
        width = self.figure.get_size_inches()[0] / style.MM
        middle = (self.side + width - END) / 2
        foot = style.axes_at(self.figure, 0, self.below - 3.5, width, 3.5)
        foot.set(xlim=(0, width), ylim=(1, 0))
        foot.axis("off")
        foot.text(middle, 0.5, x_label, ha="center", va="center")
        bar = style.axes_at(self.figure, middle - 20, self.below + 2.0, 40, 2.0)
        colours = ScalarMappable(Normalize(-limit, limit), style.DIVERGING)
        self.figure.colorbar(colours, cax=bar, orientation="horizontal", label=label)
        bar.xaxis.set_major_locator(MaxNLocator(5, symmetric=True))


def _draw_profile(axes: Axes, edges: np.ndarray, values: np.ndarray) -> None:
    """Draw the mean over cell types along the window, and the range over them."""
    low, high = values.min(axis=0), values.max(axis=0)
    axes.axhline(0, color="0.7", lw=0.5)
    axes.axvline(0, color=style.INK, lw=0.5, ls=(0, (2, 2)))
    axes.stairs(high, edges, baseline=low, fill=True, color="0.85", lw=0)
    axes.stairs(values.mean(axis=0), edges, color=style.INK, lw=0.8, baseline=None)
    axes.set(xlim=edges[[0, -1]], xticks=[])
    axes.yaxis.set_major_locator(MaxNLocator(2, symmetric=False))
    axes.tick_params(axis="y", labelsize=style.TINY, pad=1)
    axes.spines["bottom"].set_visible(False)
