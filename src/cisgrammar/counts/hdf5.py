"""Counts in HDF5: h5ad, h5mu and Cell Ranger's h5."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import scipy.sparse as sp
from anndata.io import read_elem

from cisgrammar.common.errors import InputError
from cisgrammar.common.hdf5_safety import refuse_other_files
from cisgrammar.common.inputs import examples, nearest
from cisgrammar.counts.raw import RawCounts, features_of
from cisgrammar.counts.values import describe_values

logger = logging.getLogger(__name__)

SUFFIXES = {".h5ad", ".h5", ".h5mu", ".hdf5", ".loom"}
SAMPLE = 300_000  # values that preflight looks at
BLOCK_CELLS = 4096


@contextlib.contextmanager
def open_file(path: Path) -> Iterator[h5py.File]:
    """Open an HDF5 file; what goes wrong inside becomes an InputError.

    Raises
    ------
    InputError
        If the file is cut short or damaged, or lacks a part of its format.
    """
    try:
        with h5py.File(path, "r") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore", ad.OldFormatWarning)
            refuse_other_files(path, file)
            yield file
    except (InputError, MemoryError):
        raise
    except OSError as error:
        if "truncated" in str(error):
            finding, cause = "the file is cut short", "A download or copy did not end"
        else:
            finding, cause = f"the file cannot be read ({_brief(error)})", "It is damaged"
        raise InputError(f"{path}: {finding}. {cause}: fetch or write the file again.") from None
    except Exception as error:  # a damaged file can raise anything inside h5py and anndata
        logger.info("%s: while reading", path, exc_info=True)
        raise InputError(
            f"{path}: the file is HDF5, but a part of it is missing or not as its format wants "
            f"it ({_brief(error)}). It may be damaged or of another version: read and write it "
            "again with the program that made it."
        ) from None


def _brief(error: Exception) -> str:
    return (str(error).strip("'\"").splitlines() or [type(error).__name__])[0][:150]


def read(path: Path, kind: str, *, matrix: str, modality: str | None, sample: bool) -> RawCounts:
    """Read one of the HDF5 formats: see :func:`cisgrammar.counts.load`."""
    with open_file(path) as file:
        if kind == "10x h5":
            return _read_10x(path, file, modality, sample)
        return read_group(path, kind, file, matrix, modality, sample)


def read_group(
    path: Path, kind: str, file: h5py.Group, matrix: str, modality: str | None, sample: bool
) -> RawCounts:
    """Read AnnData, or one modality of MuData, out of an open file, or a folder of zarr alike."""
    several = "mod" in file
    group = _modality_group(path, file, modality) if several else file
    raw = _read_anndata(path, kind, group, matrix, sample)
    if not several and "feature_types" in raw.var:  # as scanpy reads a 10x h5
        keep = features_of(path, raw.var["feature_types"].astype(str).to_numpy(), modality)
        raw.var = raw.var[keep]
        if raw.matrix is not None and not keep.all():
            raw.matrix = raw.matrix[:, keep]
            raw.numbers = raw.matrix.data
    if several:
        raw.obs = _with_shared_columns(raw.obs, _read_frame(path, file["obs"]))
    return raw


def _with_shared_columns(obs: pd.DataFrame, shared: pd.DataFrame) -> pd.DataFrame:
    """Add what an h5mu says of cells outside its modalities; the modality's own columns win."""
    new = shared.columns.difference(obs.columns, sort=False)
    return obs.join(shared[~shared.index.duplicated()][new])


def _modality_group(path: Path, file: h5py.Group, modality: str | None) -> h5py.Group:
    modality = modality or "rna"
    if modality not in file["mod"]:
        raise InputError(
            f"{path}: there is no modality `{modality}` among {examples(file['mod'], 6)}."
            f"{nearest(modality, file['mod'])} Correct `counts.modality`."
        )
    return file["mod"][modality]


def _read_anndata(path: Path, kind: str, group: h5py.Group, matrix: str, sample: bool) -> RawCounts:
    where = {"raw": "raw/X"}.get(matrix, matrix)
    if where not in group:
        there = _matrices(group)
        raise InputError(
            f"{path}: there is no matrix `{matrix}`; there are {', '.join(there) or 'none'}."
            f"{nearest(matrix, there)} Set `counts.matrix` to one of them."
        )
    obs = _read_frame(path, group["obs"])
    var = _read_frame(path, group["raw/var" if matrix == "raw" else "var"])
    if sample:
        counts, values = None, sample_values(group[where])
    else:
        counts = _read_csr(group[where])
        values = counts.data
        if counts.shape != (len(obs), len(var)):
            raise InputError(
                f"{path}: `{matrix}` is {counts.shape[0]} x {counts.shape[1]}, but there are "
                f"{len(obs)} cells and {len(var)} genes. The file is damaged: write it again."
            )
    others = []
    if describe_values(values) != "counts":
        others = [m for m in _matrices(group) if m != matrix and _holds_integers(group, m)]
    return RawCounts(kind, obs, var, values, counts, others)


