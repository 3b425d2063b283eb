"""Families of filters: which known cluster each belongs to, and in how many folds it is found."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
import pandas as pd

from cisgrammar.motifs.clusters import CUT, core_consensus, group_motifs, unique_name
from cisgrammar.motifs.databases import SEPARATOR, Database
from cisgrammar.motifs.meme import Motif

UNKNOWN = "unknown/"  # begins the name of a family that nothing matches
FAMILY, NO_CLUSTER, NO_MATCH = "family", "no cluster", "no match"  # in the order of tables
ASSIGNMENT_COLUMNS = [
    *("motif", "fold", "filter", "family", "status", "target", "target_tfs"),
    *("p_value", "q_value", "offset", "orientation"),
]
FAMILY_COLUMNS = [
    *("family", "status", "n_filters", "n_folds", "folds", "reproducibility", "reproducible"),
    *("tfs", "example", "target", "orientation", "consensus", "gc", "cpg"),
]
logger = logging.getLogger(__name__)


def assign_filters(
    motifs: Sequence[Motif],
    table: pd.DataFrame,
    hits: pd.DataFrame,
    database: Database,
    target_clusters: pd.Series,
    cut: float = CUT,
    n_threads: int | None = None,
) -> pd.DataFrame:
    """Give every filter its family.

    A filter belongs to the cluster of its best hit: lowest q-value, then lowest
    p-value, among hits whose cluster is known. If no hit has a cluster, it is
    named after its best hit's transcription factor. Filters without a hit are
    grouped among themselves.

    Parameters
    ----------
    motifs
        Of the filters of all folds.
    table
        Their motifs.tsv: motif, fold, filter, ..., in the same order.
    hits
        Their alignment to the database: :func:`~cisgrammar.motifs.tomtom.compare`.
    database
        Known motifs.
    target_clusters
        Cluster name of each known motif, index motif, empty if it has none:
        :func:`~cisgrammar.motifs.clusters.clusters_of_targets`.
    cut, n_threads
        For grouping the filters without a hit, as in
        :func:`~cisgrammar.motifs.clusters.group_motifs`.

    Returns
    -------
    One row a filter, in the order of ``table``: motif, fold, filter, family,
    status (``family``, ``no cluster``, ``no match``), target, target_tfs, p_value,
    q_value, offset, orientation (of the best hit; missing where there is none).

    Notes
    -----
    Hepkema et al. (2023), Methods; their code takes the first hit whose TF is known.
    """
    best = _best_hits(hits, target_clusters)
    tfs = database.table.set_index("motif")["tfs"]
    found = best.reindex(table["motif"].astype(object)).reset_index()
    found[["fold", "filter"]] = table[["fold", "filter"]].to_numpy(dtype=int)
    found["offset"] = found["offset"].astype("Int64")
    found["target_tfs"] = found["target"].map(tfs)
    found["status"] = np.select(
        [found["target"].isna(), found["family"] == ""], [NO_MATCH, NO_CLUSTER], FAMILY
    )
    alone = found["status"] == NO_CLUSTER
    first_tf = found["target_tfs"].str.split(SEPARATOR).str[0].replace("", np.nan)
    found.loc[alone, "family"] = first_tf[alone].fillna(found["target"][alone])
    unmatched = found["status"] == NO_MATCH
    if unmatched.all() and len(found):
        logger.warning(
            "none of the %d filters resembles a motif of %s: there are no known families, and "
            "the filters are grouped among themselves. Is it the right species' database?",
            *(len(found), database.source),
        )
    kept = [motif for motif, is_kept in zip(motifs, unmatched, strict=True) if is_kept]
    names = _name_groups(kept, database.motifs, found["family"].dropna(), cut, n_threads)
    found.loc[unmatched, "family"] = names
    for status, rows in found.groupby("status"):
        logger.info("%s: %d filters, %d families", status, len(rows), rows["family"].nunique())
    return found[ASSIGNMENT_COLUMNS]


def _best_hits(hits: pd.DataFrame, target_clusters: pd.Series) -> pd.DataFrame:
    """Keep each query's best hit; one whose cluster is known goes before any other."""
    hits = hits.rename(
        columns={
            **{"Query_ID": "motif", "Target_ID": "target", "Optimal_offset": "offset"},
            **{"p-value": "p_value", "q-value": "q_value", "Orientation": "orientation"},
        }
    )
    hits = hits.assign(family=hits["target"].map(target_clusters).fillna(""))
    hits["unknown"] = hits["family"] == ""
    hits = hits.sort_values(["unknown", "q_value", "p_value"], kind="stable")
    columns = ["motif", "target", "p_value", "q_value", "offset", "orientation", "family"]
    return hits.drop_duplicates("motif")[columns].set_index("motif")


