"""Counts in loom: genes x cells in HDF5, dense."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import scipy.sparse as sp

from cisgrammar.common.errors import InputError
from cisgrammar.common.inputs import examples
from cisgrammar.counts.hdf5 import open_file, sample_values
from cisgrammar.counts.raw import RawCounts

BLOCK_GENES = 512
GENE_IDS = ("Accession", "gene_ids", "Gene", "var_names")  # ids before names
CELL_IDS = ("CellID", "obs_names", "cell_id")


def read_loom(path: Path, matrix: str, sample: bool) -> RawCounts:
    """Read ``matrix`` (called ``X`` here) or a layer.

    Names of genes are in the row attribute ``Accession`` or ``Gene``, of cells
    in the column attribute ``CellID``. See :func:`cisgrammar.counts.load`.
    """
    with open_file(path) as file:
        where = "matrix" if matrix == "X" else matrix
        if where not in file:
            there = ["X", *(f"layers/{name}" for name in file.get("layers", ()))]
            raise InputError(
                f"{path}: there is no matrix `{matrix}`; there are {', '.join(there)}. "
                "Set `counts.matrix` to one of them."
            )
        obs = _attributes(path, file["col_attrs"], CELL_IDS)
        var = _attributes(path, file["row_attrs"], GENE_IDS)
        stored = file[where]
        if stored.shape != (len(var), len(obs)):
            raise InputError(
                f"{path}: `{matrix}` is {stored.shape[0]} x {stored.shape[1]}, but there are "
                f"{len(var)} genes and {len(obs)} cells. The file is damaged: write it again."
            )
        if sample:
            return RawCounts("loom", obs, var, sample_values(stored))
        blocks = [
            sp.csr_matrix(stored[i : i + BLOCK_GENES]) for i in range(0, len(var), BLOCK_GENES)
        ]
        counts = sp.vstack(blocks).T.tocsr()
        return RawCounts("loom", obs, var, counts.data, counts)


def _attributes(path: Path, group: h5py.Group, names: tuple[str, ...]) -> pd.DataFrame:
    """Read what is said of each row or column; the first of ``names`` becomes the index."""
    index = next((name for name in names if name in group), None)
    if index is None:
        raise InputError(
            f"{path}: none of the attributes {', '.join(names)} is in {group.name} (it has "
            f"{examples(group, 6)}), so nothing names the rows or columns. Write the loom file "
            "with one of them."
        )
    table = {name: _column(stored) for name, stored in group.items() if stored.ndim == 1}
    return pd.DataFrame(table).set_index(index, drop=False).rename_axis(None)


def _column(stored: h5py.Dataset) -> np.ndarray:
    return stored.asstr()[:].astype(object) if stored.dtype.kind in "SO" else stored[:]
