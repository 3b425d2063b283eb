"""What each base of a window contributes: a track of all of it, and letters where it is most."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from cisgrammar.plots import style
from cisgrammar.plots.mutagenesis import END, HEAD, SIDE, draw_letters, name_motifs, window_of

TRACK, LETTERS, GAP = 22.0, 24.0, 10.0  # mm
N_BASES = 100


@style.styled
def contribution_track(
    contributions: np.ndarray,
    codes: np.ndarray,
    start: int,
    seqlets: pd.DataFrame,
    title: str,
    x_label: str,
    n_bases: int = N_BASES,
) -> Figure:
    """Draw a window's contributions, and the part that has most of them as letters.

    Parameters
    ----------
    contributions
        Of the bases that stand there, along the plus strand: ``(positions,)``; NaN is not drawn.
    codes
        The bases, uint8 ``(positions,)``.
    start
        Position of the first base.
    seqlets
        In the window: start, end (positions as ``start`` is), name, motif_start, motif_end; the
        largest first. Those without a name are shown and not named.
    title
        Whose prediction this is.
    x_label
        What positions count.
    n_bases
        Drawn as letters.
    """
    scores = np.nan_to_num(contributions)
    height = HEAD + TRACK + GAP + LETTERS + GAP
    figure = style.new_figure(style.TWO_COLUMNS, height, placed=True)
    width = style.TWO_COLUMNS - SIDE - END
    positions = start + np.arange(len(scores))
    known = positions[~np.isnan(contributions)]
    upper = style.axes_at(figure, SIDE, HEAD, width, TRACK)
    upper.vlines(
        positions + 0.5, np.minimum(scores, 0), np.maximum(scores, 0), colors=style.PALETTE[0],
        lw=0.4, rasterized=True,
    )  # fmt: skip
    upper.set_xlim(known.min() if len(known) else start, known.max() + 1 if len(known) else start)
    upper.set_title(style.shorten(title, width - 5), loc="left")
    first = part_of(scores, seqlets["start"] - start, seqlets["end"] - start, n_bases)
    end = min(first + n_bases, len(scores))
    upper.axvspan(start + first, start + end, color="0.93", zorder=0, lw=0)
    lower = style.axes_at(figure, SIDE, HEAD + TRACK + GAP, width, LETTERS)
    draw_letters(lower, scores[first:end], codes[first:end], start + first)
    lower.set_xlim(start + first, start + end)
    lower.set_xlabel(x_label)
    low, high = min(0.0, scores.min()), max(0.0, scores.max(), 1e-9)
    room = 0.1 * (high - low)
    for axes in (upper, lower):
        axes.set_ylim(low - room, high + room)
        axes.set_ylabel("Contribution")
        _say_positions(axes)
    for seqlet in seqlets.itertuples():
        for axes in (upper, lower):
            axes.plot(
                [seqlet.start, seqlet.end], [low - 0.6 * room] * 2, color=style.PALETTE[3], lw=1.5,
                solid_capstyle="butt",
            )  # fmt: skip
    _name(figure, seqlets, start + first, end - first)
    return figure


def part_of(scores: np.ndarray, starts: pd.Series, ends: pd.Series, n: int) -> int:
    """Choose where the part begins that is drawn as letters.

    Parameters
    ----------
    scores
        ``(positions,)``.
    starts, ends
        Of seqlets. The part is laid about those that fit into it and contribute most together;
        without seqlets it is the one that contributes most.
    n
        Its positions.
    """
    first, end = starts.to_numpy(dtype=int), ends.to_numpy(dtype=int)
    if not len(first) or (end - first).min() > n:
        return window_of(scores[None], n)[0]
    inside = (first >= first[:, None]) & (end <= first[:, None] + n)  # of parts that begin there
    sums = np.array([np.abs(scores[a:b]).sum() for a, b in zip(first, end, strict=True)])
    fitting = inside[(inside @ sums).argmax()]
    middle = (first[fitting].min() + end[fitting].max()) // 2
    return int(np.clip(middle - n // 2, 0, max(len(scores) - n, 0)))


def _name(figure: Figure, seqlets: pd.DataFrame, origin: int, n: int) -> None:
    """Name the motifs that lie in the part with letters, above it."""
    named = seqlets[seqlets["name"] != ""]
    labels = pd.DataFrame(
        {
            "motif": named["name"],
            "start": named["motif_start"] - origin,
            "end": named["motif_end"] - origin,
        }
    )
    labels = labels[(labels["start"] >= 0) & (labels["end"] <= n)]
    if len(labels):
        name_motifs(figure, labels, origin, n, HEAD + TRACK + GAP - HEAD + 1.5)


def _say_positions(axes: Axes) -> None:
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.yaxis.set_major_locator(MaxNLocator(4))