def _name_groups(
    motifs: Sequence[Motif],
    references: Sequence[Motif],
    taken: pd.Series,
    cut: float,
    n_threads: int | None,
) -> list[str]:
    """Group motifs without a match, and name each group after its most central motif."""
    if not motifs:
        return []
    groups, centrality = group_motifs(motifs, [*references, *motifs], cut, n_threads)
    used = set(taken)
    names = {}
    for group in range(groups.max() + 1):
        members = np.flatnonzero(groups == group)
        central = motifs[members[centrality[members].argmax()]]
        names[group] = unique_name(UNKNOWN + core_consensus(central.matrix), used)
        used.add(names[group])
    return [names[group] for group in groups]


def family_table(
    assignments: pd.DataFrame,
    motifs: Sequence[Motif],
    table: pd.DataFrame,
    clusters: pd.DataFrame,
    n_folds: int,
    min_share: float = 0.5,
) -> pd.DataFrame:
    """Describe the families.

    Parameters
    ----------
    assignments
        Of :func:`assign_filters`.
    motifs, table
        The filters' motifs and their motifs.tsv, in the order of ``assignments``.
    clusters
        Columns motif, cluster, cluster_name, tfs.
    n_folds
        Folds that were trained.
    min_share
        Share of the folds that makes a family reproducible.

    Returns
    -------
    One row a family: family, status, n_filters, n_folds, folds (``;`` between
    them), reproducibility (share of the folds), reproducible, tfs (candidates,
    ``;`` between them), example (the filter of the lowest q- and p-value, or the
    one that the family is named after where nothing matches), target, orientation (of the
    target to the example), consensus, gc (mean share of G and C), cpg (expected number
    of CG steps) of the example. Sorted by status (known families first), then
    from most to least reproducible and numerous, then by name.
    """
    matrices = {motif.name: motif.matrix for motif in motifs}
    placed = zip(assignments["motif"], assignments["family"], strict=True)
    gives_name = [
        family.startswith(UNKNOWN + core_consensus(matrices[motif])) for motif, family in placed
    ]
    rows = assignments.assign(
        information=table["information"].to_numpy(), gives_name=gives_name
    ).sort_values(
        ["gives_name", "q_value", "p_value", "information"],
        ascending=[False, True, True, False],
        kind="stable",
    )
    cluster_tfs = clusters.groupby("cluster_name", sort=False)["tfs"].agg(_union)
    families = []
    for family, members in rows.groupby("family", sort=False):
        example = members.iloc[0]
        folds = sorted(members["fold"].unique())
        matrix = matrices[example["motif"]]
        known = example["status"] == FAMILY
        tfs = cluster_tfs[family] if known else _union(members["target_tfs"].fillna(""))
        families.append(
            {
                "family": family,
                "status": example["status"],
                "n_filters": len(members),
                "n_folds": len(folds),
                "folds": SEPARATOR.join(map(str, folds)),
                "reproducibility": len(folds) / n_folds,
                "reproducible": len(folds) >= min_share * n_folds,
                "tfs": tfs,
                "example": example["motif"],
                "target": example["target"],
                "orientation": example["orientation"],
                "consensus": core_consensus(matrix),
                "gc": matrix[1:3].sum(axis=0).mean(),
                "cpg": (matrix[1, :-1] * matrix[2, 1:]).sum(),
            }
        )
    described = pd.DataFrame(families, columns=FAMILY_COLUMNS)
    described["rank"] = described["status"].map({FAMILY: 0, NO_CLUSTER: 1, NO_MATCH: 2})
    described = described.sort_values(
        ["rank", "n_folds", "n_filters", "family"], ascending=[True, False, False, True]
    )
    return described.drop(columns="rank").reset_index(drop=True)


def _union(cells: pd.Series) -> str:
    """Join lists of gene names; the same name in another case counts once."""
    names: dict[str, str] = {}
    for cell in cells:
        for name in cell.split(SEPARATOR):
            if name:
                names.setdefault(name.upper(), name)
    return SEPARATOR.join(names.values())
