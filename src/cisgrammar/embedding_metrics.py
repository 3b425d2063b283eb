"""How well an embedding of cells keeps what is known of them."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from anndata import AnnData
from sklearn.metrics import (
    adjusted_mutual_info_score,
    adjusted_rand_score,
    homogeneity_score,
    silhouette_score,
)
from sklearn.neighbors import NearestNeighbors

from cisgrammar.cell_embedding import add_neighbours, cluster

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
        Each cell's batch; adds ``batch_mixing``.
    independent
        Another embedding of the cells (of their RNA); adds the neighbour scores.
    seed
        Seed of clustering.

    Returns
    -------
    Columns embedding, n_clusters, ari, ami, homogeneity, cell_type_asw, label_score_10 ...,
    and neighbor_score_10 ... and batch_mixing where they can be had.

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
            row["batch_mixing"] = batch_mixing(embedding, batches)
        rows.append(row)
    return pd.DataFrame(rows)


def clustering_scores(embedding: np.ndarray, labels: Sequence[str], seed: int) -> dict[str, float]:
    """Cluster at the number of labels, and compare: n_clusters, ari, ami, homogeneity."""
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
    """Average silhouette width of cell types, from 0 to 1.

    Notes
    -----
    Luecken et al. (2022): (silhouette + 1) / 2.
    """
    return float((silhouette_score(embedding, labels) + 1) / 2)


def label_score(embedding: np.ndarray, labels: Sequence[str], k: int) -> float:
    """Share of each cell's ``k`` nearest neighbours that have its label, on average."""
    names = np.asarray(labels)
    return float((names[_nearest(embedding, k)] == names[:, None]).mean())


def neighbor_score(embedding: np.ndarray, other: np.ndarray, k: int) -> float:
    """Share of each cell's ``k`` nearest neighbours that are so in another embedding too."""
    pairs = zip(_nearest(embedding, k), _nearest(other, k), strict=True)
    return float(np.mean([len(np.intersect1d(one, two)) for one, two in pairs]) / k)


def batch_mixing(embedding: np.ndarray, batches: Sequence[str], k: int = 90) -> float:
    """Effective number of batches among each cell's nearest neighbours, from 0 (one) to 1 (all).

    Parameters
    ----------
    embedding
        ``(cells, dimensions)``.
    batches
        Each cell's batch.
    k
        Neighbours; all but one of the cells at most.

    Notes
    -----
    The inverse Simpson's index of Korsunsky et al. (2019), with equal weights for the neighbours
    instead of a kernel; scaled by the number of batches as Luecken et al. (2022) do, and averaged.
    """
    numbers = np.unique(np.asarray(batches), return_inverse=True)[1]
    n_batches = numbers.max() + 1
    if n_batches < 2:
        return float("nan")
    near = numbers[_nearest(embedding, min(k, len(numbers) - 1))]
    shares = np.stack([(near == batch).mean(axis=1) for batch in range(n_batches)])
    return float(((1 / (shares**2).sum(axis=0) - 1) / (n_batches - 1)).mean())


def _nearest(embedding: np.ndarray, k: int) -> np.ndarray:
    """Row numbers of the nearest others: ``(cells, k)``."""
    return NearestNeighbors(n_neighbors=k).fit(embedding).kneighbors(return_distance=False)