def _read_frame(path: Path, stored: h5py.Group | h5py.Dataset) -> pd.DataFrame:
    """Read obs or var; a column of a kind that anndata does not know is left out."""
    try:
        table = read_elem(stored)
    except Exception:  # anndata raises anything
        if "column-order" not in stored.attrs:
            raise
        columns = {}
        for name in stored.attrs["column-order"]:
            try:
                columns[name] = read_elem(stored[name])
            except Exception as error:
                logger.warning("%s: `%s` cannot be read: left out (%s)", path, name, _brief(error))
        table = pd.DataFrame(columns, index=read_elem(stored[stored.attrs["_index"]]))
    return table.set_axis(table.index.astype(str))


def _matrices(group: h5py.Group) -> list[str]:
    layers = [f"layers/{name}" for name in group.get("layers", ())]
    return ["X"] * ("X" in group) + ["raw"] * ("raw/X" in group) + layers


def _holds_integers(group: h5py.Group, matrix: str) -> bool:
    values = sample_values(group["raw/X" if matrix == "raw" else matrix])
    return describe_values(values) == "counts"


def sample_values(stored: h5py.Group | h5py.Dataset) -> np.ndarray:
    """Take values from the beginning, the middle and the end."""
    data = stored["data"] if _is_sparse(stored) else stored
    take = max(1, SAMPLE // 3 // int(np.prod(data.shape[1:], dtype=int) or 1))
    n = data.shape[0]
    starts = sorted({0, max(0, (n - take) // 2), max(0, n - take)})
    return np.concatenate([data[start : start + take].ravel() for start in starts])


def _is_sparse(stored: h5py.Group | h5py.Dataset) -> bool:
    return not hasattr(stored, "shape")


def _read_csr(stored: h5py.Group | h5py.Dataset) -> sp.csr_matrix:
    """Read a matrix as CSR; a dense one in blocks of cells, so that it is never whole in memory."""
    if _is_sparse(stored):
        counts = read_elem(stored).tocsr()
        # made anew, without a copy: in the file the two kinds of index may be of two types
        arrays = counts.data, counts.indices, counts.indptr
        counts = sp.csr_matrix(arrays, shape=counts.shape)
    else:
        blocks = [
            sp.csr_matrix(stored[i : i + BLOCK_CELLS])
            for i in range(0, stored.shape[0], BLOCK_CELLS)
        ]
        counts = sp.vstack(blocks, format="csr") if blocks else sp.csr_matrix(stored.shape)
    counts.sum_duplicates()
    return counts


def _read_10x(path: Path, file: h5py.File, modality: str | None, sample: bool) -> RawCounts:
    """Read Cell Ranger 3 and later (``matrix``) or 2 (one group per genome)."""
    if "matrix" in file:
        group, ids, names = file["matrix"], "features/id", "features/name"
        types = _texts(group["features/feature_type"])
    else:
        group, ids, names = _only_genome(path, file), "genes", "gene_names"
        types = np.full(len(group[ids]), "Gene Expression", dtype=object)
    keep = features_of(path, types, modality)
    var = pd.DataFrame(
        {"gene_name": _texts(group[names]), "feature_types": types}, index=_texts(group[ids])
    )[keep]
    obs = pd.DataFrame(index=_texts(group["barcodes"]))
    if sample:
        return RawCounts("10x h5", obs, var, sample_values(group["data"]))
    n_features, n_cells = group["shape"][:]
    # Stored column-compressed as features x cells, which is row-compressed as cells x features.
    counts = sp.csr_matrix(
        (group["data"][:], group["indices"][:], group["indptr"][:]), shape=(n_cells, n_features)
    )
    counts.sum_duplicates()
    counts = counts if keep.all() else counts[:, keep]
    return RawCounts("10x h5", obs, var, counts.data, counts)


def _only_genome(path: Path, file: h5py.File) -> h5py.Group:
    if len(file) > 1:
        raise InputError(
            f"{path}: the file holds several genomes ({', '.join(file)}). "
            "Write the one you want to a file of its own, with scanpy's `read_10x_h5(genome=...)`."
        )
    return next(iter(file.values()))


def _texts(stored: h5py.Dataset) -> np.ndarray:
    return stored.asstr()[:].astype(object)
