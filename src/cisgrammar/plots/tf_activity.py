"""Activity of transcription factors: by cell type, and on the map of cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from anndata import AnnData
from matplotlib.figure import Figure

from cisgrammar.cells.expression import log_expression
from cisgrammar.plots import style
from cisgrammar.plots.heatmaps import Heatmap
from cisgrammar.plots.maps import value_maps

LEAST_LIMIT = 0.1  # z-score at the end of the colours


def row_names(motifs: pd.DataFrame) -> pd.Series:
    """Name motifs by their own name, with the id where two share it.

    Parameters
    ----------
    motifs
        Index motif; column name.
    """
    names = motifs["name"].astype(str)
    ids = motifs.index.astype(str)
    return names.where(~names.duplicated(keep=False), names + " (" + ids + ")")


@style.styled
def activity_heatmap(
    by_cell_type: pd.DataFrame,
    motifs: pd.DataFrame,
    logos: Mapping[str, np.ndarray],
    r: pd.Series | None = None,
    order: Sequence[str] = (),
) -> Figure:
    """Draw activity by cell type, logos beside the rows, both clustered.

    Parameters
    ----------
    by_cell_type
        Index motif; one column a cell type: mean z-score. The rows to draw.
    motifs
        Index motif: name, sd (of the effect over cells).
    logos
        Motif to probabilities ``(4, width)``.
    r
        Motif to its correlation with the expression of its TF; noted beside the names.
    order
        Cell types in the order of the columns; empty: that of their clustering.

    Raises
    ------
    ValueError
        If there is nothing to draw.
    """
    style.require(by_cell_type, "activity_heatmap")
    names = row_names(motifs).loc[by_cell_type.index]
    notes = {} if r is None else r.reindex(by_cell_type.index).dropna()
    return Heatmap(
        by_cell_type.set_axis(names),
        label="Activity (mean z-score)",
        # with one cell type means are 0 but for rounding, which must not take all colours
        limit=max(style.symmetric_limit(by_cell_type.to_numpy(float)), LEAST_LIMIT),
        logos={names[motif]: logos[motif] for motif in by_cell_type.index},
        row_notes={names[motif]: f"r {style.signed(value)}" for motif, value in notes.items()},
        bars=motifs.loc[by_cell_type.index, "sd"].set_axis(names),
        bar_label="SD over cells\n(effect)",
        column_order=order,
    ).draw()


@style.styled
def activity_maps(
    points: np.ndarray,
    activity: pd.DataFrame,
    expression: pd.DataFrame | None = None,
) -> Figure:
    """Colour a map of cells by a few activities, and below by the expression of the same TFs.

    Parameters
    ----------
    points
        Coordinates, ``(cells, 2)``.
    activity
        Cells x motifs: z-scores, at most five columns.
    expression
        Cells x the same motifs' TFs, logarithms; columns in the same order, named as the panels.

    Raises
    ------
    ValueError
        If there is nothing to draw.
    """
    style.require(activity, "activity_maps")
    panels = activity.add_suffix(" activity")
    if expression is not None:
        spread = expression.std(ddof=0).replace(0, 1)
        z = (expression - expression.mean()) / spread
        panels = pd.concat([panels, z], axis=1)
    return value_maps(points, panels, "z-score over cells", centred=True)


def best_expressed(tests: pd.DataFrame) -> pd.DataFrame:
    """Keep, of each motif, the TF whose expression goes with its activity most.

    Parameters
    ----------
    tests
        tf_activity_and_expression.tsv: motif, tf, gene, r.

    Returns
    -------
    Index motif: tf, gene, r. Motifs without an expressed TF are left out.
    """
    there = tests.dropna(subset=["r"])
    order = there["r"].astype(float).abs().sort_values(ascending=False, kind="stable").index
    return there.loc[order].drop_duplicates("motif").set_index("motif")[["tf", "gene", "r"]]


def expression_panels(counts: AnnData, cells: pd.Index, best: pd.DataFrame) -> pd.DataFrame:
    """Give the expression of some motifs' TFs in each cell.

    Parameters
    ----------
    counts
        Counts of genes in these cells, and maybe others.
    cells
        Their names.
    best
        Rows of :func:`best_expressed`.

    Returns
    -------
    Cells x TFs, logarithms; columns named for the panels.
    """
    logs = log_expression(counts, cells)[:, counts.var_names.get_indexer(best["gene"])]
    return pd.DataFrame(logs.toarray(), cells, [f"{tf} expression" for tf in best["tf"]])
