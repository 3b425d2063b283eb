"""How well an embedding of cells keeps what is known of them."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import harmonypy
import numpy as np
import pandas as pd
from anndata import AnnData
from scipy.stats import chi2
from sklearn.metrics import (
    adjusted_mutual_info_score,
    adjusted_rand_score,
    homogeneity_score,
    silhouette_score,
)
from sklearn.neighbors import NearestNeighbors

from cisgrammar.interpret.cell_embedding import add_neighbours, cluster

logger = logging.getLogger(__name__)

NEIGHBORHOODS = (10, 50, 100)
MAX_STEPS = 25  # of the search for a resolution


def compare_embeddings(
    embeddings: Mapping[str, np.ndarray],
    labels: Sequence[str],
    *,
    batches: Sequence[str] | None = None,
    independent: np.ndarray | None = None,
    seed: int,
) -> pd.DataFrame:
    """Score embeddings of the same cells.

    Parameters
    ----------
    embeddings
        Name to ``(cells, dimensions)``.
    labels
        Each cell's type.
    batches
        Each cell's batch; adds kbet and ilisi.
    independent
        Another embedding of the cells (of their RNA); adds the neighbour scores.
    seed
        Seed of clustering.

    Returns
    -------
    Columns embedding, n_clusters, ari, ami, homogeneity, cell_type_asw, label_score_10 ...,
    and neighbor_score_10 ... kbet and ilisi where they can be had.

    Notes
    -----
    Yuan & Kelley (2022), Methods, "Cell-embedding evaluation". Clusters are Leiden's at the
    resolution that gives as many as there are labels. Neighbourhoods that would hold all cells
    are left out.
    """
    rows = []
    for name, embedding in embeddings.items():
        row: dict[str, object] = {"embedding": name}
        row |= clustering_scores(embedding, labels, seed)
        row["cell_type_asw"] = cell_type_asw(embedding, labels)
        for k in NEIGHBORHOODS:
            if k < len(labels):
                row[f"label_score_{k}"] = label_score(embedding, labels, k)
                if independent is not None:
                    row[f"neighbor_score_{k}"] = neighbor_score(embedding, independent, k)
        if batches is not None:
            row["kbet"] = kbet(embedding, batches)
            row["ilisi"] = ilisi(embedding, batches)
        rows.append(row)
    return pd.DataFrame(rows)


def clustering_scores(embedding: np.ndarray, labels: Sequence[str], seed: int) -> dict[str, float]:
    """Cluster at the number of labels, and compare: n_clusters, ari, ami, homogeneity.

    With one label there is nothing to compare: NaN.
    """
    if len(set(labels)) < 2:
        return {"n_clusters": 1} | dict.fromkeys(("ari", "ami", "homogeneity"), float("nan"))
    clusters = cluster_to(embedding, len(set(labels)), seed)
    return {
        "n_clusters": len(set(clusters)),
        "ari": adjusted_rand_score(labels, clusters),
        "ami": adjusted_mutual_info_score(labels, clusters),
        "homogeneity": homogeneity_score(labels, clusters),
    }


def cluster_to(embedding: np.ndarray, n_clusters: int, seed: int) -> np.ndarray:
    """Find Leiden clusters, as many as asked for or as near to it as bisection comes.

    Parameters
    ----------
    embedding
        ``(cells, dimensions)``.
    n_clusters
        How many are wanted.
    seed
        Leiden's.

    Returns
    -------
    Each cell's cluster, str ``(cells,)``.
    """
    cells = AnnData(obs=pd.DataFrame(index=[str(i) for i in range(len(embedding))]))
    cells.obsm["X"] = np.asarray(embedding)
    add_neighbours(cells, "X", 15, seed)
    low, high, best, found = 0.0, 4.0, np.empty(0), -1
    for _ in range(MAX_STEPS):
        middle = (low + high) / 2
        cluster(cells, middle, seed)
        n = cells.obs["leiden"].nunique()
        if found < 0 or abs(n - n_clusters) < abs(found - n_clusters):
            best, found = cells.obs["leiden"].to_numpy().astype(str), n
        if n == n_clusters:
            break
        low, high = (middle, high) if n < n_clusters else (low, middle)
    if found != n_clusters:
        logger.info("no resolution gave %d clusters; %d are compared", n_clusters, found)
    return best


def cell_type_asw(embedding: np.ndarray, labels: Sequence[str]) -> float:
    """Average silhouette width of cell types, from 0 to 1; NaN where there is one type.

    Notes
    -----
    Luecken et al. (2022): (silhouette + 1) / 2.
    """
    if len(set(labels)) < 2:
        return float("nan")
    return float((silhouette_score(embedding, labels) + 1) / 2)


def label_score(embedding: np.ndarray, labels: Sequence[str], k: int) -> float:
    """Share of each cell's ``k`` nearest neighbours that have its label; NaN where all have one."""
    if len(set(labels)) < 2:
        return float("nan")
    names = np.asarray(labels)
    return float((names[_nearest(embedding, k)] == names[:, None]).mean())


