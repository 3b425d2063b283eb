"""Cells: filter, normalise, embed."""

from __future__ import annotations

import logging
from typing import Any

import bbknn
import numpy as np
import scanpy as sc
from anndata import AnnData

from cisgrammar.errors import InputError

logger = logging.getLogger(__name__)


def filter_cells(counts: AnnData, *, min_genes: int, min_cells: int) -> AnnData:
    """Drop cells with few detected genes, then genes detected in few cells.

    Parameters
    ----------
    counts
        Cells x genes, raw counts.
    min_genes, min_cells
        Least number of genes per cell, of cells per gene.

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
    logger.info(
        "%d of %d cells have at least %d genes; %d of %d genes are in at least %d cells",
        kept.n_obs, counts.n_obs, min_genes, kept.n_vars, counts.n_vars, min_cells,
    )  # fmt: skip
    if not kept.n_obs or not kept.n_vars:
        raise InputError(
            f"cells: of {counts.n_obs} cells and {counts.n_vars} genes none is left after the "
            f"filters. Lower `cells.min_genes` ({min_genes}) or `cells.min_cells` ({min_cells})."
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
) -> None:
    """Add principal components and a UMAP; batches, where there are any, are balanced.

    Parameters
    ----------
    cells
        Cells x genes, raw counts (CSR), with ``obs["batch"]``. Gets ``obsm["X_pca"]``
        ``(cells, components)`` and ``obsm["X_umap"]`` ``(cells, 2)``.
    n_pcs
        Principal components of log-normalised counts, before the first is dropped.
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

    Notes
    -----
    Hepkema et al. (2023), Methods, first section.
    """
    work = AnnData(cells.X.astype(np.float32), obs=cells.obs[["batch"]])
    sc.pp.normalize_total(work)
    sc.pp.log1p(work)
    most = min(work.shape) - 1
    if n_pcs > most:
        logger.info("%d components asked for, %d are possible", n_pcs, most)
    sc.pp.pca(work, n_comps=min(n_pcs, most), svd_solver="arpack", random_state=seed)
    components = work.obsm["X_pca"][:, 1 if drop_first_pc else 0 :]
    work.obsm["X_pca"] = components
    _neighbours(work, n_neighbors, neighbors_within_batch, trim, exact_neighbors, seed)
    sc.tl.umap(work, min_dist=umap_min_dist, random_state=seed)
    cells.obsm["X_pca"] = components.astype(np.float32)
    cells.obsm["X_umap"] = work.obsm["X_umap"].astype(np.float32)


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
