"""What the model says of motifs and pools: heat map and principal components."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import anndata as ad
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy.linalg import eigh

from cisgrammar.motifs.meme import Motif
from cisgrammar.plots import style
from cisgrammar.plots.heatmaps import Heatmap, logos_of
from cisgrammar.plots.maps import category_map


@style.styled
def influence_heatmap(
    z: pd.DataFrame,
    motifs: Sequence[Motif],
    influence: pd.DataFrame | None = None,
    n_top: int = 30,
    unit: str = "log10 counts",
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
    return Heatmap(
        z.loc[names],
        label="Influence (z-score)",
        logos=logos_of(motifs, names),
        bars=None if influence is None else influence.loc[names].mean(axis=1),
        bar_label=f"Mean influence\n({unit})",
    ).draw()


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
    products = centred @ centred.T  # small: rows x rows
    last = len(products) - 1
    variances, vectors = eigh(products, subset_by_index=(max(0, last - n + 1), last))
    variances = np.maximum(variances[::-1], 0)
    points = vectors[:, ::-1] * np.sqrt(variances)
    loadings = points.T @ centred
    signs = np.sign(loadings[np.arange(len(loadings)), np.abs(loadings).argmax(axis=1)])
    missing = max(0, n - len(signs))
    return (
        np.pad(points * np.where(signs == 0, 1, signs), ((0, 0), (0, missing))),
        np.pad(variances / max(np.trace(products), 1e-300), (0, missing)),
    )


@style.styled
def pools_pca(influence: ad.AnnData, colours: Mapping[str, str] | None = None) -> Figure:
    """Draw pools by the first two principal components of their influence scores.

    Parameters
    ----------
    influence
        ``influence.h5ad``: pools x motifs, obs ``cell_type``.
    colours
        Cell type to colour.

    Raises
    ------
    ValueError
        If there are no pools, no motifs, or no ``cell_type``.
    """
    style.require(influence.to_df(), "pools_pca")
    style.require(influence.obs, "pools_pca", ["cell_type"])
    points, share = principal_components(np.asarray(influence.X, dtype=float))
    figure, axes = category_map(points, influence.obs["cell_type"], colours, dot=8)
    axes.set_xlabel(f"PC1 ({share[0]:.0%} of variance)")
    axes.set_ylabel(f"PC2 ({share[1]:.0%} of variance)")
    return figure
