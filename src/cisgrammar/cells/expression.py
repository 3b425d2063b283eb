"""Expression of single cells, as correlations take it."""

from __future__ import annotations

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

PER_CELL = 1e4  # counts


def log_expression(counts: AnnData, cells: pd.Index) -> sparse.csr_matrix:
    """Take the logarithms of counts per 10,000 of some cells.

    Parameters
    ----------
    counts
        Cells x genes, raw counts.
    cells
        Which cells, in which order.

    Returns
    -------
    ln(1 + counts per 10,000), float32 ``(cells, genes)``, sparse.

    Raises
    ------
    ValueError
        If a cell is not among the counts.
    """
    rows = counts.obs_names.get_indexer(cells)
    if (rows < 0).any():
        raise ValueError(f"{(rows < 0).sum()} of {len(cells)} cells have no counts of genes")
    matrix = sparse.csr_matrix(counts.X)[rows].astype(np.float32)
    depth = np.maximum(matrix.sum(axis=1, dtype=np.float64).A1, 1)
    matrix.data *= np.repeat(PER_CELL / depth, np.diff(matrix.indptr)).astype(np.float32)
    return matrix.log1p()
