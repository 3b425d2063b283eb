"""What the cRE attention model learns from: genes with candidates, accessibility, expression."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
import torch
from anndata import AnnData
from scipy import sparse
from sklearn.neighbors import NearestNeighbors
from torch import Tensor

from cisgrammar.cells.components import log_normalised, log_pca, randomised_components
from cisgrammar.common.errors import InputError
from cisgrammar.common.seeds import derive_seed
from cisgrammar.data.folds import TEST, TRAIN, VALIDATION

PEAKS_AT_ONCE = 512
DENSE_SHARE = 0.1  # of peaks, which the width of a kernel reaches
MOST_SHIFTS = 500


class Accessibility(Protocol):
    """Accessibility of peaks, some at a time."""

    n_cells: int

    def of_peaks(self, peaks: np.ndarray, cells: Tensor | None = None) -> Tensor:
        """Give ``(cells, peaks)``, float32: of some peaks, in some cells or all."""
        ...


class Counted:
    """Peaks as they were measured: open or not.

    Parameters
    ----------
    is_open
        Cells x peaks, 0 and 1.
    """

    def __init__(self, is_open: sparse.csr_matrix) -> None:
        self._columns = is_open.tocsc()
        self.n_cells = is_open.shape[0]

    def of_peaks(self, peaks: np.ndarray, cells: Tensor | None = None) -> Tensor:
        """Give ``(cells, peaks)``."""
        dense = torch.from_numpy(self._columns[:, peaks].toarray().astype(np.float32))
        return dense if cells is None else dense[cells]


class Predicted:
    """Peaks as a model of single cells expects them.

    Parameters
    ----------
    embedding
        Descriptions of peaks: ``(peaks, described)``.
    weight
        Of cells: ``(cells, described)``.
    intercept
        Of cells.
    log_odds
        Whether to give log odds of being open in place of probabilities.
    """

    def __init__(
        self, embedding: Tensor, weight: Tensor, intercept: Tensor, log_odds: bool = False
    ) -> None:
        self._embedding, self._weight, self._intercept = embedding, weight, intercept
        self._log_odds = log_odds
        self.n_cells = len(weight)

    def of_peaks(self, peaks: np.ndarray, cells: Tensor | None = None) -> Tensor:
        """Give ``(cells, peaks)``."""
        weight = self._weight if cells is None else self._weight[cells]
        logits = weight @ self._embedding[torch.from_numpy(peaks)].T
        logits += (self._intercept if cells is None else self._intercept[cells])[:, None]
        return logits if self._log_odds else torch.sigmoid(logits)


def without_depth(
    embedding: Tensor, weight: Tensor, intercept: Tensor, log_odds: bool = False
) -> Predicted:
    """Take out what moves the logits of peaks that do not vary, so that these are all alike.

    Parameters
    ----------
    embedding, weight, intercept, log_odds
        As :class:`Predicted` has them.

    Notes
    -----
    Counts cannot tell a cell's depth from how many of its peaks are open: something has to stand
    still. The intercept holds only a part of both, as a cell's weights times whatever
    descriptions have in common are the rest. What stands still here is the description that most
    peaks are alike to, :func:`densest_description`, as size factors of RNA-seq rest on the genes
    that do not change (Anders & Huber 2010). A cell's logit of it gives way to the mean over cells.
    """
    still = densest_description(embedding, weight)
    level = (weight @ still + intercept).mean()
    return Predicted(embedding - still, weight, level.expand(len(weight)), log_odds)


def densest_description(embedding: Tensor, weight: Tensor) -> Tensor:
    """Find the description around which peaks are densest, by how alike their logits are.

    Parameters
    ----------
    embedding, weight
        As :class:`Predicted` has them.

    Returns
    -------
    ``(described,)``. Two descriptions are as far apart as the root mean square, over cells, of
    how their logits differ about the mean of cells. Where cells do not differ, the median.

    Notes
    -----
    Mean shift from the median (Fukunaga & Hostetler 1975), with a normal kernel that is as wide as
    the distance to the nearest tenth of peaks.
    """
    moving = (weight - weight.mean(dim=0)).double().numpy()
    sizes, directions = np.linalg.eigh(moving.T @ moving / len(moving))
    rounding = 1e-12 * float(weight.square().sum()) / len(weight)
    kept = sizes > max(1e-9 * sizes[-1], rounding)
    if not kept.any():
        return torch.from_numpy(np.median(embedding.numpy(), axis=0))
    lengths, directions = np.sqrt(sizes[kept]), directions[:, kept]
    places = embedding.double().numpy() @ directions * lengths
    centre = np.median(places, axis=0)
    for _ in range(MOST_SHIFTS):
        square = ((places - centre) ** 2).sum(axis=1)
        near = np.exp(-square / max(np.quantile(square, DENSE_SHARE), 1e-30))
        moved = near @ places / near.sum()
        done = np.abs(moved - centre).max() < 1e-6 * np.sqrt((lengths**2).sum())
        centre = moved
        if done:
            break
    return torch.from_numpy(directions @ (centre / lengths)).to(embedding.dtype)


class Scaled:
    """Accessibility with root mean square 1 over some cells: each peak's, or that of all.

    Parameters
    ----------
    accessibility
        As it is.
    n_peaks
        How many there are.
    cells
        By which it is scaled.
    centred
        Whether each peak's mean over these cells is then taken out. What is predicted has mean 0
        in each gene; without centring a network has to find each gene's level first.
    together
        Whether all peaks are scaled by one number, so that a peak that opens more may do more.

    Notes
    -----
    The published code divides each peak by the length of its vector over all cells and does not
    centre; the mean square does not depend on how many cells they are.
    """

    def __init__(
        self,
        accessibility: Accessibility,
        n_peaks: int,
        cells: Tensor,
        centred: bool,
        together: bool = False,
    ) -> None:
        self._accessibility, self.n_cells = accessibility, accessibility.n_cells
        means, squares = [], []
        for rows in np.array_split(np.arange(n_peaks), -(-n_peaks // PEAKS_AT_ONCE)):
            block = accessibility.of_peaks(rows, cells)
            means.append(block.mean(dim=0))
            squares.append(block.square().mean(dim=0))
        square = torch.cat(squares)
        square = square.mean().expand(n_peaks) if together else square
        self.scale = square.clamp(min=1e-12).rsqrt()
        self.mean = torch.cat(means) * centred

    def of_peaks(self, peaks: np.ndarray, cells: Tensor | None = None) -> Tensor:
        """Give ``(cells, peaks)``."""
        rows = torch.from_numpy(peaks)
        values = self._accessibility.of_peaks(peaks, cells)
        return (values - self.mean[rows]) * self.scale[rows]


@dataclass(frozen=True)
class Expression:
    """Expression of genes by what cells have in common.

    Parameters
    ----------
    components
        ``(cells, components)``.
    loadings
        ``(components, genes)``: their product is expression, in standard deviations of training
        cells about their mean, less what is shared.
    measured
        Cells x genes in the same unit, but not centred (CSR): ``measured - mean`` is centred.
    mean
        Of training cells: ``(genes,)``.
    shared
        ``(components, genes)``: the product with components moves all genes alike.
    """

    components: np.ndarray
    loadings: np.ndarray
    measured: sparse.csr_matrix
    mean: np.ndarray
    shared: np.ndarray

    def denoised(self, genes: np.ndarray) -> np.ndarray:
        """Rebuild genes from components: ``(cells, genes)``."""
        return self.components @ self.loadings[:, genes]

    def observed(self, genes: np.ndarray) -> np.ndarray:
        """Give genes as measured, about the mean of training cells: ``(cells, genes)``."""
        about = self.measured[:, genes].toarray() - self.mean[genes]
        return about - self.components @ self.shared[:, genes]


def learn_expression(
    counts: sparse.csr_matrix,
    train: np.ndarray,
    n_components: int,
    seed: int,
    relative: bool = False,
) -> Expression:
    """Scale genes and find components, by training cells alone; place all cells by them.

    Parameters
    ----------
    counts
        Cells x genes.
    train
        Rows of training cells.
    n_components
        Fewer than training cells and genes.
    seed
        Of the search for components.
    relative
        Whether what moves the genes that do not vary is taken out of all genes.

    Raises
    ------
    InputError
        If there are not more training cells and genes than components.

    Notes
    -----
    Murakami et al. (2025) scale genes by all cells, and project without centring what was
    centred to find the components. Here all is centred, by training cells. Counts tell how a gene
    compares with all others: where many rise, the rest seem to fall. With ``relative`` those stand
    still that most are alike to, as peaks do in :func:`without_depth`; the better half of genes
    is asked, as genes with hardly a count show no change, and is taken out of all in proportion
    to how their log(1 + x) answers.
    """
    n_most = min(len(train), counts.shape[1])
    if n_components >= n_most:
        raise InputError(
            f"links: {n_components} components of expression cannot be found in {len(train):,} "
            f"training cells and {counts.shape[1]:,} genes: there must be more of both. Lower "
            "`links.expression.components`, or check that cells and genes were not lost before."
        )
    values = log_normalised(counts.tocsr())
    of_train = values[train]
    mean = np.asarray(of_train.mean(axis=0)).ravel()
    square = np.asarray(of_train.multiply(of_train).mean(axis=0)).ravel()
    deviation = np.sqrt(np.maximum(square - mean**2, 0))
    factor = np.where(deviation > 1e-8, 1 / np.where(deviation > 1e-8, deviation, 1), 0)
    scaled = (values @ sparse.diags(factor.astype(np.float32))).tocsr()
    mean = mean * factor
    fitted = randomised_components(scaled[train], n_components, seed, centre=True)
    fitted = fitted.astype(np.float64)
    norm = np.maximum((fitted**2).sum(axis=0), 1e-12)
    back = scaled[train].T @ fitted - np.outer(mean, fitted.sum(axis=0))
    loadings = (back / norm).T
    components = scaled @ loadings.T - mean @ loadings.T
    shared = np.zeros_like(loadings)
    if relative:
        response = of_train.copy()
        response.data = -np.expm1(-response.data)  # of log(1 + x) to a change of log(x)
        response = np.asarray(response.mean(axis=0)).ravel()
        heard = response >= max(np.median(response), 1e-6)
        logs = np.ascontiguousarray((loadings * deviation)[:, heard].T / response[heard, None])
        still = densest_description(torch.from_numpy(logs), torch.from_numpy(components[train]))
        shared = np.outer(still.numpy(), response * factor)
    return Expression(
        components.astype(np.float32),
        (loadings - shared).astype(np.float32),
        scaled,
        mean.astype(np.float32),
        shared.astype(np.float32),
    )


def split_cells(n: int, shares: Mapping[str, float], seed: int) -> np.ndarray:
    """Draw which cells validate and test; the others train.

    Parameters
    ----------
    n
        Cells.
    shares
        ``validation`` and ``test``: shares of the cells.
    seed
        Of the draw.

    Returns
    -------
    ``train``, ``validation`` or ``test`` for each cell.
    """
    order = np.random.default_rng(derive_seed(seed, "cells of links")).permutation(n)
    n_test, n_validation = (round(n * shares[part]) for part in (TEST, VALIDATION))
    part = np.full(n, TRAIN, dtype=object)
    part[order[:n_test]] = TEST
    part[order[n_test : n_test + n_validation]] = VALIDATION
    return part


def pools_of_cells(components: np.ndarray, n_pools: int, size: int, seed: int) -> sparse.csr_matrix:
    """Pool cells with the cells most like them.

    Parameters
    ----------
    components
        ``(cells, components)``.
    n_pools, size
        Pools, around cells that are drawn, and cells of each.
    seed
        Of the draw.

    Returns
    -------
    ``(pools, cells)``: each row is a mean.
    """
    n = len(components)
    n_pools, size = min(n_pools, n), min(size, n)
    rng = np.random.default_rng(derive_seed(seed, "pools of links"))
    centres = np.sort(rng.choice(n, n_pools, replace=False))
    search = NearestNeighbors(n_neighbors=size, algorithm="brute").fit(components)
    members = search.kneighbors(components[centres], return_distance=False)
    rows = np.repeat(np.arange(n_pools), size)
    values = np.full(n_pools * size, 1 / size)
    return sparse.csr_matrix((values, (rows, members.ravel())), (n_pools, n))


def pools_by_expression(
    cells: AnnData,
    counts: AnnData,
    genes: Iterable[str],
    n_components: int,
    *,
    n_pools: int,
    size: int,
    seed: int,
) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
    """Give some genes' expression in the cells with peaks, and pools of cells alike in all genes.

    Parameters
    ----------
    cells, counts
        The same cells x peaks and x genes.
    genes
        Names.
    n_components, n_pools, size, seed
        As for :func:`pools_of_cells`; fewer components where there are few cells or genes.

    Returns
    -------
    Logarithms, cells x genes, and means over cells, pools x cells.
    """
    matrix = sparse.csr_matrix(counts.X[counts.obs_names.get_indexer(cells.obs_names)])
    n_components = min(n_components, min(matrix.shape) - 1)
    components = log_pca(matrix, n_components, derive_seed(seed, "links"), exact=False)
    pools = pools_of_cells(components, n_pools, size, seed)
    columns = counts.var_names.get_indexer(list(genes))
    return log_normalised(matrix)[:, columns], pools


def describe_peaks(cells: AnnData) -> pd.DataFrame:
    """Give chrom, accessibility (share of open cells) and gc (share of the sequence) of peaks."""
    codes = cells.varm["codes"]
    is_gc = (codes == 1) | (codes == 2)
    return pd.DataFrame(
        {
            "chrom": cells.var["chrom"].astype(str),
            "accessibility": np.asarray(cells.X.mean(axis=0)).ravel(),
            "gc": is_gc.mean(axis=1),
        },
        index=cells.var_names,
    )
