"""Effects of variants: the largest by cell type, and all of them by position and against chance."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cisgrammar.plots import style
from cisgrammar.plots.heatmaps import Heatmap

SIGNIFICANT = 0.1  # q
NOTE = 30  # mm beside a row


@style.styled
def variant_heatmap(summary: pd.DataFrame, effects: pd.DataFrame, n_shown: int) -> Figure:
    """Draw the variants with the largest effects, by label.

    Parameters
    ----------
    summary
        variant, sequence, gene_name where there is one, gained and lost where motifs were looked
        for; the largest effect first.
    effects
        variant, chrom, position, ref, alt, sequence, label and effect.
    n_shown
        Variants to draw.

    Raises
    ------
    ValueError
        If there is none.
    """
    shown = summary.head(n_shown)
    if shown.empty:
        raise ValueError("No variant lies in a window of the model.")
    keys = ["variant", "chrom", "position", "ref", "alt", "sequence"]
    names = [_name(row) for row in shown.to_dict("records")]
    table = effects.merge(shown[keys].assign(row=names), on=keys)
    values = table.pivot_table(index="row", columns="label", values="effect", sort=False)
    notes = {
        name: note
        for name, row in zip(names, shown.to_dict("records"), strict=True)
        if (note := _motifs(row))
    }
    return Heatmap(
        values.loc[list(dict.fromkeys(names))],
        "Effect of the alternative allele",
        row_notes=notes,
        cluster=False,
    ).draw()


def _name(row: dict[Hashable, Any]) -> str:
    """Name variant and gene; the place of a peak would be too long."""
    name = style.shorten(str(row["variant"]), 34)
    return f"{name} {row['gene_name']}" if "gene_name" in row else name


def _motifs(row: dict[Hashable, Any]) -> str:
    """Say the first motif that is made and the first that is broken."""
    said = [
        f"{sign}{row[column].partition(';')[0]}"
        for column, sign in (("lost", "−"), ("gained", "+"))
        if row.get(column)
    ]
    return style.shorten(" ".join(said), NOTE)


@style.styled
def variant_overview(summary: pd.DataFrame, effects: pd.DataFrame) -> Figure:
    """Draw each variant's largest effect by its place in the window, and p-values against chance.

    Parameters
    ----------
    summary
        offset, effect and, where random variants were asked, q.
    effects
        label and, where random variants were asked, p.

    Raises
    ------
    ValueError
        If there is no variant.
    """
    if summary.empty:
        raise ValueError("No variant lies in a window of the model.")
    judged = "p" in effects
    figure = style.new_figure(style.TWO_COLUMNS if judged else style.ONE_COLUMN, 62)
    panels = figure.subplots(1, 1 + judged, squeeze=False)[0]
    _by_position(panels[0], summary)
    if judged:
        _against_chance(panels[1], effects)
    return figure


def _by_position(axes: Axes, summary: pd.DataFrame) -> None:
    clear = (summary["q"] <= SIGNIFICANT).to_numpy(bool) if "q" in summary else None
    offset, effect = summary["offset"].to_numpy(), summary["effect"].to_numpy()
    axes.axhline(0, color="0.6", lw=0.5)
    many = len(summary) > 2000
    if clear is None:
        axes.scatter(offset, effect, s=5, lw=0, color=style.PALETTE[0], rasterized=many)
    else:
        for its, colour, sign in ((~clear, "0.7", ">"), (clear, style.PALETTE[0], "≤")):
            name = f"q {sign} {SIGNIFICANT:g} ({its.sum():,})"
            axes.scatter(offset[its], effect[its], s=5, lw=0, color=colour, rasterized=many,
                         label=name)  # fmt: skip
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, 1.15), ncols=2)
    axes.set(xlabel="Place in the window (bp)", ylabel="Largest effect of each variant")


def _against_chance(axes: Axes, effects: pd.DataFrame) -> None:
    """Draw sorted p-values against those that chance would give; a line each label."""
    labels = list(effects.groupby("label", sort=False)["p"])
    few = len(labels) <= len(style.PALETTE)
    for i, (label, p) in enumerate(labels):
        expected = (np.arange(len(p)) + 0.5) / len(p)
        axes.plot(
            -np.log10(expected),
            -np.log10(np.sort(p.to_numpy())),
            color=style.PALETTE[i] if few else "0.5",
            lw=0.9 if few else 0.4,
            label=style.shorten(str(label), 30) if few else None,
        )
    top = max(-np.log10(0.5 / max(len(p) for _, p in labels)), 1)
    axes.plot([0, top], [0, top], color="0.6", lw=0.5, ls=(0, (3, 3)))
    axes.set(xlabel="Expected by chance, −log10 p", ylabel="Observed, −log10 p")
    if few:  # clear effects bend the lines to the upper left
        axes.legend(loc="lower right")
