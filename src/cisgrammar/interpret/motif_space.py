"""Motif space: sequences by what the filters of all folds see in them."""

from __future__ import annotations

import itertools
import logging
import warnings
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import umap
from anndata import AnnData
from scipy import sparse, stats
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

from cisgrammar.common.progress import progress
from cisgrammar.common.seeds import derive_seed
from cisgrammar.common.statistics import benjamini_hochberg
from cisgrammar.interpret.family_influence import trusted

BLOCK = 1024
logger = logging.getLogger(__name__)

Scanner = Callable[[np.ndarray], np.ndarray]
"""Codes ``(n, length)`` to highest activations before the ELU ``(n, filters)``."""


def activations(
    codes: np.ndarray, scanners: Mapping[int, Scanner], block: int = BLOCK
) -> tuple[np.ndarray, list[str]]:
    """Scan every sequence with the filters of all folds.

    Parameters
    ----------
    codes
        uint8 ``(n, length)``.
    scanners
        Fold -> its filters.
    block
        Sequences at a time.

    Returns
    -------
    activations
        After ELU and global maximum, float32 ``(n, filters of all folds)``.
    names
        ``{fold}_{filter}`` of each column.

    Notes
    -----
    Hepkema et al. (2023), Methods, "Promoter analysis": genes x 6,000. One array
    of float32 is all that is held: 0.43 GB for 18,000 sequences and 6,000 filters.
    """
    filled: np.ndarray | None = None
    names: list[str] = []
    starts = range(0, len(codes), block)
    for start in progress(starts, "blocks of sequences"):
        maxima = [
            np.asarray(scan(codes[start : start + block]), np.float32) for scan in scanners.values()
        ]
        if filled is None:
            widths = [part.shape[1] for part in maxima]
            filled = np.empty((len(codes), sum(widths)), dtype=np.float32)
            names = [
                f"{fold}_{i}"
                for fold, width in zip(scanners, widths, strict=True)
                for i in range(width)
            ]
        at = 0
        for part in maxima:
            elu = np.where(part > 0, part, np.expm1(np.minimum(part, 0)))
            filled[start : start + len(part), at : at + part.shape[1]] = elu
            at += part.shape[1]
    if filled is None:
        raise ValueError("there are no sequences")
    return filled, names


def family_scores(
    activated: np.ndarray,
    names: list[str],
    assignments: pd.DataFrame,
    families: pd.DataFrame,
    sequences: pd.DataFrame,
) -> AnnData:
    """Add up the activations of each family's filters.

    Parameters
    ----------
    activated, names
        Of :func:`activations`.
    assignments
        Columns motif, family, ...: filters that became no motif are in none.
    families
        :func:`~cisgrammar.motifs.families.family_table`.
    sequences
        var of dataset.h5ad.

    Returns
    -------
    Sequences x families, float32, in the order of ``models``, which is var.
    """
    family_of = assignments.set_index("motif")["family"].reindex(names)
    code = pd.Categorical(family_of, families["family"]).codes
    used = np.flatnonzero(code >= 0)
    member = sparse.csr_array(
        (np.ones(len(used), np.float32), (code[used], used)), shape=(len(families), len(names))
    )
    scores = np.empty((len(activated), len(families)), dtype=np.float32)
    for start in range(0, len(activated), BLOCK):
        scores[start : start + BLOCK] = (member @ activated[start : start + BLOCK].T).T
    return AnnData(scores, obs=sequences.copy(), var=families.set_index("family"))


def embed_sequences(
    activated: np.ndarray, seed: int, n_components: int = 50, n_neighbors: int = 15
) -> np.ndarray:
    """Lay sequences out so that those the filters see alike are neighbours.

    Parameters
    ----------
    activated
        ``(n, filters)``.
    seed
        The config's seed.
    n_components
        Principal components that UMAP sees, at most.
    n_neighbors
        UMAP's neighbours, at most.

    Returns
    -------
    float32 ``(n, 2)``.

    Notes
    -----
    The paper runs UMAP on all filters; the principal components first bound
    memory and time. Neighbours are exact: compiling UMAP's own approximate search
    alone takes longer than finding those of 20,000 sequences. One thread throughout, so that
    the result is the same on any machine of a kind.
    """
    n = min(n_components, *(size - 1 for size in activated.shape))
    if n < 2 or len(activated) < 4:
        raise ValueError(f"too few sequences or filters for a map: {activated.shape}")
    with threadpool_limits(1):
        pca = PCA(n, svd_solver="randomized", random_state=derive_seed(seed, "motif space", "pca"))
        components = pca.fit_transform(activated)
        logger.info("%d components hold %.0f%%", n, 100 * pca.explained_variance_ratio_.sum())
        k = min(n_neighbors, len(activated) - 1)
        layout = umap.UMAP(
            n_neighbors=k,
            precomputed_knn=(*nearest(components, k), None),
            random_state=derive_seed(seed, "motif space", "umap"),
            n_jobs=1,
        )
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "precomputed_knn")  # no use for new points
            return layout.fit_transform(components).astype(np.float32)


