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

from cisgrammar.motifs.meme import Motif, information_content
from cisgrammar.plots import style
from cisgrammar.sequence import BASES

COLOURS = dict(zip(BASES, ("#009E73", "#0072B2", "#E69F00", "#D55E00"), strict=True))
MAX_BITS = 2.0
LEAST_BITS = 0.005  # lower letters would not be seen


@functools.cache
def _glyph(letter: str) -> Path:
    """One bold letter, stretched to fill the unit square."""
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
        glyph = _glyph(letter)
        letters = [
            Path(
                glyph.vertices * (0.94 * step, heights[row, i])
                + (x + (i + 0.03) * step, y + base[row, i]),
                glyph.codes,
            )
            for i in np.flatnonzero(bits[row] > LEAST_BITS)
        ]
        if letters:
            shape = Path.make_compound_path(*letters)
            axes.add_patch(PathPatch(shape, facecolor=colour or COLOURS[letter], lw=0))


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
    axes = style.canvas(style.TWO_COLUMNS, height)
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
    return axes.figure


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
