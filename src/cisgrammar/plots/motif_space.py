"""Sequences by the families in them: UMAP and co-occurrence."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cisgrammar.plots import style
from cisgrammar.plots.maps import value_maps

EVERYWHERE = 0.9


@style.styled
def umap_by_family(points: np.ndarray, scores: pd.DataFrame, n_top: int = 20) -> Figure:
    """Draw the UMAP of sequences, once for each family, coloured by the family's score.

    Parameters
    ----------
    points
        UMAP of the sequences, ``(sequences, 2)``. The few far from all others, such as copies
        of one gene, are drawn on the border, so that they do not shrink the rest.
    scores
        Sequences x families: summed activations.
    n_top
        The first so many families are drawn.

    Raises
    ------
    ValueError
        If there are no sequences or no families, or their numbers differ.
    """
    style.require(scores, "umap_by_family")
    if len(points) != len(scores):
        raise ValueError(f"umap_by_family: {len(points)} points, but {len(scores)} rows of scores")
    figure = value_maps(within_reach(points), scores.iloc[:, :n_top], "Family score")
    figure.supxlabel("UMAP1", fontsize=style.TEXT)
    figure.supylabel("UMAP2", fontsize=style.TEXT)
    return figure


def within_reach(points: np.ndarray, share: float = 0.99, margin: float = 0.1) -> np.ndarray:
    """Move points that are far from most onto a border around these.

    Parameters
    ----------
    points
        Coordinates, ``(points, 2)``.
    share
        Of the points, in each direction, that are not far.
    margin
        Between them and the border, as a share of their range.
    """
    points = np.asarray(points, float)
    low, high = np.quantile(points, [(1 - share) / 2, (1 + share) / 2], axis=0)
    reach = margin * (high - low)
    return np.clip(points, low - reach, high + reach)


def intersections(membership: pd.DataFrame) -> pd.DataFrame:
    """Count the exact combinations of families.

    Parameters
    ----------
    membership
        Sequences x families, true where the family is in the sequence.

    Returns
    -------
    Families as boolean columns, and ``n``; the most frequent first, without the empty one.
    """
    counts = membership.astype(bool).value_counts(sort=False).rename("n").reset_index()
    counts = counts[counts[membership.columns].any(axis=1)]
    return counts.sort_values("n", ascending=False, kind="stable", ignore_index=True)


@style.styled
def upset(membership: pd.DataFrame, n_top: int = 30, of: str = "sequences") -> Figure:
    """Draw which families occur together, as an UpSet plot (Lex et al. 2014).

    Parameters
    ----------
    membership
        Sequences x families, true where the family is in the sequence. Families in more than
        nine tenths of the sequences tell combinations little: they are counted, not drawn. So are
        families of no combination that is drawn.
    n_top
        The most combinations to draw, the most frequent first.
    of
        What is counted.

    Raises
    ------
    ValueError
        If there are no sequences, no families, or no sequence has a family.
    """
    style.require(membership, "upset")
    everywhere = membership.astype(bool).mean() > EVERYWHERE
    everywhere &= not everywhere.all()
    membership = membership.loc[:, ~everywhere]
    counts = intersections(membership)
    style.require(counts, "upset")
    shown = counts.head(n_top)
    totals = membership.astype(bool).sum().sort_values(kind="stable")
    in_shown = shown[totals.index].any()
    totals = totals[in_shown]
    names = [style.shorten(name, 34) for name in totals.index]
    name_width = max(style.text_width(name, style.SMALL) for name in names) + 2
    step = min(5.0, (style.TWO_COLUMNS - 40 - name_width) / len(shown))
    pitch = min(4.0, 150 / len(names))
    left, dots_left, top, bars = 6.0, 28 + name_width, 12.0, 36.0
    width, height = step * len(shown), pitch * len(names)
    figure = style.new_figure(
        max(dots_left + width + 4, style.ONE_COLUMN), top + bars + height + 14, placed=True
    )
    dots = style.axes_at(figure, dots_left, top + bars + 2, width, height)
    _draw_combinations(dots, shown[totals.index].to_numpy(bool))
    above = style.axes_at(figure, dots_left, top, width, bars)
    above.bar(range(len(shown)), shown["n"], width=0.65, color=style.INK)
    above.set(xlim=dots.get_xlim(), xticks=[], ylabel=f"{of.capitalize()} with\nexactly these")
    left_axes = style.axes_at(figure, left, top + bars + 2, 20, height)
    left_axes.barh(range(len(names)), totals, height=0.65, color=style.PALETTE[0])
    left_axes.set(ylim=dots.get_ylim(), yticks=[], xlabel=f"{of.capitalize()} in all")
    left_axes.invert_xaxis()
    left_axes.spines["left"].set_visible(False)
    left_axes.spines["right"].set_visible(True)
    left_axes.locator_params(axis="x", nbins=2)
    size = min(style.SMALL, pitch / 0.4)
    for y, name in enumerate(names):
        dots.annotate(
            name, (0, y), (-2, 0), xycoords=("axes fraction", "data"),
            textcoords="offset points", ha="right", va="center_baseline", fontsize=size,
        )  # fmt: skip
    note = f"{len(shown):,} of {len(counts):,} combinations; {len(membership):,} {of}"
    if everywhere.any():
        note += f"\nwithout {everywhere.sum()} that are in over {EVERYWHERE:.0%} of them"
    if not in_shown.all():
        note += f"\n{int((~in_shown).sum())} families are in none of these combinations"
    above.set_title(note, loc="left")
    return figure


def _draw_combinations(axes: Axes, present: np.ndarray) -> None:
    """Draw a column of dots for each combination ``(combinations, families)``, joined by a line."""
    n, families = present.shape
    for y in range(0, families, 2):
        axes.axhspan(y - 0.5, y + 0.5, color="0.95", lw=0)
    ys, xs = np.meshgrid(range(families), range(n))
    axes.scatter(xs, ys, s=6, c=np.where(present, style.INK, "0.85").ravel(), lw=0, zorder=2)
    for i, row in enumerate(present):
        members = np.flatnonzero(row)
        axes.plot([i, i], [members[0], members[-1]], color=style.INK, lw=0.8, zorder=2)
    axes.set(xlim=(-0.6, n - 0.4), ylim=(-0.5, families - 0.5))
    axes.axis("off")
