"""Cells: choose, filter, normalise, embed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import bbknn
import numpy as np
import pandas as pd
import scanpy as sc
from anndata import AnnData
from numba import njit
from scipy import sparse

from cisgrammar.cells.components import log_pca, lsi
from cisgrammar.cells.first_component import judge_first_component
from cisgrammar.cells.map_sketch import nearest_in_sketch, sketch_rows
from cisgrammar.cells.neighbours import neighbor_graph
from cisgrammar.common.errors import InputError, Problems
from cisgrammar.common.inputs import examples, nearest

logger = logging.getLogger(__name__)


def choose_cells(
    counts: AnnData,
    keep: Mapping[str, Sequence[Any]],
    drop: Mapping[str, Sequence[Any]],
    *,
    in_place: bool = False,
) -> AnnData:
    """Choose cells by their annotations.

    Parameters
    ----------
    counts
        Cells x genes.
    keep, drop
        As in :func:`fitting_cells`.
    in_place
        As in :func:`restrict`.

    Returns
    -------
    The cells that are left, or ``counts`` itself where all are.

    Raises
    ------
    InputError
        As :func:`fitting_cells`.
    """
    fits = fitting_cells(counts.obs, keep, drop)
    return counts if fits.all() else restrict(counts, fits, in_place=in_place)


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
        known = set(labels)
        there = sorted(known)
        if absent := [value for value in wanted if value not in known]:
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


def restrict(
    counts: AnnData, cells: np.ndarray, genes: np.ndarray | None = None, *, in_place: bool = False
) -> AnnData:
    """Take some cells and genes; beside a copy of their counts no memory is needed.

    Parameters
    ----------
    counts
        Cells x genes (CSR), with obs and var alone.
    cells, genes
        Which to take, bool ``(cells,)`` and ``(genes,)``; None takes all genes.
    in_place
        Whether to move the counts together in their own memory in place of copying them. What was
        given is of no use then.

    Returns
    -------
    A new AnnData.
    """
    genes = np.ones(counts.n_vars, bool) if genes is None else genes
    x, column = counts.X, np.where(genes, np.cumsum(genes) - 1, -1).astype(counts.X.indices.dtype)
    sizes = _stored(x.indices, x.indptr, cells, column)
    indptr = np.concatenate([[0], np.cumsum(sizes)]).astype(x.indptr.dtype)
    if in_place:  # no value moves back, so that none is lost before it is read
        data, indices = x.data[: indptr[-1]], x.indices[: indptr[-1]]
    else:
        data, indices = np.empty(indptr[-1], x.dtype), np.empty(indptr[-1], x.indices.dtype)
    _copy(x.data, x.indices, x.indptr, cells, column, data, indices)
    matrix = sparse.csr_matrix((data, indices, indptr), shape=(cells.sum(), genes.sum()))
    return AnnData(matrix, obs=counts.obs[cells].copy(), var=counts.var[genes].copy())


def filter_cells(
    counts: AnnData, *, min_genes: int, min_cells: int, peaks: bool = False, in_place: bool = False
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
    in_place
        As in :func:`restrict`.

    Returns
    -------
    A new AnnData; what was dropped is logged.

    Raises
    ------
    InputError
        If nothing is left.
    """
    there = counts.X
    if there.nnz and there.data.min() <= 0:
        there = there > 0  # stored zeros are no detection
    enough = np.diff(there.indptr) >= min_genes
    detected = _cells_with(there.indices, there.indptr, enough, counts.n_vars)
    kept = restrict(counts, enough, detected >= min_cells, in_place=in_place)
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
    drop_first_pc: bool | str,
    exact_pca: bool,
    n_neighbors: int,
    neighbors_within_batch: int,
    trim: int | None,
    exact_neighbors: bool,
    umap_min_dist: float,
    seed: int,
    umap_cells: int | None = None,
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
        Whether to drop the first; ``auto``: if it follows sequencing depth and nothing else, as
        :func:`cisgrammar.cells.first_component.judge_first_component` tells. The first of peaks,
        which are not centred, goes unless this is ``False``.
    exact_pca
        Exact components, or approximate ones (for hundreds of thousands of cells): see
        :func:`cisgrammar.cells.components.randomised_components`.
    n_neighbors
        Neighbours of each cell, without batches.
    neighbors_within_batch, trim
        BBKNN's, with batches.
    exact_neighbors
        Exact neighbours, or approximate ones (for hundreds of thousands of cells): see
        :func:`cisgrammar.cells.neighbours.approximate_neighbors`. The UMAP of these starts from the
        first two components, for its own start takes hours then.
    umap_min_dist
        UMAP's smallest distance of points.
    seed
        Seed of PCA, sketch, neighbours and UMAP.
    umap_cells
        Cells that neighbours, clusters and UMAP are of at most, drawn evenly over the components;
        the others take the place, and the cluster, of the nearest of these. None: all cells.
    clusters
        Resolution of Leiden clusters, which become ``obs["cell_type"]``; None: none are made.
    peaks
        Whether the counts are of peaks.

    Notes
    -----
    Hepkema et al. (2023), Methods, first section.
    """
    most = min(cells.shape) - 1
    if n_pcs > most:
        logger.info("%d components asked for, %d are possible", n_pcs, most)
    components = (lsi if peaks else log_pca)(cells.X, min(n_pcs, most), seed, exact_pca)
    rows = sketch_rows(components, cells.obs["batch"], umap_cells, neighbors_within_batch, seed)

    def lay_out(chosen: np.ndarray) -> AnnData:
        work = AnnData(obs=cells.obs[["batch"]].iloc[rows], obsm={"X_pca": chosen[rows]})
        _neighbours(work, n_neighbors, neighbors_within_batch, trim, exact_neighbors, seed)
        return work

    choice = True if peaks and drop_first_pc == "auto" else drop_first_pc
    components = _without_depth(
        cells,
        components,
        choice,
        lambda chosen: _leiden(lay_out(chosen), clusters or 1.0, seed),
        rows,
    )
    work = lay_out(components)
    place = nearest_in_sketch(components, rows, seed)
    if len(rows) < len(place):
        logger.info("The map is made of %d of %d cells (`cells.umap_cells`)", len(rows), len(place))
    if clusters is not None:
        types = _leiden(work, clusters, seed)
        names = types.cat.rename_categories("cluster {}".format)
        cells.obs["cell_type"] = names.iloc[place].set_axis(cells.obs_names)
        logger.info("%d clusters", work.obs["leiden"].nunique())
    start = "spectral" if exact_neighbors else components[rows, :2]
    sc.tl.umap(work, min_dist=umap_min_dist, init_pos=start, random_state=seed)
    cells.obsm["X_pca"] = components.astype(np.float32)
    cells.obsm["X_umap"] = work.obsm["X_umap"][place].astype(np.float32)


def _without_depth(
    cells: AnnData,
    components: np.ndarray,
    choice: bool | str,
    clusters: Callable[[np.ndarray], pd.Series],
    rows: np.ndarray,
) -> np.ndarray:
    """Leave out the first component if it is to go, by the cells of some rows; log why."""
    if components.shape[1] == 1:
        return components  # or none would be left
    others = components[:, 1:]
    obs = cells.obs.iloc[rows]
    first = judge_first_component(
        components[rows, 0],
        np.asarray(cells.X.sum(axis=1, dtype=np.float64)).ravel()[rows],
        obs["batch"],
        obs.get("cell_type"),
        lambda: clusters(others),
        choice,
    )
    logger.info("%s", first)
    return others if first.dropped else components


def _leiden(work: AnnData, resolution: float, seed: int) -> pd.Series:
    """Cluster the cells of a graph."""
    sc.tl.leiden(work, resolution, random_state=seed, flavor="igraph", n_iterations=2)
    return work.obs["leiden"]


def check_batch_sizes(sizes: pd.Series, within: int) -> None:
    """Refuse batches, of several, that have fewer cells than neighbours are taken from each.

    Parameters
    ----------
    sizes
        Cells of each batch.
    within
        ``cells.neighbors_within_batch``.

    Raises
    ------
    InputError
        If the smallest is too small.
    """
    if len(sizes) > 1 and sizes.min() < within:
        raise InputError(
            f"cells: batch {str(sizes.idxmin())!r} has {sizes.min()} cells, fewer than "
            f"`cells.neighbors_within_batch` ({within}). Drop or merge the batch."
        )


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
    check_batch_sizes(sizes, within)
    if exact:
        bbknn.bbknn(
            work,
            batch_key="batch",
            neighbors_within_batch=within,
            trim=trim,
            computation="cKDTree",
            metric="euclidean",
        )
        return
    if one_batch:
        within, trim = min(n_neighbors, work.n_obs), 0
    elif trim is None:
        trim = 10 * within * len(sizes)  # BBKNN's own choice
    graph, k = neighbor_graph(work.obsm["X_pca"], work.obs["batch"], within, trim, seed)
    work.obsp["connectivities"] = graph
    work.uns["neighbors"] = {
        "connectivities_key": "connectivities",
        "params": {"n_neighbors": k, "method": "umap", "use_rep": "X_pca"},
    }


@njit(cache=True)
def _cells_with(indices, indptr, cells, n_genes):  # type: ignore[no-untyped-def]
    """Count the chosen cells that have each gene."""
    numbers = np.zeros(n_genes, dtype=np.int64)
    for cell in np.flatnonzero(cells):
        for k in range(indptr[cell], indptr[cell + 1]):
            numbers[indices[k]] += 1
    return numbers


@njit(cache=True)
def _stored(indices, indptr, cells, column):  # type: ignore[no-untyped-def]
    """Count the values of each chosen cell in chosen columns."""
    chosen = np.flatnonzero(cells)
    sizes = np.zeros(len(chosen), dtype=np.int64)
    for i in range(len(chosen)):
        for k in range(indptr[chosen[i]], indptr[chosen[i] + 1]):
            sizes[i] += column[indices[k]] >= 0
    return sizes


@njit(cache=True)
def _copy(data, indices, indptr, cells, column, to_data, to_indices):  # type: ignore[no-untyped-def]
    """Copy the values of chosen cells in chosen columns."""
    to = 0
    for cell in np.flatnonzero(cells):
        for k in range(indptr[cell], indptr[cell + 1]):
            if column[indices[k]] >= 0:
                to_data[to], to_indices[to] = data[k], column[indices[k]]
                to += 1
