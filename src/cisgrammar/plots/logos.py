"""Sequence logos: letters as high as their information, drawn as four shapes each."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.textpath import TextPath

from cisgrammar.genome.sequence import BASES
from cisgrammar.motifs.meme import Motif, information_content, reverse_complement
from cisgrammar.plots import style

COLOURS = dict(zip(BASES, ("#009E73", "#0072B2", "#E69F00", "#D55E00"), strict=True))
MAX_BITS = 2.0
LEAST_BITS = 0.005  # lower letters would not be seen


@functools.cache
def glyph(letter: str) -> Path:
    """Give one bold letter, stretched to fill the unit square."""
    path = TextPath(
        (0, 0), letter, size=1, prop=FontProperties(family="DejaVu Sans", weight="bold")
    )
    box = path.get_extents()
    return Path((path.vertices - box.min) / box.size, path.codes)


def letter_heights(matrix: np.ndarray) -> np.ndarray:
    """Heights of a logo's letters in bits, ``(4, width)``: probability x information."""
    return matrix * information_content(matrix)


def draw_logo(
    axes: Axes,
    matrix: np.ndarray,
    x: float = 0.0,
    y: float = 0.0,
    width: float | None = None,
    height: float = MAX_BITS,
    colour: str | None = None,
) -> None:
    """Draw a logo into a box, in the coordinates of the axes, without axis or limits.

    Parameters
    ----------
    matrix
        Probabilities, rows A, C, G, T: ``(4, width)``.
    x, y
        The box's left end and base line.
    width, height
        Of the box; its height stands for 2 bits. The width is one per position by default.
    colour
        One colour for all letters, for logos set aside.
    """
    step = (width / matrix.shape[1]) if width else 1.0
    bits = letter_heights(np.asarray(matrix, dtype=float))
    heights = bits * height / MAX_BITS
    order = np.argsort(bits, axis=0, kind="stable")  # the most frequent letter on top
    stacked = np.take_along_axis(heights, order, axis=0)
    base = np.empty_like(heights)
    np.put_along_axis(base, order, np.cumsum(stacked, axis=0) - stacked, axis=0)
    for row, letter in enumerate(BASES):
        shape = glyph(letter)
        letters = [
            Path(
                np.asarray(shape.vertices) * (0.94 * step, heights[row, i])
                + (x + (i + 0.03) * step, y + base[row, i]),
                shape.codes,
            )
            for i in np.flatnonzero(bits[row] > LEAST_BITS)
        ]
        if letters:
            path = Path.make_compound_path(*letters)
            axes.add_patch(PathPatch(path, facecolor=colour or COLOURS[letter], lw=0))


def logo(axes: Axes, matrix: np.ndarray) -> None:
    """Draw one logo with its axes: bits against position.

    Parameters
    ----------
    matrix
        Probabilities, rows A, C, G, T: ``(4, width)``.
    """
    draw_logo(axes, matrix)
    width = matrix.shape[1]
    axes.set(xlim=(0, width), ylim=(0, MAX_BITS), yticks=(0, 1, 2), ylabel="Information (bits)")
    axes.set_xticks(np.arange(width) + 0.5, np.arange(1, width + 1))
    axes.set_xlabel("Position (bp)")
    axes.tick_params(axis="x", length=0)


