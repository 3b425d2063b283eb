"""Motifs in linked peaks: how many bear them, what they do to genes, and whose they may be."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from cisgrammar.plots import style

ROWS = 20
SURE = 0.05  # q
MARKS = {"linked": style.PALETTE[0], "matched": style.MISSING}


@style.styled
def link_motifs(motifs: pd.DataFrame, regulators: pd.DataFrame) -> Figure:
    """Draw the surest motifs that are like none before them: shares of peaks, effects, best TF.

    Parameters
    ----------
    motifs
        Of :func:`cisgrammar.interpret.link_motifs.find_link_motifs`, the surest first.
    regulators
        Of :func:`cisgrammar.interpret.link_motifs.find_link_regulators`.

    Raises
    ------
    ValueError
        If the table is empty or a column is missing.
    """
    columns = ["name", "like", "share", "share_matched", "effect", "q_effect"]
    style.require(motifs, "link_motifs", columns)
    top = motifs[motifs["like"].fillna("") == ""].head(ROWS).reset_index(drop=True)
    rows = np.arange(len(top))
    figure = style.new_figure(style.TWO_COLUMNS * 0.85, 18 + 4.2 * len(top))
    left, right = figure.subplots(1, 2, sharey=True)
    left.hlines(rows, 100 * top["share_matched"], 100 * top["share"], color=style.MISSING, lw=1)
    dots = {"linked": top["share"], "matched": top["share_matched"]}
    for label, values in dots.items():
        left.scatter(100 * values, rows, s=14, c=MARKS[label], lw=0.3, edgecolor=style.INK,
                     label=f"{label} peaks", zorder=3)  # fmt: skip
    left.set_yticks(rows, [_name(row) for row in top.itertuples()])
    left.set(xlabel="Peaks with the motif (%)", ylim=(len(top) - 0.4, -0.6))
    left.legend(loc="lower right", frameon=True)
    sure = top["q_effect"] < SURE
    colours = np.where(sure, style.PALETTE[0], style.MISSING)
    right.axvline(0, color=style.INK, lw=0.5)
    right.barh(rows, top["effect"], color=colours, height=0.7)
    right.set(xlabel=f"Effect of peaks with the motif, less that of others\n(grey: q ≥ {SURE})")
    notes = right.secondary_yaxis("right")
    groups = [{name, *motifs["motif"][motifs["like"] == name]} for name in top["motif"]]
    notes.set_yticks(rows, [_tf(regulators, group) for group in groups])
    notes.tick_params(length=0)
    notes.spines["right"].set_visible(False)
    return figure


def _name(row: object) -> str:
    return style.shorten(f"{row.name} ({row.motif})", 34)  # type: ignore[attr-defined]


def _tf(regulators: pd.DataFrame, group: set[str]) -> str:
    """Name the TF whose expression follows best what links of like motifs do."""
    its = regulators[regulators["motif"].isin(group) & regulators["rho"].notna()]
    if its.empty:
        return ""
    best = its.loc[its["rho"].astype(float).abs().idxmax()]
    return f"{style.shorten(best['tf'], 16)}  ρ {style.signed(best['rho'])}"
