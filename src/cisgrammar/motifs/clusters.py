"""Clusters of similar motifs: the user's, or computed from the database itself."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from cisgrammar.common.errors import InputError
from cisgrammar.common.inputs import open_text
from cisgrammar.motifs.databases import SEPARATOR, Database, tfs_by_motif
from cisgrammar.motifs.meme import Motif, consensus, information_content
from cisgrammar.motifs.tomtom import best_p_values

COLUMNS = ["motif", "cluster", "cluster_name", "tfs"]
FIRST, VOTE = "first", "vote"  # of several clusters that list a TF
# At 0.5 NF-Y stands apart from the homeodomains and EGR from KLF/SP in JASPAR; at 0.6 they join.
CUT = 0.5
_SMALLEST_P = 1e-16
_CORE_BITS = 0.5

# What biologists call the families and classes that TFClass (Wingender et al. 2018) spells out.
_SHORT_NAMES = {
    "KLF": "KLF/SP",
    "Three-zinc finger Kruppel-related": "KLF/SP",
    "Ets-related": "ETS",
    "C4-GATA-related": "GATA",
    "E2F": "E2F",
    "RFX": "RFX",
    "Interferon-regulatory factors": "IRF",
    "Basic helix-loop-helix factors (bHLH)": "Ebox",
    "Basic helix-span-helix factors (bHSH)": "AP2",
    "Basic leucine zipper factors (bZIP)": "bZIP",
    "C2H2 zinc finger factors": "C2H2",
    "C6 zinc cluster factors": "C6",
    "Fork head/winged helix factors": "FOX",
    "Heteromeric CCAAT-binding factors": "NFY",
    "High-mobility group (HMG) domain factors": "HMG",
    "Homeo domain factors": "HD",
    "MADS box factors": "MADS",
    "Nuclear receptors with C4 zinc fingers": "NR",
    "Paired box factors": "PAX",
    "Rel homology region (RHR) factors": "RHR",
    "Runt domain factors": "RUNX",
    "SMAD/NF-1 DNA-binding domain factors": "NF1",
    "STAT domain factors": "STAT",
    "T-Box factors": "TBX",
    "TEA domain factors": "TEAD",
    "p53 domain factors": "P53",
}
_EMPTY_STEMS = {"ZNF", "ZFP", "ZBTB", "ZSCAN"}  # zinc fingers, numbered as they were found
logger = logging.getLogger(__name__)


def group_motifs(
    motifs: Sequence[Motif],
    references: Sequence[Motif],
    cut: float = CUT,
    n_threads: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Group motifs that resemble the same motifs.

    Parameters
    ----------
    motifs
        To be grouped.
    references
        What each is compared with.
    cut
        Groups further apart than this (1 minus Pearson's correlation, 0..2) stay apart.
    n_threads
        Threads of the comparison.

    Returns
    -------
    groups
        Number of each motif's group, from 0, the largest group first, groups of
        one size by their first motif: ``(motifs,)``.
    centrality
        Mean correlation of each motif with the others of its group: ``(motifs,)``.

    Notes
    -----
    As Vierstra et al. (2020) built their archetypes: Tomtom of all against all,
    each motif's profile of -log10 p, correlation between profiles, hierarchical
    clustering (average linkage), a cut.
    """
    if len(motifs) < 2:
        return np.zeros(len(motifs), dtype=int), np.ones(len(motifs))
    p = best_p_values(motifs, references, n_threads)
    profiles = -np.log10(np.maximum(p, _SMALLEST_P)).astype(np.float32)
    profiles -= profiles.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(profiles, axis=1, keepdims=True)
    profiles /= np.where(norms > 0, norms, 1)
    # Rounding makes BLAS results differ with the number of threads; six digits do not.
    similarity = np.round(profiles @ profiles.T, 6).astype(np.float64)
    np.fill_diagonal(similarity, 1)
    tree = linkage(squareform(1 - similarity, checks=False), "average")
    found = fcluster(tree, cut, "distance")
    members = found[:, None] == found
    n_others = np.maximum(members.sum(axis=1) - 1, 1)
    centrality = ((similarity * members).sum(axis=1) - 1) / n_others
    return _by_size(found), np.where(members.sum(axis=1) > 1, centrality, 1)


def _by_size(labels: np.ndarray) -> np.ndarray:
    """Renumber labels from 0: most frequent first, then by first appearance."""
    _, first, inverse, counts = np.unique(
        labels, return_index=True, return_inverse=True, return_counts=True
    )
    rank = np.empty(len(first), dtype=int)
    rank[np.lexsort((first, -counts))] = np.arange(len(first))
    return rank[inverse]