@style.styled
def logo_gallery(
    motifs: Sequence[Motif], table: pd.DataFrame | None = None, columns: int = 4, n_top: int = 72
) -> Figure:
    """Draw the logos of many motifs, in the order given.

    Parameters
    ----------
    motifs
        What to draw; each logo's full height is 2 bits.
    table
        ``motifs.tsv``: its ``n_sequences`` is written above each logo.
    columns
        Logos side by side.
    n_top
        The most to draw; when there are more, the figure says so.

    Returns
    -------
    The figure, 180 mm wide; 72 logos fill a page.

    Raises
    ------
    ValueError
        If there are no motifs.
    """
    if not motifs:
        raise ValueError("logo_gallery: nothing to draw, there are no motifs")
    n_sequences: dict[str, int] = {}
    if table is not None:
        style.require(table, "logo_gallery", ["motif", "n_sequences"])
        n_sequences = dict(
            zip(table["motif"].astype(str), table["n_sequences"].astype(int), strict=True)
        )
    n_motifs, motifs = len(motifs), motifs[:n_top]
    rows = -(-len(motifs) // columns)
    cell_width, cell_height, left, top = (style.TWO_COLUMNS - 12) / columns, 13.0, 9.0, 1.0
    height = rows * cell_height + 2 * top + 4 * (n_motifs > n_top)
    figure, axes = style.canvas(style.TWO_COLUMNS, height)
    if n_motifs > n_top:
        text = f"The first {n_top:,} of {n_motifs:,} motifs"
        axes.text(left, height - 2.5, text, va="center")
    widest = max(motif.matrix.shape[1] for motif in motifs)
    step = min((cell_width - 5) / widest, 3.5)
    for i, motif in enumerate(motifs):
        x, y = left + (i % columns) * cell_width, top + (i // columns) * cell_height
        note = f"  n = {n_sequences[motif.name]:,}" if motif.name in n_sequences else ""
        title = style.shorten(motif.name, cell_width - 6 - style.text_width(note, style.SMALL))
        axes.text(x, y + 1.6, title + note, fontsize=style.SMALL, va="center")
        base, width = y + cell_height - 1.6, motif.matrix.shape[1] * step
        draw_logo(axes, motif.matrix, x, base, width, -(cell_height - 5))
        axes.plot([x, x + width], [base, base], color=style.INK, lw=0.4)
        if i % columns == 0:
            _bits_axis(axes, x - 1.0, base, cell_height - 5)
    return figure


def _bits_axis(axes: Axes, x: float, base: float, height: float) -> None:
    """Draw the scale of 0 to 2 bits beside a row of logos (y counts downwards)."""
    axes.plot([x, x], [base, base - height], color=style.INK, lw=0.5)
    for bits in (0, 2):
        y = base - height * bits / MAX_BITS
        axes.plot([x - 0.6, x], [y, y], color=style.INK, lw=0.5)
        axes.text(x - 1, y, str(bits), fontsize=style.TINY, ha="right", va="center")
    axes.text(
        x - 4, base - height / 2, "bits", fontsize=style.TINY, ha="center", va="center", rotation=90
    )


def aligned(target: np.ndarray, offset: int, orientation: str) -> tuple[np.ndarray, int, int]:
    """Lay a database motif under a motif found.

    Parameters
    ----------
    target
        The database motif, ``(4, width)``.
    offset, orientation
        Of Tomtom's table: how far the query is shifted right along the target, and the
        target's strand.

    Returns
    -------
    The target on the strand that matches, and where query and target start, the first at 0.
    """
    turned = reverse_complement(target) if orientation == "-" else target
    return turned, max(offset, 0), max(-offset, 0)


@style.styled
def alignment_gallery(
    hits: pd.DataFrame,
    motifs: Sequence[Motif],
    database: Sequence[Motif],
    columns: int = 3,
    n_top: int = 30,
) -> Figure:
    """Draw motifs found above the database motifs they match, aligned.

    Parameters
    ----------
    hits
        One row for each pair to draw: motif, target, offset, orientation, q_value (Tomtom's),
        family. Rows without target are passed over.
    motifs, database
        Where the motifs of the two names are.
    columns
        Pairs side by side.
    n_top
        The most to draw, the first rows; when there are more, the figure says so.

    Raises
    ------
    ValueError
        If there are no hits or a column is missing.
    """
    columns_needed = ["motif", "target", "offset", "orientation", "q_value", "family"]
    style.require(hits, "alignment_gallery", columns_needed)
    hits = hits.dropna(subset=["target"])
    style.require(hits, "alignment_gallery")
    queries = {motif.name: motif for motif in motifs}
    targets = {motif.name: motif for motif in database}
    pairs = [_pair(row, queries, targets) for row in hits.head(n_top).to_dict("records")]
    widest = max(
        max(pair["starts"][i] + pair["matrices"][i].shape[1] for i in (0, 1)) for pair in pairs
    )
    cell_width, cell_height = (style.TWO_COLUMNS - 12) / columns, 23.0
    step = min((cell_width - 5) / widest, 3.5)
    rows = -(-len(pairs) // columns)
    height = rows * cell_height + 2 + 4 * (len(hits) > n_top)
    figure, axes = style.canvas(style.TWO_COLUMNS, height)
    for i, pair in enumerate(pairs):
        x, y = 9 + (i % columns) * cell_width, 1 + (i // columns) * cell_height
        _draw_pair(axes, pair, x, y, step, cell_width - 5)
        if i % columns == 0:
            for base in (y + 10.6, y + 21.2):
                _bits_axis(axes, x - 1, base, 6.6)
    if len(hits) > n_top:
        note = f"The first {n_top:,} of {len(hits):,} alignments"
        axes.text(9, height - 2.5, note, va="center")
    return figure


def _pair(row: dict, queries: dict[str, Motif], targets: dict[str, Motif]) -> dict:
    """Gather what is drawn of one alignment: matrices, starts and texts of query and target."""
    query, target = queries[row["motif"]], targets[row["target"]]
    turned, *starts = aligned(target.matrix, int(row["offset"]), row["orientation"])
    strand = ", reverse complement" if row["orientation"] == "-" else ""
    name = f"{target.alt} {target.name}" if target.alt else target.name
    return {
        "matrices": (query.matrix, turned),
        "starts": starts,
        "texts": (f"{query.name}: {row['family']}  q = {row['q_value']:.1g}", f"{name}{strand}"),
    }


def _draw_pair(axes: Axes, pair: dict, x: float, y: float, step: float, room: float) -> None:
    """Draw a query above its target, each under a line of text, from (x, y) in mm."""
    parts = zip(pair["matrices"], pair["starts"], pair["texts"], strict=True)
    for i, (matrix, start, text) in enumerate(parts):
        base, left, width = y + 10.6 * (i + 1), x + start * step, matrix.shape[1] * step
        axes.text(
            x, base - 8.6, style.shorten(text, room), fontsize=style.SMALL, va="center",
            color="0.35" if i else style.INK,
        )  # fmt: skip
        draw_logo(axes, matrix, left, base, width, -6.6)
        axes.plot([left, left + width], [base, base], color=style.INK, lw=0.4)
