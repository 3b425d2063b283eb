"""What a model of single cells has to beat on peaks that it never saw: k-mers, and no network."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from anndata import AnnData
from scipy import sparse
from threadpoolctl import threadpool_limits

from cisgrammar.cells.components import randomised_components
from cisgrammar.data.cells_by_peaks import some_cells_at_a_time
from cisgrammar.data.folds import TEST, TRAIN, VALIDATION, rows_of
from cisgrammar.evaluate.baselines import FoldData, predict
from cisgrammar.evaluate.held_out import score_products, with_names

COMPONENTS = 16  # more are noise to k-mers: on the built-in multiome 32 predict no better
MOST_CELLS = 20_000  # of more, so many are taken, evenly spaced: what is held grows with cells


def score_kmers(
    dataset: AnnData, folds: pd.DataFrame, fold: int, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Score what :func:`predict_by_kmers` predicts of a fold's test peaks.

    Returns
    -------
    As from :func:`~cisgrammar.evaluate.held_out.score_test_part`, of at most ``MOST_CELLS`` cells.
    """
    if dataset.n_obs > MOST_CELLS:
        dataset = dataset[:: -(-dataset.n_obs // MOST_CELLS)].to_memory()
    predicted, cells = (
        torch.from_numpy(part) for part in predict_by_kmers(dataset, folds, fold, seed)
    )
    test = rows_of(folds, fold, TEST)
    scores = score_products(predicted, cells, torch.zeros(len(cells)), dataset.X, test)
    return with_names(scores, dataset, test)


def predict_by_kmers(
    dataset: AnnData, folds: pd.DataFrame, fold: int, seed: int, components: int = COMPONENTS
) -> tuple[np.ndarray, np.ndarray]:
    """Predict a fold's test peaks in each cell by ridge regression on k-mers.

    Cells are described by the leading singular vectors of the training peaks, depth included. How a
    peak lies along each of them is regressed on its k-mers; features and penalty are those that
    predict the validation peaks best.

    Parameters
    ----------
    dataset
        accessibility.h5ad: cells x peaks, ``varm["codes"]``; counts may stay in the file.
    folds, fold
        The peaks' folds, and which.
    seed
        Of the search for components, and of the choice of k-mers.
    components
        At most so many numbers describe a cell.

    Returns
    -------
    float32 ``(test peaks, n)`` and ``(cells, n)``: their product is the higher, the more probably
    the peak is open in the cell.
    """
    train, validation, test = (rows_of(folds, fold, part) for part in (TRAIN, VALIDATION, TEST))
    known = np.concatenate([train, validation])
    is_open = sparse.vstack(
        [part[:, known] for part in some_cells_at_a_time(dataset.X)], format="csr"
    )
    fitted = sparse.csr_matrix(is_open[:, : len(train)])
    n = min(components, min(fitted.shape) - 1)
    found = randomised_components(fitted, n, seed, centre=False).astype(np.float64)
    with threadpool_limits(1):  # BLAS cuts products by the number of threads
        cells, _ = np.linalg.qr(found)
    along = np.zeros((dataset.n_vars, n), dtype=np.float32)
    along[known] = is_open.T @ cells
    data = FoldData(dataset.varm["codes"], along, train, validation, test, seed=seed)
    return predict("kmer_ridge", data), cells.astype(np.float32)
