"""What each base of a region is worth, as letters, one row for each group of cells."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from anndata import AnnData
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from cisgrammar.genome.sequence import BASES, N, encode
from cisgrammar.plots import style
from cisgrammar.plots.logos import COLOURS, glyph

ROW, HEAD, FOOT, SIDE, END = 16.0, 9.0, 9.0, 22.0, 9.0  # mm


@style.styled
def importance_logos(
    scores: np.ndarray,
    codes: np.ndarray,
    groups: Sequence[str],
    start: int = 0,
    labels: pd.DataFrame | None = None,
    thresholds: Sequence[float] | None = None,
    x_label: str = "Position (bp)",
) -> Figure:
    """Draw the bases of a region as high as their importance, on one scale for all groups.

    Parameters
    ----------
    scores
        From :func:`cisgrammar.interpret.mutagenesis.importance`: ``(groups, positions)``.
    codes
        The bases, uint8 ``(positions,)``.
    groups
        Names of the rows.
    start
        What the first position is called.
    labels
        Motifs to name above the first row: columns motif, start, end (0-based in the region).
        Those that would lie on one already named are left out.
    thresholds
        Importance of each group that shuffled sequences rarely reach: grey lines on both sides
        of 0.
    x_label
        What positions count.
    """
    figure = style.new_figure(style.TWO_COLUMNS, HEAD + ROW * len(groups) + FOOT, placed=True)
    low, high = min(0.0, scores.min()), max(0.0, scores.max(), 1e-6)
    step = float(f"{max(high, -low) / 2:.0e}")  # to one digit
    room = 0.06 * (high - low)
    for i, (row, group) in enumerate(zip(scores, groups, strict=True)):
        axes = style.axes_at(
            figure, SIDE, HEAD + i * ROW, style.TWO_COLUMNS - SIDE - END, ROW - 2.5
        )
        draw_letters(axes, row, codes, start)
        axes.axhline(0, color=style.INK, lw=0.4)
        for limit in () if thresholds is None else (thresholds[i], -thresholds[i]):
            axes.axhline(limit, color="0.6", lw=0.4, ls=(0, (3, 3)), zorder=0)
        axes.set(xlim=(start, start + len(codes)), ylim=(low - room, high + room))
        axes.set_ylabel(style.shorten(group, SIDE - 12), rotation=0, ha="right", va="center")
        axes.set_yticks([tick for tick in (-step, 0, step) if low - room <= tick <= high + room])
        if i < len(groups) - 1:
            axes.set_xticks([])
        else:
            axes.set_xlabel(x_label)
            axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
            axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    if labels is not None and len(labels):
        name_motifs(figure, labels, start, len(codes))
    return figure


def region_logos(
    mutated: AnnData, sites: pd.DataFrame, thresholds: pd.Series, n_bases: int, n_rows: int
) -> Figure:
    """Draw the most important part of a region, in the cell types where it matters most.

    Parameters
    ----------
    mutated
        Positions of one region x cell types: importance; obs region, chrom, position, base.
    sites
        Sites in it to name: cell_type, name, start, end (in the genome), p, r.
    thresholds
        Index cell type: importance that shuffled sequences rarely have.
    n_bases
        Of the part that is drawn.
    n_rows
        Cell types: those where bases matter most, and last the one where they matter least.
    """
    scores = np.asarray(mutated.X, dtype=np.float64).T
    first, end = window_of(scores, n_bases)
    rows = telling_groups(scores[:, first:end], n_rows)
    names = mutated.var_names[rows]
    origin = int(mutated.obs["position"].iloc[first])
    inside = sites[sites["cell_type"].isin(names)]
    inside = inside[(inside["start"] >= origin) & (inside["end"] <= origin + end - first)]
    inside = inside.sort_values(["p", "r"], ascending=[True, False], kind="stable")
    labels = inside.assign(
        motif=inside["name"], start=inside["start"] - origin, end=inside["end"] - origin
    )
    codes = encode("".join(mutated.obs["base"].astype(str).iloc[first:end]))
    region, chrom = (str(mutated.obs[column].iloc[0]) for column in ("region", "chrom"))
    return importance_logos(
        scores[rows, first:end], codes, list(names), origin, labels, thresholds[names].tolist(),
        f"Position on {chrom} (bp), in {region}",
    )  # fmt: skip


def draw_letters(axes: Axes, scores: np.ndarray, codes: np.ndarray, start: int) -> None:
    """Draw bases as high as their scores; the first is at ``start``."""
    for number, letter in enumerate(BASES):
        shape = glyph(letter)
        here = np.flatnonzero((codes == number) & (codes != N) & (scores != 0))
        letters = [
            Path(
                np.asarray(shape.vertices) * (0.94, scores[i]) + (start + i + 0.03, 0), shape.codes
            )
            for i in here
        ]
        if letters:
            path = Path.make_compound_path(*letters)
            axes.add_patch(PathPatch(path, facecolor=COLOURS[letter], lw=0))


def name_motifs(figure: Figure, labels: pd.DataFrame, start: int, n: int, top: float = 1.0) -> None:
    """Name motifs on one line above ``n`` bases; what would lie on another name is left out.

    Parameters
    ----------
    figure
        Its width is two columns.
    labels
        motif, start, end (from the first base), the most important first.
    start
        What the first base is called.
    n
        Bases.
    top
        Where the line begins, in mm from the figure's top.
    """
    width = style.TWO_COLUMNS - SIDE - END
    axes = style.axes_at(figure, SIDE, top, width, HEAD - 1.5)
    axes.set(xlim=(start, start + n), ylim=(0, 1))
    axes.axis("off")
    taken: list[tuple[float, float]] = []
    for label in labels.itertuples():
        first, end = start + label.start, start + label.end
        half = max(style.text_width(label.motif, style.TINY) * n / width, end - first) / 2 + 0.5
        middle = float(np.clip((first + end) / 2, start + half, start + n - half))
        if any(middle - half < right and middle + half > left for left, right in taken):
            continue
        taken.append((middle - half, middle + half))
        axes.plot([first, end], [0.1, 0.1], color=style.INK, lw=1.2, solid_capstyle="butt")
        axes.text(middle, 0.3, label.motif, ha="center", va="bottom", fontsize=style.TINY)


def window_of(scores: np.ndarray, width: int) -> tuple[int, int]:
    """Find the part of a region that holds most importance.

    Parameters
    ----------
    scores
        ``(groups, positions)``.
    width
        Of the part; of all positions, if fewer.

    Returns
    -------
    First position, and the one after the last.
    """
    width = min(width, scores.shape[1])
    sums = np.convolve(np.abs(scores).sum(axis=0), np.ones(width), mode="valid")
    first = int(sums.argmax())
    return first, first + width


def telling_groups(scores: np.ndarray, n: int) -> np.ndarray:
    """Choose the groups in which bases matter most, and the one in which least.

    Parameters
    ----------
    scores
        ``(groups, positions)``.
    n
        How many; all, if there are fewer.

    Returns
    -------
    Their numbers, the one of most importance first.
    """
    order = np.argsort(-np.abs(scores).sum(axis=1), kind="stable")
    return order if len(order) <= n else np.append(order[: n - 1], order[-1])
