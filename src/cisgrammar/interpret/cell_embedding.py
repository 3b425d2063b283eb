"""Cells by what the model learned of them: embedding, depth, clusters, maps."""

from __future__ import annotations

import numpy as np
import pandas as pd
import scanpy as sc
import torch
from anndata import AnnData

from cisgrammar.common.statistics import pearson
from cisgrammar.models.abilities import EmbedsCells
from cisgrammar.models.prediction import embed_sequences

KEY = "X_scbasset"
MAX_PEAKS = 2000  # whose logits set cells apart


def cell_embedding(
    model: EmbedsCells, obs: pd.DataFrame, codes: np.ndarray, of: str = "logits"
) -> AnnData:
    """Take the cells' embedding out of a model.

    Parameters
    ----------
    model
        A trained model.
    obs
        The cells, in the order of the model's outputs.
    codes
        Peaks, uint8 ``(peaks, length)``.
    of
        ``logits``: weights along :func:`axes_of_logits` of the peaks; ``weights``: as they are.

    Returns
    -------
    Cells without variables: ``obsm["X_scbasset"]`` ``(cells, bottleneck)`` float32, and obs with
    the column ``intercept``.

    Notes
    -----
    Yuan & Kelley (2022), Methods: the weights of the last layer, as ``weights`` has them. With
    batch correction these are the cells' own weights, without those of their batch.
    """
    weight = model.head.weight.detach().cpu().numpy()
    intercept = model.head.bias.detach().cpu().numpy()
    cells = AnnData(obs=obs.assign(intercept=intercept.astype(np.float64)))
    if of == "logits":
        weight = (weight @ axes_of_logits(model, codes)).astype(np.float32)
    cells.obsm[KEY] = np.ascontiguousarray(weight)
    return cells


def axes_of_logits(model: EmbedsCells, codes: np.ndarray) -> np.ndarray:
    """Give axes in which cells are as far apart as their logits are.

    Parameters
    ----------
    model
        A trained model.
    codes
        Peaks, uint8 ``(peaks, length)``; of more than 2,000, as many are taken, evenly spaced.

    Returns
    -------
    ``(bottleneck, bottleneck)``, the longest axis first. Weights times axes: the distance of two
    cells is the standard deviation, over peaks, of the difference of their logits.

    Notes
    -----
    Weights as they are count each number of the bottleneck alike, also one that hardly differs
    between peaks, or that repeats another. Along such a direction weights change no prediction;
    they are what they started with, and the noise of training.
    """
    some = np.linspace(0, len(codes) - 1, min(len(codes), MAX_PEAKS)).astype(int)
    sequences = embed_sequences(model, torch.from_numpy(np.ascontiguousarray(codes[some])))
    values, axes = np.linalg.eigh(np.cov(sequences.double().numpy().T))
    axes *= np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(len(axes))])
    return (axes * np.sqrt(values.clip(0)))[:, ::-1]


def lay_out(
    cells: AnnData,
    *,
    key: str = KEY,
    n_neighbors: int = 15,
    resolution: float = 1.0,
    umap_min_dist: float = 0.5,
    perplexity: float = 30.0,
    seed: int,
) -> None:
    """Add neighbours, Leiden clusters, a UMAP and a t-SNE of an embedding, in place.

    Parameters
    ----------
    cells
        Gets ``obs["leiden"]``, ``obsm["X_umap"]``, ``obsm["X_tsne"]`` and scanpy's neighbours.
    key
        Of the embedding in ``cells.obsm``.
    n_neighbors
        Of each cell; scanpy's default, as published.
    resolution
        Leiden's: larger gives more clusters.
    umap_min_dist
        Smallest distance of points in the UMAP.
    perplexity
        Of the t-SNE; a third of the cells at most.
    seed
        Of everything random.
    """
    add_neighbours(cells, key, n_neighbors, seed)
    cluster(cells, resolution, seed)
    sc.tl.umap(cells, min_dist=umap_min_dist, random_state=seed)
    perplexity = min(perplexity, (cells.n_obs - 1) / 3)
    sc.tl.tsne(cells, use_rep=key, perplexity=perplexity, random_state=seed)


def add_neighbours(cells: AnnData, key: str, n_neighbors: int, seed: int) -> None:
    """Add exact neighbours in an embedding, as scanpy keeps them."""
    sc.pp.neighbors(
        cells, n_neighbors=min(n_neighbors, cells.n_obs - 1), use_rep=key,
        transformer="sklearn", random_state=seed,
    )  # fmt: skip


def cluster(cells: AnnData, resolution: float, seed: int) -> None:
    """Add Leiden clusters of the neighbours: ``obs["leiden"]``."""
    sc.tl.leiden(
        cells, resolution, random_state=seed, flavor="igraph", n_iterations=2, directed=False
    )


def depth_against_intercept(cells: AnnData, n_open: np.ndarray) -> tuple[pd.DataFrame, float]:
    """Set a cell's depth against its intercept.

    Parameters
    ----------
    cells
        From :func:`cell_embedding`.
    n_open
        Open peaks of each cell.

    Returns
    -------
    table
        Columns cell, cell_type, log10_open, intercept.
    r
        Pearson's, of the two.

    Notes
    -----
    Yuan & Kelley (2022), Supplementary Fig. 4: close to 1 where the embedding is free of depth.
    """
    log_open, intercept = np.log10(n_open), cells.obs["intercept"].to_numpy()
    names = {"cell": cells.obs_names, "cell_type": cells.obs["cell_type"].astype(str).to_numpy()}
    table = pd.DataFrame({**names, "log10_open": log_open, "intercept": intercept})
    return table, float(pearson(log_open, intercept))