def cluster_database(
    database: Database, cut: float = CUT, n_threads: int | None = None
) -> pd.DataFrame:
    """Cluster a database's motifs by their resemblance.

    Parameters
    ----------
    database
        Known motifs.
    cut, n_threads
        As for :func:`group_motifs`.

    Returns
    -------
    Columns motif, cluster (from 1, the largest first), cluster_name (unique),
    tfs (``;`` between them); sorted by cluster, then in the database's order. A
    name is what the motifs share (the stem of their genes' names, a well-known TF
    family, a transcription factor, or a TF class), else the most central motif's
    transcription factor; then that motif's consensus.
    """
    groups, centrality = group_motifs(database.motifs, database.motifs, cut, n_threads)
    table = database.table.assign(cluster=groups + 1, centrality=centrality)
    table["consensus"] = [core_consensus(motif.matrix) for motif in database.motifs]
    names: dict[int, str] = {}
    for cluster, members in table.groupby("cluster"):
        names[cluster] = unique_name(_cluster_name(members), names.values())
    table["cluster_name"] = table["cluster"].map(names)
    logger.info("%d motifs of %s form %d clusters", len(table), database.source, len(names))
    return table.sort_values("cluster", kind="stable", ignore_index=True)[COLUMNS]


def unique_name(name: str, taken: Collection[str]) -> str:
    """Add ``/2``, ``/3``, ... to a name that is taken."""
    candidate, i = name, 2
    while candidate in taken:
        candidate, i = f"{name}/{i}", i + 1
    return candidate


def _cluster_name(members: pd.DataFrame) -> str:
    central = members.loc[members["centrality"].idxmax()]
    stem = _shared(members["tfs"].map(_stems), _stems(central["tfs"]), "most").upper()
    family = _shared(members["tf_family"], central["tf_family"])
    tf = _shared(members["tfs"], central["tfs"])
    tf_class = _shared(members["tf_class"], central["tf_class"])
    name = (
        _SHORT_NAMES.get(stem, stem)
        or _SHORT_NAMES.get(family)
        or tf
        or _SHORT_NAMES.get(tf_class, tf_class)
        or central["tfs"].split(SEPARATOR)[0]
        or central["motif"]
    )
    return f"{name}/{central['consensus']}"


def _stems(tfs: str) -> str:
    """Cut numbers off gene names: EGR1 and EGR2 are both EGR."""
    stems = re.findall(rf"(?:^|{SEPARATOR})([A-Za-z]{{3,}})(?=\d)", tfs)
    return SEPARATOR.join(stem for stem in stems if stem.upper() not in _EMPTY_STEMS)


def _shared(cells: pd.Series, central: str, share: str = "half") -> str:
    """Find the word most cells have, in any case, if half of them or most of them do.

    Of equals, the central motif's comes first.
    """
    counts: Counter[str] = Counter()
    spelling: dict[str, str] = {}
    for word in central.split(SEPARATOR) + SEPARATOR.join(cells).split(SEPARATOR):
        spelling.setdefault(word.upper(), word)
    for cell in cells:
        counts.update({word.upper() for word in cell.split(SEPARATOR)} - {""})
    best = max((word for word in spelling if word), key=lambda word: counts[word], default="")
    needed = len(cells) + (share == "most")
    return spelling[best] if best and 2 * counts[best] >= needed else ""


def core_consensus(ppm: np.ndarray) -> str:
    """Spell a motif without uninformative ends.

    Parameters
    ----------
    ppm
        Probabilities ``(4, width)``.

    Returns
    -------
    IUPAC letters from the first to the last position of half a bit or more; all
    of them if there is none.
    """
    informative = np.flatnonzero(information_content(ppm) >= _CORE_BITS)
    if not informative.size:
        return consensus(ppm)
    return consensus(ppm[:, informative[0] : informative[-1] + 1])


