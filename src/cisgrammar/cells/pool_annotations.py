"""Numbers of cells, such as pseudotime, against the influence of motif families."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import scanpy as sc
from anndata import AnnData

from cisgrammar.common.errors import InputError, Problems
from cisgrammar.common.notes import Notes
from cisgrammar.common.statistics import MIN_OBSERVATIONS, benjamini_hochberg, spearman

MIN_SHARE_CELLS = 100 / 120  # the paper's rule: 100 of the 120 cells of a pool
logger = logging.getLogger(__name__)


def pool_annotation(
    cells: pd.DataFrame,
    column: str,
    members: pd.DataFrame,
    pools: Sequence[str],
    min_share: float = MIN_SHARE_CELLS,
) -> pd.Series:
    """Average a numeric annotation of cells over each pool.

    Parameters
    ----------
    cells
        obs of cells.h5ad.
    column
        A numeric column of it; missing values allowed.
    members
        cells_in_pools.tsv: columns pool, cell.
    pools
        The pools wanted, in order.
    min_share
        Share of a pool's cells that must have a value.

    Returns
    -------
    Means scaled so that the lowest pool is 0 and the highest 1; NaN for pools
    with too few annotated cells.

    Raises
    ------
    InputError
        If the column is missing or not numeric, or fewer than four pools have
        enough annotated cells.

    Notes
    -----
    Hepkema et al. (2023), Methods, "Pseudotime analysis".
    """
    numeric = [name for name in cells if pd.api.types.is_numeric_dtype(cells[name])]
    if column not in numeric:
        what = "is not numeric" if column in cells else "is not there"
        raise InputError(
            f"annotation {column!r}: {what}. The numeric columns of the cells are "
            f"{', '.join(numeric) or 'none'}."
        )
    values = cells[column].astype(float).replace([np.inf, -np.inf], np.nan)
    placed = pd.DataFrame(
        {"pool": members["pool"].to_numpy(), "value": values.reindex(members["cell"]).to_numpy()}
    )
    by_pool = placed.groupby("pool")["value"].agg(["mean", "count", "size"]).reindex(pools)
    share = by_pool["count"] / by_pool["size"]
    # 100 of 120 cells are enough for 100 / 120, whatever the last binary digit
    means = by_pool["mean"].where(share >= min_share - 1e-9)
    n_enough = means.notna().sum()
    if n_enough < MIN_OBSERVATIONS:
        raise InputError(
            f"annotation {column!r}: {values.notna().sum()} of {len(values)} cells have a value, "
            f"and {n_enough} of {len(means)} pools have one for at least {min_share:.0%} of their "
            f"cells (the fullest for {share.max():.0%}); {MIN_OBSERVATIONS} pools are needed. "
            "Lower the share asked for, or annotate more cells."
        )
    logger.info("%s: %d of %d pools have enough annotated cells", column, n_enough, len(means))
    span = means.max() - means.min()
    return ((means - means.min()) / (span if span > 0 else 1)).rename(column)


def correlate_annotations(families: AnnData, annotations: pd.DataFrame) -> pd.DataFrame:
    """Correlate annotations of pools with the influence of families.

    Parameters
    ----------
    families
        Pools x families, influence.
    annotations
        Pool x annotation; missing values are left out, annotation by annotation.

    Returns
    -------
    One row an annotation and family, in their order: annotation, family, n_pools,
    rho (Spearman), p, fdr (Benjamini-Hochberg over all).
    """
    tables = []
    for name, values in annotations.loc[families.obs_names].items():
        there = values.notna().to_numpy()
        rho, p = spearman(values[there].to_numpy()[:, None], np.asarray(families.X)[there])
        table = pd.DataFrame({"annotation": name, "family": families.var_names})
        tables.append(table.assign(n_pools=there.sum(), rho=rho[0], p=p[0]))
    if not tables:
        return pd.DataFrame(columns=["annotation", "family", "n_pools", "rho", "p", "fdr"])
    table = pd.concat(tables, ignore_index=True)
    return table.assign(fdr=benjamini_hochberg(table["p"].to_numpy()))


def diffusion_pseudotime(
    cells: AnnData,
    root: str,
    column: str = "cell_type",
    within: Sequence[str] | None = None,
    n_neighbors: int = 15,
    seed: int = 0,
) -> pd.Series:
    """Order cells by their distance from a root cell type.

    Parameters
    ----------
    cells
        With ``obsm["X_pca"]``.
    root
        The cell type where the trajectory starts; its most central cell is time 0.
    column
        Of obs, with the cell types.
    within
        Cell types on the trajectory; all by default.
    n_neighbors
        Of the graph.
    seed
        Of the starting point of the eigenvectors.

    Returns
    -------
    Pseudotime of every cell, in the order of ``cells``; NaN for cells outside the
    trajectory or that cannot be reached.

    Raises
    ------
    InputError
        If a cell type is not there.

    Notes
    -----
    Haghverdi et al. (2016), as scanpy computes it.
    """
    types = cells.obs[column].astype(str)
    problems = Problems()
    for name in dict.fromkeys([root, *(within or [])]):
        if not (types == name).any():
            problems.add(
                f"pseudotime: {name!r} is no {column}. There are "
                f"{', '.join(sorted(types.unique()))}."
            )
    problems.raise_if_any()
    chosen = types.isin([root, *within]) if within else pd.Series(True, types.index)
    graph = AnnData(obs=pd.DataFrame(index=cells.obs_names[chosen]))
    graph.obsm["X_pca"] = np.asarray(cells.obsm["X_pca"])[chosen]
    is_root = np.flatnonzero((types[chosen] == root).to_numpy())
    place = graph.obsm["X_pca"][is_root]
    centre = np.linalg.norm(place - place.mean(axis=0), axis=1).argmin()
    # Exact neighbours and no UMAP weights: nothing random, nothing to compile.
    sc.pp.neighbors(graph, n_neighbors, use_rep="X_pca", method="gauss", transformer="sklearn")
    sc.tl.diffmap(graph, random_state=seed)
    graph.uns["iroot"] = is_root[centre]
    sc.tl.dpt(graph)
    time = graph.obs["dpt_pseudotime"].replace([np.inf, -np.inf], np.nan)
    logger.info("pseudotime: %d of %d cells have one", time.notna().sum(), cells.n_obs)
    return time.reindex(cells.obs_names).astype(float).rename("pseudotime")


def annotate_pools(
    cells: AnnData,
    members: pd.DataFrame,
    pools: pd.Index,
    *,
    columns: Sequence[str],
    min_share: float,
    pseudotime: Mapping[str, Any] | None,
    seed: int,
    notes: Notes,
) -> pd.DataFrame:
    """Average every configured annotation over pools.

    Parameters
    ----------
    cells
        cells.h5ad.
    members, pools, min_share
        As for :func:`pool_annotation`.
    columns
        Numeric columns of obs.
    pseudotime
        ``root`` and ``within`` of :func:`diffusion_pseudotime`; None computes none.
    seed
        Seed of the pseudotime.
    notes
        An annotation that cannot be pooled is left out and noted here.

    Returns
    -------
    Pool x annotation.
    """
    obs = cells.obs.copy()
    wanted = list(columns)
    if pseudotime is not None:
        make = partial(diffusion_pseudotime, cells, **pseudotime, seed=seed)
        computed = notes.attempt("annotations", make, None)
        if computed is not None:
            obs["pseudotime"] = computed
            wanted.append("pseudotime")
    table = pd.DataFrame(index=pd.Index(pools, name="pool"))
    for column in wanted:
        make = partial(pool_annotation, obs, column, members, list(pools), min_share)
        values = notes.attempt("annotations", make, None)
        if values is not None:
            table[column] = values.to_numpy()
    return table