def nearest(points: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Find each point's nearest points, itself the first.

    Parameters
    ----------
    points
        float32 ``(n, dimensions)``.
    k
        How many.

    Returns
    -------
    Row numbers and distances, each ``(n, k)``.

    Notes
    -----
    Distances are taken from differences: scikit-learn's, of products, are not 0 from a point to
    itself, and UMAP scales all others by the smallest that is not 0.
    """
    search = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(points)
    rows = search.kneighbors(points, return_distance=False)
    distances = np.empty(rows.shape, np.float32)
    for start in range(0, len(points), BLOCK):
        block = slice(start, start + BLOCK)
        distances[block] = np.linalg.norm(points[rows[block]] - points[block, None], axis=2)
    return rows, distances


def only_trusted(scores: AnnData, consistent: pd.DataFrame) -> AnnData:
    """Keep the families that are reproducible and consistent.

    Parameters
    ----------
    scores
        Of :func:`family_scores`.
    consistent
        Of :func:`~cisgrammar.interpret.family_influence.consistency`.
    """
    kept = trusted(scores.var.rename_axis("family").reset_index(), consistent)
    return scores[:, kept.to_numpy()]


def carriers(scores: AnnData, share: float = 0.75) -> pd.DataFrame:
    """Say which sequences carry which families.

    Parameters
    ----------
    scores
        Sequences x families.
    share
        Of the family's highest score that a sequence must exceed.

    Returns
    -------
    Boolean, sequence x family. A family that excites no sequence is in none.

    Notes
    -----
    Hepkema et al. (2023), Methods: above 75% of the maximum.
    """
    values = np.asarray(scores.X, dtype=np.float64)
    highest = values.max(axis=0)
    carried = (values > share * highest) & (highest > 0)
    return pd.DataFrame(carried, scores.obs_names, scores.var_names)


def combinations(carried: pd.DataFrame, n_top: int | None = None) -> pd.DataFrame:
    """Count the combinations of families: the bars of an UpSet plot.

    Parameters
    ----------
    carried
        Boolean, sequence x family.
    n_top
        Most frequent combinations to keep; all by default.

    Returns
    -------
    families (`` & `` between them), n_families, n_sequences; from most to least
    frequent. Sequences without any family are left out, and their number logged.
    """
    names = np.array(carried.columns, dtype=object)
    patterns, counts = np.unique(carried.to_numpy(), axis=0, return_counts=True)
    patterns = patterns.astype(bool)  # without families, unique() forgets it
    table = pd.DataFrame(
        {
            "families": [" & ".join(names[pattern]) for pattern in patterns],
            "n_families": patterns.sum(axis=1),
            "n_sequences": counts,
        }
    )
    logger.info("%d of %d sequences carry no family", (~carried.any(axis=1)).sum(), len(carried))
    table = table[table["n_families"] > 0]
    table = table.sort_values(["n_sequences", "families"], ascending=[False, True])
    return table.head(n_top if n_top is not None else len(table)).reset_index(drop=True)


def co_occurrence(carried: pd.DataFrame) -> pd.DataFrame:
    """Test whether pairs of families share more or fewer sequences than by chance.

    Parameters
    ----------
    carried
        Boolean, sequence x family.

    Returns
    -------
    One row a pair, in the order of the families: first, second, n_first,
    n_second, n_both, expected (if independent), log2_ratio (with half a sequence
    added to both), p (hypergeometric, two-sided by doubling), fdr
    (Benjamini-Hochberg).
    """
    member = carried.to_numpy().astype(np.int64)
    sizes, both, n = member.sum(axis=0), member.T @ member, len(carried)
    pairs = list(itertools.combinations(range(carried.shape[1]), 2))
    first, second = np.array(pairs, dtype=int).reshape(-1, 2).T
    table = pd.DataFrame(
        {
            "first": carried.columns[first],
            "second": carried.columns[second],
            "n_first": sizes[first],
            "n_second": sizes[second],
            "n_both": both[first, second],
            "expected": sizes[first] * sizes[second] / max(n, 1),
        }
    )
    table["log2_ratio"] = np.log2((table["n_both"] + 0.5) / (table["expected"] + 0.5))
    chance = stats.hypergeom(n, table["n_first"], table["n_second"])
    tail = np.minimum(chance.cdf(table["n_both"]), chance.sf(table["n_both"] - 1))
    table["p"] = np.minimum(2 * tail, 1)
    return table.assign(fdr=benjamini_hochberg(table["p"].to_numpy()))
