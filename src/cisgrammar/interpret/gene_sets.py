"""Which processes go with a motif family: gene sets and markers."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse
from scipy.cluster.hierarchy import fcluster, linkage

from cisgrammar.common.errors import InputError, Problems
from cisgrammar.common.inputs import open_text
from cisgrammar.common.statistics import spearman
from cisgrammar.interpret.regulators import log_expression, match_genes

KEY = "gene_sets.gmt"
MIN_SHARE_GENES = 0.1  # fewer of a GMT's genes among the data's: another identifier space
logger = logging.getLogger(__name__)


def read_gmt(path: str | Path) -> dict[str, list[str]]:
    """Read gene sets.

    Parameters
    ----------
    path
        GMT, plain or gzip: one set a line, tab-separated: name, description, genes.

    Returns
    -------
    Genes of each set, once each, in the file's order.

    Raises
    ------
    InputError
        If the file is missing, empty, or has lines that are no set; they are reported together.
    """
    with open_text(path, KEY) as stream:
        lines = stream.read().split("\n")
    problems = Problems()
    sets: dict[str, list[str]] = {}
    for number, line in enumerate(lines, start=1):
        words = [word.strip() for word in line.split("\t")]
        genes = [word for word in words[2:] if word]
        if not line.strip():
            continue
        if not words[0] or not genes:
            problems.add(
                f"{path}, line {number}: no gene set. A line is name, description, genes, with "
                f"tabs between them; this one has {len(words)} such fields. "
                f"Give a file in GMT format in `{KEY}`."
            )
        elif words[0] in sets:
            problems.add(f"{path}, line {number}: the set {words[0]!r} occurs twice.")
        else:
            sets[words[0]] = list(dict.fromkeys(genes))
    problems.raise_if_any()
    if not sets:
        raise InputError(f"{path}: there is no gene set in it. Give another file in `{KEY}`.")
    logger.info("%s: %d gene sets", path, len(sets))
    return sets


def match_sets(
    sets: Mapping[str, Sequence[str]], genes: pd.DataFrame, source: str = "gene sets"
) -> dict[str, np.ndarray]:
    """Find the genes of each set.

    Parameters
    ----------
    sets
        Name -> genes, by name or id.
    genes
        Index gene id; column ``gene_name`` if there is one.
    source
        What to call the sets in messages.

    Returns
    -------
    Name -> rows of ``genes``, sorted, without those not found.

    Raises
    ------
    InputError
        If fewer than a tenth of the genes are found.
    """
    wanted = sorted({gene for members in sets.values() for gene in members})
    row_of = dict(zip(wanted, match_genes(wanted, genes), strict=True))
    found = sum(row >= 0 for row in row_of.values())
    if found < MIN_SHARE_GENES * len(wanted):
        names = genes.get("gene_name", genes.index)
        raise InputError(
            f"{source}: {found} of its {len(wanted)} genes ({', '.join(wanted[:3])}, ...) are "
            f"among the data's {len(genes)} ({', '.join(map(str, names[:3]))}, ...). The two name "
            "genes in different ways, or are of different species: give sets with the gene names "
            "or ids of the counts."
        )
    logger.info("%s: %d of %d genes found", source, found, len(wanted))
    return {
        name: np.unique([row_of[gene] for gene in members if row_of[gene] >= 0]).astype(int)
        for name, members in sets.items()
    }


def mean_expression(
    counts: AnnData, pools: pd.Index, rows: Mapping[str, np.ndarray]
) -> pd.DataFrame:
    """Average log10(1 + summed counts) over the genes of each set.

    Parameters
    ----------
    counts
        Pools x genes, summed counts.
    pools
        Names of the pools wanted.
    rows
        Set -> rows of ``counts.var``, none empty.

    Returns
    -------
    Pool x set.
    """
    genes, place = np.unique(np.concatenate(list(rows.values())), return_inverse=True)
    sizes = np.array([len(members) for members in rows.values()])
    column = np.repeat(np.arange(len(rows)), sizes)
    weights = sparse.csr_array(
        (np.repeat(1 / sizes, sizes), (column, place)), shape=(len(rows), len(genes))
    )
    means = weights @ log_expression(counts, pools, genes).T
    return pd.DataFrame(means.T, index=pools, columns=list(rows))


def correlate_sets(
    families: AnnData,
    counts: AnnData,
    sets: Mapping[str, Sequence[str]],
    min_size: int = 5,
    max_size: int = 49,
    n_top: int = 500,
    n_clusters: int = 3,
    source: str = "gene sets",
) -> pd.DataFrame:
    """Correlate the expression of gene sets with the influence of families, over pools.

    Parameters
    ----------
    families
        Pools x families, influence.
    counts
        Pools x genes, summed counts.
    sets
        Name -> genes.
    min_size
        Genes of a set that must be in the data.
    max_size
        Genes a set may have in all.
    n_top
        Sets to keep, by their highest absolute correlation.
    n_clusters
        Groups of sets.
    source
        What to call the sets in messages.

    Returns
    -------
    One row a set: term, size, found, cluster (from 1, the largest first),
    best_family, best_rho, then one column a family: Spearman's rho. Sorted by
    cluster and then from most to least correlated.

    Raises
    ------
    InputError
        If the genes are named otherwise, or no set has a fitting size.

    Notes
    -----
    Hepkema et al. (2023), Methods, "Gene Ontology analysis": sets under 50
    genes, the top 500, Euclidean distance, complete linkage, k = 3.
    """
    found = match_sets(sets, counts.var, source)
    rows = {
        name: members
        for name, members in found.items()
        if len(members) >= min_size and len(sets[name]) <= max_size
    }
    if not rows:
        raise InputError(
            f"{source}: none of its {len(sets)} sets has at most {max_size} genes with at least "
            f"{min_size} of them in the data. Change `gene_sets.min_size` or `gene_sets.max_size`."
        )
    logger.info("%s: %d of %d sets have a fitting size", source, len(rows), len(sets))
    expression = mean_expression(counts, families.obs_names, rows)
    rho, _ = spearman(expression.to_numpy(), np.asarray(families.X))
    strength = np.nan_to_num(np.abs(rho))
    table = pd.DataFrame(
        {
            "term": list(rows),
            "size": [len(sets[name]) for name in rows],
            "found": [len(members) for members in rows.values()],
            "best_family": families.var_names[strength.argmax(axis=1)],
            "best_rho": rho[np.arange(len(rho)), strength.argmax(axis=1)],
        }
    )
    table["strength"] = strength.max(axis=1)
    table = pd.concat([table, pd.DataFrame(rho, columns=families.var_names)], axis=1)
    table = table.sort_values(["strength", "term"], ascending=[False, True]).head(n_top)
    table.insert(3, "cluster", _clusters(table[families.var_names].to_numpy(), n_clusters))
    table = table.sort_values(["cluster", "strength", "term"], ascending=[True, False, True])
    return table.drop(columns="strength").reset_index(drop=True)


def _clusters(rho: np.ndarray, n_clusters: int) -> np.ndarray:
    """Cut a tree of rows into so many groups, numbered from 1, the largest first."""
    if len(rho) <= n_clusters:
        return np.arange(1, len(rho) + 1)
    found = fcluster(linkage(np.nan_to_num(rho), "complete"), n_clusters, "maxclust")
    _, first, inverse, sizes = np.unique(
        found, return_index=True, return_inverse=True, return_counts=True
    )
    rank = np.empty(len(first), dtype=int)
    rank[np.lexsort((first, -sizes))] = np.arange(1, len(first) + 1)
    return rank[inverse]


def correlate_markers(
    families: AnnData, counts: AnnData, markers: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Correlate marker genes, and their mean, with the influence of families.

    Parameters
    ----------
    families
        Pools x families, influence.
    counts
        Pools x genes, summed counts.
    markers
        Name of a list -> genes.

    Returns
    -------
    Rows by list: one a gene in the order given, then ``mean``: list, gene, found
    (for the mean: how many), then one column a family, Spearman's rho; missing
    where the gene is not in the data or does not vary.

    Raises
    ------
    InputError
        If none of a list's genes is in the data; all such lists at once.
    """
    problems = Problems()
    tables = [pd.DataFrame(columns=["list", "gene", "found", *families.var_names])]
    for name, genes in markers.items():
        place = np.array(match_genes(list(genes), counts.var), dtype=int)
        found = place >= 0
        if not found.any():
            problems.add(
                f"markers: none of {name!r} ({', '.join(genes)}) is among the data's "
                f"{counts.n_vars} genes. Use the gene names or ids of the counts."
            )
            continue
        expression = np.full((families.n_obs, len(genes) + 1), np.nan)
        expression[:, :-1][:, found] = log_expression(counts, families.obs_names, place[found])
        expression[:, -1] = expression[:, :-1][:, found].mean(axis=1)
        rho, _ = spearman(np.nan_to_num(expression), np.asarray(families.X))
        table = pd.DataFrame(rho, columns=families.var_names)
        table.insert(0, "list", name)
        table.insert(1, "gene", [*genes, "mean"])
        table.insert(2, "found", [*found.astype(int), found.sum()])
        tables.append(table)
        logger.info("markers: %d of %d genes of %s found", found.sum(), len(genes), name)
    problems.raise_if_any()
    return pd.concat(tables[1:] or tables, ignore_index=True)


def no_sets(families: AnnData) -> pd.DataFrame:
    """Give the table of :func:`correlate_sets` without rows, where no sets are configured."""
    columns = ["term", "size", "found", "cluster", "best_family", "best_rho"]
    return pd.DataFrame(columns=[*columns, *families.var_names])


def markers_and_annotations(markers: pd.DataFrame, annotations: pd.DataFrame) -> pd.DataFrame:
    """Set markers and annotations side by side, for one heat map.

    Parameters
    ----------
    markers
        Of :func:`correlate_markers`.
    annotations
        Of :func:`~cisgrammar.cells.pool_annotations.correlate_annotations`.

    Returns
    -------
    Family x marker or annotation, Spearman's rho; those without any are left out.
    """
    genes = markers.drop(columns=["list", "gene", "found"]).set_axis(
        markers["list"].astype(str) + ": " + markers["gene"].astype(str)
    )
    wide = annotations.pivot_table("rho", "annotation", "family", sort=False)
    table = pd.concat([genes.astype(float), wide]).dropna(how="all").T
    table.index.name = "family"
    return table