def neighbor_score(embedding: np.ndarray, other: np.ndarray, k: int) -> float:
    """Share of each cell's ``k`` nearest neighbours that are so in another embedding too."""
    pairs = zip(_nearest(embedding, k), _nearest(other, k), strict=True)
    return float(np.mean([len(np.intersect1d(one, two)) for one, two in pairs]) / k)


def kbet(embedding: np.ndarray, batches: Sequence[str], k: int = 50, alpha: float = 0.05) -> float:
    """Share of cells around which batches are mixed as they are everywhere: 1 is best.

    Parameters
    ----------
    embedding
        ``(cells, dimensions)``.
    batches
        Each cell's batch.
    k
        Cells of a neighbourhood, the cell itself among them; all cells at most.
    alpha
        A neighbourhood is accepted if its p-value is no less.

    Returns
    -------
    The acceptance rate; NaN where there is one batch.

    Notes
    -----
    Buettner et al. (2019): the counts of batches in a neighbourhood against those expected from all
    cells, by a chi-square test with one degree of freedom less than there are batches. As in
    scib-metrics every cell is tested, and nothing is adapted to the data; cells of different
    types are not kept apart, so that types in unequal shares in the batches lower it.
    """
    numbers = np.unique(np.asarray(batches), return_inverse=True)[1]
    sizes = np.bincount(numbers)
    if len(sizes) < 2:
        return float("nan")
    k = min(k, len(numbers))
    near = np.c_[np.arange(len(numbers)), _nearest(embedding, k - 1)]
    counts = np.stack([(numbers[near] == batch).sum(axis=1) for batch in range(len(sizes))], axis=1)
    expected = k * sizes / len(numbers)
    statistic = ((counts - expected) ** 2 / expected).sum(axis=1)
    return float((chi2.sf(statistic, len(sizes) - 1) >= alpha).mean())


def ilisi(embedding: np.ndarray, batches: Sequence[str], perplexity: int = 30) -> float:
    """Effective number of batches among a cell's neighbours, from 0 (one) to 1 (all).

    Parameters
    ----------
    embedding
        ``(cells, dimensions)``.
    batches
        Each cell's batch.
    perplexity
        Effective number of neighbours; three times as many are weighed, and so it is a third of
        the other cells at most.

    Returns
    -------
    The median over cells; NaN where there is one batch.

    Notes
    -----
    The inverse Simpson's index of Korsunsky et al. (2019); scaled by the number of batches as
    Luecken et al. (2022) do.
    """
    names = np.asarray(batches)
    n_batches = len(np.unique(names))
    if n_batches < 2:
        return float("nan")
    perplexity = min(perplexity, (len(names) - 1) // 3)
    numbers = harmonypy.compute_lisi(embedding, {"batch": names}, ["batch"], perplexity)
    return float((np.median(numbers) - 1) / (n_batches - 1))


def harmonize(embedding: np.ndarray, batches: Sequence[str], seed: int) -> np.ndarray:
    """Correct an embedding for batches by Harmony.

    Parameters
    ----------
    embedding
        Components of LSI or PCA, or any other: ``(cells, dimensions)``.
    batches
        Each cell's batch, two different ones at least.
    seed
        Of the first clusters.

    Returns
    -------
    float32 ``(cells, dimensions)``, the same for any number of threads.

    Notes
    -----
    Korsunsky et al. (2019): with a ridge penalty of 1, as there. harmonypy's own default, estimated
    from the data, leaves more of strong batch effects.
    """
    names = np.asarray(batches)
    corrected = harmonypy.run_harmony(
        np.asarray(embedding), {"batch": names}, "batch", lamb=1,
        nclust=int(np.clip(len(names) / 30, 1, 100).round()), random_state=seed, verbose=False,
    ).Z_corr  # fmt: skip
    return corrected.astype(np.float32)


def _nearest(embedding: np.ndarray, k: int) -> np.ndarray:
    """Row numbers of the nearest others: ``(cells, k)``."""
    return NearestNeighbors(n_neighbors=k).fit(embedding).kneighbors(return_distance=False)
