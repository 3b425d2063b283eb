"""What the model says of motifs and pools: heat map and principal components."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import anndata as ad
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from cisgrammar.motifs.meme import Motif
from cisgrammar.plots import style
from cisgrammar.plots.heatmaps import Heatmap
from cisgrammar.plots.maps import category_map

FEW_COLUMNS = 5
FAINT = 0.1  # of the largest standard deviation over columns
LEAST_POOLS = 3  # for principal components to show more than a line


@style.styled
def influence_heatmap(
    z: pd.DataFrame,
    motifs: Sequence[Motif],
    influence: pd.DataFrame | None = None,
    n_top: int = 30,
    unit: str = "log10 counts",
    score: str = "influence",
    order: Sequence[str] = (),
) -> Figure:
    """Draw motif influence by cell type, logos beside the rows, both clustered.

    Parameters
    ----------
    z
        ``influence_by_cell_type_z.tsv``: index motif, one column a cell type.
    motifs
        Holds the logos of the rows; motifs without influence are passed over.
    influence
        ``influence_by_cell_type.tsv``, alike. Drawn as bars of its mean over cell types; the
        motifs whose influence differs most between cell types (standard deviation) are shown.
        Without it the first ``n_top`` rows of ``z`` are shown, and no bars.
    n_top
        The most rows to draw; 30 fill a page.
    unit
        The unit of influence, that of the model's targets.
    score
        What the numbers are: ``influence`` or ``effect``.
    order
        Cell types in the order of the columns; empty: that of their clustering.

    Raises
    ------
    ValueError
        If ``z`` is empty.
    """
    style.require(z, "influence_heatmap")
    names = z.index[:n_top]
    if influence is not None:
        spread = influence.loc[z.index].std(axis=1, ddof=0).fillna(0)
        names = spread.sort_values(ascending=False, kind="stable").index[:n_top]
    values, label = colours_of_heatmap(z.loc[names], influence, score, unit)
    return Heatmap(
        values,
        label=label,
        logos={motif.name: motif.matrix for motif in motifs},
        bars=None if influence is None else influence.loc[names].mean(axis=1),
        bar_label=f"Mean {score}\n({unit})",
        column_order=order,
    ).draw()


def colours_of_heatmap(
    z: pd.DataFrame, influence: pd.DataFrame | None, score: str, unit: str
) -> tuple[pd.DataFrame, str]:
    """Choose what a heat map's colours show, and its label.

    One column is shown as it is. Over fewer than :data:`FEW_COLUMNS` columns a z-score is high
    whatever the row does, so then it is the score itself, about the mean of its row. Otherwise it
    is z-scores; those of rows that hardly vary, below :data:`FAINT` of the row that varies most,
    are paler in proportion.
    """
    if influence is None:
        return z, f"{score.capitalize()} (z-score)"
    values = influence.loc[z.index, z.columns]
    if z.shape[1] == 1:
        return values, f"{score.capitalize()} ({unit})"
    about_mean = values.sub(values.mean(axis=1), axis=0)
    if z.shape[1] < FEW_COLUMNS:
        return about_mean, f"{score.capitalize()} about its mean ({unit})"
    spread = about_mean.pow(2).mean(axis=1).pow(0.5)
    share = (spread / max(FAINT * spread.max(), 1e-300)).clip(upper=1)
    return z.mul(share, axis=0), f"{score.capitalize()} (z-score)"


def principal_components(values: np.ndarray, n: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Project rows onto their first principal components.

    Parameters
    ----------
    values
        ``(rows, columns)``; centred here, not scaled.
    n
        Number of components.

    Returns
    -------
    Coordinates ``(rows, n)``, each component's largest loading positive, and the shares of
    variance ``(n,)``.
    """
    centred = values - values.mean(axis=0)
    wide = centred.shape[1] > centred.shape[0]
    variances, vectors = np.linalg.eigh(centred @ centred.T if wide else centred.T @ centred)
    variances, vectors = np.maximum(variances[::-1], 0)[:n], vectors[:, ::-1][:, :n]
    points = vectors * np.sqrt(variances) if wide else centred @ vectors
    loadings = points.T @ centred
    largest = loadings[np.arange(len(loadings)), np.abs(loadings).argmax(axis=1)]
    points = points * np.where(largest < 0, -1, 1)
    missing = n - len(variances)
    share = variances / max((centred**2).sum(), 1e-300)
    return np.pad(points, ((0, 0), (0, missing))), np.pad(share, (0, missing))


def pools_plane(influence: ad.AnnData) -> tuple[np.ndarray, np.ndarray]:
    """First two principal components of pools: those stored as scanpy does, or of ``X``.

    Raises
    ------
    ValueError
        If there are fewer than three pools, of which no plane can be told.
    """
    if influence.n_obs < LEAST_POOLS:
        raise ValueError(
            f"There are {influence.n_obs} pools (or targets). A map of them takes {LEAST_POOLS}."
        )
    if "pca" in influence.uns and np.shape(influence.obsm.get("X_pca", ()))[1:] > (1,):
        return influence.obsm["X_pca"][:, :2], influence.uns["pca"]["variance_ratio"][:2]
    return principal_components(np.asarray(influence.X, dtype=float))


@style.styled
def pools_pca(influence: ad.AnnData, colours: Mapping[str, str] | None = None) -> Figure:
    """Draw pools by the first two principal components of their influence scores.

    Parameters
    ----------
    influence
        ``influence.h5ad``: pools x motifs (or families), obs ``cell_type``; principal components
        that are stored with it are taken as they are.
    colours
        Cell type to colour.

    Raises
    ------
    ValueError
        If there are no pools, no motifs, or no ``cell_type``.
    """
    style.require(influence.to_df(), "pools_pca")
    style.require(influence.obs, "pools_pca", ["cell_type"])
    points, share = pools_plane(influence)
    figure, axes = category_map(points, influence.obs["cell_type"], colours, dot=8)
    axes.set_xlabel(f"PC1 ({share[0]:.0%} of variance)")
    axes.set_ylabel(f"PC2 ({share[1]:.0%} of variance)")
    return figure
