"""Gene sets whose expression goes with the influence of families."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from cisgrammar.plots import style
from cisgrammar.plots.heatmaps import Heatmap

NAME_ALL = 60  # more gene sets than this, and only some are named
ABOUT = ["term", "size", "found", "cluster", "best_family", "best_rho"]


@style.styled
def gene_set_heatmap(table: pd.DataFrame, n_named: int = 12) -> Figure:
    """Draw correlations of gene sets with families, in clusters of gene sets.

    Parameters
    ----------
    table
        ``gene_sets.tsv``, one row a gene set: term, cluster, and one column a family with
        Spearman's rho of mean expression with influence over pools (size, found, best_family
        and best_rho are passed over).
    n_named
        The most gene sets to name in a cluster, those of the largest correlation; when there
        are at most 60, all are named.

    Raises
    ------
    ValueError
        If the table is empty, a column is missing, or there is no family.
    """
    style.require(table, "gene_set_heatmap", ["term", "cluster"])
    rho = table.set_index("term").drop(columns=ABOUT[1:], errors="ignore")
    style.require(rho, "gene_set_heatmap")
    groups = {
        term: f"Cluster {cluster}"
        for term, cluster in zip(table["term"], table["cluster"], strict=True)
    }
    named = None
    if len(rho) > NAME_ALL:
        strongest = rho.abs().max(axis=1).sort_values(ascending=False, kind="stable").index
        cluster = pd.Series(groups)[strongest]
        named = list(cluster.groupby(cluster, sort=False).head(n_named).index)
    return Heatmap(
        rho, "Spearman's ρ", row_groups=groups, named_rows=named, limit=1.0, cell_width=5.0
    ).draw()
