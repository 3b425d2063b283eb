"""Cells and the pools made of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import anndata as ad
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from cisgrammar.plots import style
from cisgrammar.plots.maps import bare_map, category_map


@style.styled
def umap_cells(
    cells: ad.AnnData, seeds: Iterable[str] = (), colours: Mapping[str, str] | None = None
) -> Figure:
    """Draw the UMAP of cells by cell type, the seeds of the pools marked.

    Parameters
    ----------
    cells
        ``cells.h5ad``: obs ``cell_type``, obsm ``X_umap``.
    seeds
        Names of the seed cells: obs ``seed`` of ``pools.h5ad``.
    colours
        Cell type to colour.

    Raises
    ------
    ValueError
        If there are no cells, no ``cell_type``, or a seed is not among the cells.
    """
    style.require(cells.obs, "umap_cells", ["cell_type"])
    points = np.asarray(cells.obsm["X_umap"], dtype=float)
    figure, axes = category_map(points, cells.obs["cell_type"], colours, dot=2)
    bare_map(axes, "UMAP")
    at = cells.obs_names.get_indexer(list(seeds))
    if (at < 0).any():
        raise ValueError(f"umap_cells: {(at < 0).sum()} of {at.size} seeds are not among the cells")
    if at.size:
        axes.scatter(points[at, 0], points[at, 1], s=1.6, c="black", lw=0, zorder=2.5)
        axes.set_title(
            f"{cells.n_obs:,} cells; black: the {at.size:,} seeds of the pools", loc="left"
        )
    return figure


@style.styled
def pool_purity(pools: ad.AnnData) -> Figure:
    """Draw, for each cell type, how pure its pools are: a box over the pools themselves.

    Parameters
    ----------
    pools
        ``pools.h5ad``: obs ``cell_type`` and ``purity``, the share of the pool's cells that are
        of its cell type.

    Raises
    ------
    ValueError
        If there are no pools or a column is missing.
    """
    style.require(pools.obs, "pool_purity", ["cell_type", "purity"])
    purity = pools.obs["purity"].astype(float).groupby(pools.obs["cell_type"].astype(str))
    names = list(purity.median().sort_values(kind="stable").index)
    labels = [f"{style.shorten(name, 38)} ({purity.get_group(name).size:,})" for name in names]
    figure = style.new_figure(style.ONE_COLUMN, 14 + max(len(names), 7) * 3.4)
    axes = figure.add_subplot()
    rng = np.random.default_rng(0)
    for y, name in enumerate(names):
        values = purity.get_group(name).to_numpy()
        jitter = y + rng.uniform(-0.3, 0.3, values.size)
        axes.scatter(values, jitter, s=2, c=style.PALETTE[0], alpha=0.5, lw=0, rasterized=True)
    axes.boxplot(
        [purity.get_group(name) for name in names],
        positions=range(len(names)),
        orientation="horizontal",
        widths=0.65,
        showfliers=False,
        medianprops={"color": style.PALETTE[3], "lw": 1.1},
        boxprops={"lw": 0.5},
        whiskerprops={"lw": 0.5},
        capprops={"lw": 0.5},
    )
    axes.set_yticks(range(len(names)), labels)
    axes.set(xlim=(0, 1.02), ylim=(-0.7, len(names) - 0.3))
    axes.set(xlabel="Purity (share of cells)", ylabel="Cell type (pools)")
    return figure


MEASURES = {
    "r2": "R² on held-out\nsequences",
    "sparsity": "Sparsity (share\nof zeros)",
    "purity": "Purity (share\nof cells)",
    "n_cell_types": "Cell types\nwith a pool",
    "influence_cv": "Spread of influence\n(coeff. of variation)",
}


@style.styled
def pool_size_sweep(sweep: pd.DataFrame) -> Figure:
    """Draw what depends on the number of cells in a pool: a panel a measure.

    Parameters
    ----------
    sweep
        cells_per_pool, measure (``r2``, ``sparsity``, ``purity``, ``n_cell_types``,
        ``influence_cv`` or any other name), value; several values (folds, pools) for each are
        drawn as dots around their mean.

    Raises
    ------
    ValueError
        If the table is empty or a column is missing.
    """
    style.require(sweep, "pool_size_sweep", ["cells_per_pool", "measure", "value"])
    measures = list(dict.fromkeys(sweep["measure"].astype(str)))
    rows, across = style.grid_shape(len(measures), 5)
    width = min(style.TWO_COLUMNS, max(style.ONE_COLUMN, 4 + 36 * across))
    figure = style.new_figure(width, 8 + 38 * rows)
    panels = figure.subplots(rows, across, squeeze=False).ravel()
    for panel, measure in zip(panels, measures, strict=False):
        table = sweep[sweep["measure"].astype(str) == measure]
        means = table.groupby("cells_per_pool")["value"].mean()
        panel.scatter(
            table["cells_per_pool"], table["value"], s=6, c=style.PALETTE[0], alpha=0.4, lw=0
        )
        panel.plot(means.index, means, color=style.PALETTE[3], marker="o", ms=2.5)
        panel.set_title(MEASURES.get(measure, measure.replace("_", " ").capitalize()))
        panel.locator_params(axis="x", nbins=4, integer=True)
        panel.margins(x=0.1)
    style.hide_unused(panels, len(measures))
    figure.supxlabel("Cells in a pool", fontsize=style.TEXT)
    return figure