def read_clusters(path: str | Path) -> pd.DataFrame:
    """Read a cluster table.

    Parameters
    ----------
    path
        Comma- or tab-separated, by its suffix, with columns ``motif``, ``cluster``,
        ``cluster_name``, ``tfs`` (several separated by ``;``), or Vierstra's
        ``Motif``, ``Cluster_ID``, ``Cluster_name`` and any of ``human_gene``, ``mouse_gene``.

    Returns
    -------
    Columns motif, cluster, cluster_name (unique to its cluster), tfs, in the file's order.

    Raises
    ------
    InputError
        If the file or a column is missing, or there is no row.
    """
    separator = "," if ".csv" in Path(path).suffixes else "\t"
    try:
        with open_text(path, "database.clusters") as stream:
            table = pd.read_csv(stream, sep=separator, dtype=str, keep_default_na=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise InputError(f"{path}: not a comma- or tab-separated table ({error}).") from None
    found = table.columns.tolist()
    table = table.rename(
        columns={"Motif": "motif", "Cluster_ID": "cluster", "Cluster_name": "cluster_name"}
    )
    genes = [column for column in ("human_gene", "mouse_gene") if column in table]
    if "tfs" not in table and genes:
        table["tfs"] = [SEPARATOR.join(_gene_names(row)) for row in table[genes].to_numpy()]
    missing = [column for column in COLUMNS if column not in table]
    if missing or table.empty:
        raise InputError(
            f"{path}: its columns are {', '.join(found)}, with {len(table)} rows; missing: "
            f"{', '.join(missing) or 'rows'}. Needed are motif, cluster, cluster_name, tfs "
            "(or Motif, Cluster_ID, Cluster_name, human_gene), tab-separated in .tsv and "
            "comma-separated in .csv."
        )
    ids = table.groupby("cluster_name")["cluster"].nunique()
    shared = table["cluster_name"].isin(ids.index[ids > 1])
    table.loc[shared, "cluster_name"] += "/" + table.loc[shared, "cluster"]
    logger.info("%s: %d motifs in %d clusters", path, len(table), table["cluster_name"].nunique())
    return table[COLUMNS]


def _gene_names(cells: Sequence[str]) -> list[str]:
    """Names once each; the same name in another case (the other species' gene) is the same."""
    names: dict[str, str] = {}
    for cell in cells:
        if cell and cell.upper() not in ("NA", "NAN"):
            names.setdefault(cell.upper(), cell)
    return list(names.values())


def clusters_of_targets(
    targets: pd.DataFrame, clusters: pd.DataFrame, shared_tfs: str = FIRST
) -> pd.Series:
    """Find the cluster of each motif of a database.

    Parameters
    ----------
    targets
        :attr:`~cisgrammar.motifs.databases.Database.table`.
    clusters
        Columns motif, cluster, cluster_name, tfs.
    shared_tfs
        Where a transcription factor belongs that several clusters list. ``first``:
        to the first row that lists it. ``vote``: to the cluster most of whose rows
        do; of equals, the one listed first.

    Returns
    -------
    Cluster names, index motif; empty where there is none. A motif that the
    clusters do not list is found by its transcription factors, in any case:
    with ``first``, by the first of them that is in the table; with ``vote``, in
    the cluster that lists them all most often.

    Raises
    ------
    InputError
        If no motif has a cluster.

    Notes
    -----
    Hepkema et al. (2023): their code takes the first row, and with ``vote`` some
    filters go to other families than published.
    """
    by_motif = dict(zip(clusters["motif"], clusters["cluster_name"], strict=True))
    rows = _rows_by_tf(clusters)
    choose = {FIRST: _first_row, VOTE: _most_rows}[shared_tfs]
    found = {}
    for motif, tfs in tfs_by_motif(targets).items():
        listed = [rows[tf.upper()] for tf in tfs if tf.upper() in rows]
        found[motif] = by_motif.get(motif) or (choose(listed) if listed else "")
    n_found = sum(name != "" for name in found.values())
    if not n_found:
        raise InputError(
            f"motif clusters: none of the database's {len(targets)} motifs is in the cluster "
            f"table, by its id ({targets['motif'].iloc[0]}, ...; the table has "
            f"{clusters['motif'].iloc[0]}, ...) or by its TF ({targets['tfs'].iloc[0]}, ...; "
            f"the table has {clusters['tfs'].iloc[0]}, ...). Give the clusters of this species, "
            "or none: they are then computed from the database."
        )
    logger.info("%d of %d motifs of the database have a cluster", n_found, len(targets))
    return pd.Series(found, name="cluster_name", dtype=object).rename_axis("motif")


def _rows_by_tf(clusters: pd.DataFrame) -> dict[str, list[str]]:
    """Name the clusters of the rows that list each transcription factor, in their order."""
    rows: dict[str, list[str]] = {}
    for tfs, name in zip(clusters["tfs"], clusters["cluster_name"], strict=True):
        for tf in tfs.split(SEPARATOR):
            rows.setdefault(tf.upper(), []).append(name)
    return rows


def _first_row(listed: list[list[str]]) -> str:
    return listed[0][0]


def _most_rows(listed: list[list[str]]) -> str:
    return Counter(name for names in listed for name in names).most_common(1)[0][0]
