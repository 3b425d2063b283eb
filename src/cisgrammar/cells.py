"""Cells: choose, filter, normalise, embed."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import bbknn
import numpy as np
import pandas as pd
import scanpy as sc
from anndata import AnnData
from scipy import sparse
from scipy.sparse.linalg import svds

from cisgrammar.errors import InputError, Problems
from cisgrammar.inputs import examples, nearest

logger = logging.getLogger(__name__)


def choose_cells(
    counts: AnnData, keep: Mapping[str, Sequence[Any]], drop: Mapping[str, Sequence[Any]]
) -> AnnData:
    """Choose cells by their annotations.

    Parameters
    ----------
    counts
        Cells x genes.
    keep, drop
        As in :func:`fitting_cells`.

    Returns
    -------
    The cells that are left, or ``counts`` itself where all are.

    Raises
    ------
    InputError
        As :func:`fitting_cells`.
    """
    fits = fitting_cells(counts.obs, keep, drop)
    return counts if fits.all() else counts[fits].copy()


def fitting_cells(
    obs: pd.DataFrame, keep: Mapping[str, Sequence[Any]], drop: Mapping[str, Sequence[Any]]
) -> np.ndarray:
    """Find the cells whose annotations are wanted.

    Parameters
    ----------
    obs
        One row per cell.
    keep
        Column -> values that a cell must have one of.
    drop
        Column -> values that a cell must not have.

    Returns
    -------
    bool ``(cells,)``; how many go is logged.

    Raises
    ------
    InputError
        With all columns and values that are not there; or if no cell is left.
    """
    problems = Problems()
    chosen = np.ones(len(obs), bool)
    rules = [("keep", *rule) for rule in keep.items()] + [("drop", *rule) for rule in drop.items()]
    for key, column, values in rules:
        if column not in obs:
            problems.add(
                f"cells.{key}: there is no column `{column}` for the cells; the columns are "
                f"{examples(obs.columns, 12)}.{nearest(column, obs.columns)}"
            )
            continue
        labels, wanted = obs[column].astype(str), [str(value) for value in values]
        there = sorted(labels.unique())
        if absent := [value for value in wanted if value not in there]:
            problems.add(
                f"cells.{key}: no cell has {examples(absent)} in the column `{column}`; there "
                f"are {examples(there, 30)}.{nearest(absent[0], there)}"
            )
            continue
        fits = labels.isin(wanted).to_numpy() == (key == "keep")
        logger.info("cells.%s: %d cells go by their `%s`", key, (chosen & ~fits).sum(), column)
        chosen &= fits
    problems.raise_if_any()
    if not chosen.any():
        raise InputError(
            f"cells: `cells.keep` and `cells.drop` leave none of {len(obs)} cells. "
            "Name other values."
        )
    return chosen


def filter_cells(
    counts: AnnData, *, min_genes: int, min_cells: int, peaks: bool = False
) -> AnnData:
    """Drop cells with few detected genes, then genes detected in few cells.

    Parameters
    ----------
    counts
        Cells x genes, raw counts.
    min_genes, min_cells
        Least number of genes per cell, of cells per gene.
    peaks
        Whether they are peaks, not genes, in messages.

    Returns
    -------
    A new AnnData; what was dropped is logged.

    Raises
    ------
    InputError
        If nothing is left.
    """
    there = counts.X > 0  # stored zeros are no detection
    enough = np.diff(there.indptr) >= min_genes
    detected = np.bincount(there[enough].indices, minlength=counts.n_vars)
    kept = counts[enough, detected >= min_cells].copy()
    what, section = ("peaks", "peaks") if peaks else ("genes", "cells")
    logger.info(
        "%d of %d cells have at least %d %s; %d of %d %s are in at least %d cells",
        kept.n_obs, counts.n_obs, min_genes, what, kept.n_vars, counts.n_vars, what, min_cells,
    )  # fmt: skip
    if not kept.n_obs or not kept.n_vars:
        raise InputError(
            f"cells: of {counts.n_obs} cells and {counts.n_vars} {what} none is left after the "
            f"filters. Lower `{section}.min_{what}` ({min_genes}) or `{section}.min_cells` "
            f"({min_cells})."
        )
    return kept


def embed_cells(
    cells: AnnData,
    *,
    n_pcs: int,
    drop_first_pc: bool,
    n_neighbors: int,
    neighbors_within_batch: int,
    trim: int | None,
    exact_neighbors: bool,
    umap_min_dist: float,
    seed: int,
    clusters: float | None = None,
    peaks: bool = False,
) -> None:
    """Add principal components and a UMAP; batches, where there are any, are balanced.

    Parameters
    ----------
    cells
        Cells x genes, raw counts (CSR), with ``obs["batch"]``. Gets ``obsm["X_pca"]``
        ``(cells, components)`` and ``obsm["X_umap"]`` ``(cells, 2)``.
    n_pcs
        Principal components of log-normalised counts, before the first is dropped; of peaks,
        components of :func:`lsi`.
    drop_first_pc
        Whether to drop the first, which mostly follows sequencing depth.
    n_neighbors
        Neighbours of each cell, without batches.
    neighbors_within_batch, trim
        BBKNN's, with batches.
    exact_neighbors
        Exact neighbours, or approximate ones (for hundreds of thousands of cells).
    umap_min_dist
        UMAP's smallest distance of points.
    seed
        Seed of PCA, neighbours and UMAP.
    clusters
        Resolution of Leiden clusters, which become ``obs["cell_type"]``; None: none are made.
    peaks
        Whether the counts are of peaks.

    Notes
    -----
    Hepkema et al. (2023), Methods, first section.
    """
    work = AnnData(obs=cells.obs[["batch"]])
    most = min(cells.shape) - 1
    if n_pcs > most:
        logger.info("%d components asked for, %d are possible", n_pcs, most)
    components = (lsi if peaks else log_pca)(cells.X, min(n_pcs, most), seed)
    components = components[:, 1 if drop_first_pc else 0 :]
    work.obsm["X_pca"] = components
    _neighbours(work, n_neighbors, neighbors_within_batch, trim, exact_neighbors, seed)
    if clusters is not None:
        sc.tl.leiden(work, clusters, random_state=seed, flavor="igraph", n_iterations=2)
        cells.obs["cell_type"] = work.obs["leiden"].cat.rename_categories("cluster {}".format)
        logger.info("%d clusters", work.obs["leiden"].nunique())
    sc.tl.umap(work, min_dist=umap_min_dist, random_state=seed)
    cells.obsm["X_pca"] = components.astype(np.float32)
    cells.obsm["X_umap"] = work.obsm["X_umap"].astype(np.float32)


def log_pca(counts: sparse.csr_matrix, n: int, seed: int) -> np.ndarray:
    """Principal components of log-normalised counts.

    Parameters
    ----------
    counts
        Cells x genes or peaks.
    n
        Components, fewer than cells and genes.
    seed
        Seed of the first vector of the search.

    Returns
    -------
    ``(cells, n)``, the largest first.
    """
    work = AnnData(counts.astype(np.float32))
    sc.pp.normalize_total(work)
    sc.pp.log1p(work)
    sc.pp.pca(work, n_comps=n, svd_solver="arpack", random_state=seed)
    return work.obsm["X_pca"]


def lsi(counts: sparse.csr_matrix, n: int, seed: int) -> np.ndarray:
    """Latent semantic indexing: components of accessibility.

    Parameters
    ----------
    counts
        Cells x peaks.
    n
        Components, fewer than cells and peaks.
    seed
        Seed of the first vector of the search.

    Returns
    -------
    Left singular vectors times singular values, the largest first: ``(cells, n)``. The first
    mostly follows sequencing depth.

    Notes
    -----
    Of log(1 + 10,000 TF IDF), as Signac's (Stuart et al. 2021): TF is a count's share of its cell,
    IDF the number of cells by the counts of the peak.
    """
    values = sparse.csr_matrix(counts, dtype=np.float64, copy=True)
    depth = np.maximum(np.asarray(values.sum(axis=1)).ravel(), 1)
    rarity = values.shape[0] / np.maximum(np.asarray(values.sum(axis=0)).ravel(), 1)
    values.data *= np.repeat(1e4 / depth, np.diff(values.indptr)) * rarity[values.indices]
    np.log1p(values.data, out=values.data)
    start = np.random.default_rng(seed).uniform(-1, 1, min(values.shape))
    left, scale, right = svds(values, k=n, v0=start, solver="arpack")
    order = np.argsort(-scale)
    sign = np.sign(right[np.arange(n), np.abs(right).argmax(axis=1)])  # else left to chance
    return (left * scale * sign)[:, order]


def _neighbours(
    work: AnnData, n_neighbors: int, within: int, trim: int | None, exact: bool, seed: int
) -> None:
    sizes = work.obs["batch"].value_counts()
    one_batch = len(sizes) == 1
    if one_batch and exact:
        k = min(n_neighbors, work.n_obs - 1)
        sc.pp.neighbors(
            work, n_neighbors=k, use_rep="X_pca", random_state=seed, transformer="sklearn"
        )
        return
    if sizes.min() < within:
        raise InputError(
            f"cells: batch {sizes.idxmin()!r} has {sizes.min()} cells, fewer than "
            f"`cells.neighbors_within_batch` ({within}). Drop or merge the batch."
        )
    if one_batch:
        # scanpy's own approximate search fails with this SciPy; BBKNN of one batch is the same
        within, trim = n_neighbors, 0
    settings: dict[str, Any] = {"computation": "cKDTree", "metric": "euclidean"}
    if not exact:
        settings = {"computation": "pynndescent", "pynndescent_random_state": seed}
    bbknn.bbknn(work, batch_key="batch", neighbors_within_batch=within, trim=trim, **settings)
