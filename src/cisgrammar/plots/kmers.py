"""Effects of k-mers by cell type."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from cisgrammar.plots import style
from cisgrammar.plots.heatmaps import Heatmap


@style.styled
def kmer_heatmap(
    effects: pd.DataFrame,
    n_top: int = 40,
    unit: str = "log10 counts",
    order: Sequence[str] = (),
) -> Figure:
    """Draw the k-mers that differ most between cell types.

    Parameters
    ----------
    effects
        ``kmers.tsv``: part, kmer, start, end, folds, strength, motif, tf, motif_p, then a column
        for each cell type. The strongest rows of the part ``differences`` are drawn; with one cell
        type, those of ``levels``.
    n_top
        The most k-mers to draw.
    unit
        Of the effects.
    order
        Cell types in the order of the columns; empty: that of their clustering.

    Raises
    ------
    ValueError
        If the table is empty or a column is missing.
    """
    columns = ["part", "kmer", "start", "end", "folds", "strength", "motif", "tf", "motif_p"]
    style.require(effects, "kmer_heatmap", columns)
    cell_types = effects.columns[effects.columns.get_loc("motif_p") + 1 :]
    part = "differences" if len(cell_types) > 1 else "levels"
    rows = effects[effects["part"] == part].head(n_top)
    places = rows["start"].astype(str) + "\u2013" + rows["end"].astype(str)
    names = (
        rows["kmer"] + " " + places if rows[["start", "end"]].nunique().max() > 1 else rows["kmer"]
    )
    values = rows[list(cell_types)].set_axis(names)
    notes = dict(
        zip(names, rows["tf"].replace("", None).fillna(rows["motif"]).fillna(""), strict=True)
    )
    return Heatmap(
        values,
        f"Effect ({unit})",
        row_notes=notes,
        cluster=len(cell_types) > 1,
        column_order=order,
    ).draw()
