"""The formats of count matrices: told apart by content, each read by one module."""

from __future__ import annotations

from pathlib import Path

import h5py

from cisgrammar.common.errors import InputError
from cisgrammar.common.hdf5_safety import TIME_LIMIT, survive
from cisgrammar.common.inputs import examples, require_file
from cisgrammar.counts import hdf5, text
from cisgrammar.counts.carried import named_columns
from cisgrammar.counts.loom import read_loom
from cisgrammar.counts.raw import RawCounts
from cisgrammar.counts.zarr_folders import is_zarr, open_zarr

KEY = "counts.path"


def load(
    path: str | Path, *, matrix: str = "X", modality: str | None = None, sample: bool = False
) -> RawCounts:
    """Read a count matrix of any known format.

    Parameters
    ----------
    path
        The file or folder.
    matrix
        ``X``, ``raw`` or ``layers/<name>``; formats with one matrix have ``X`` only.
    modality
        ``rna`` or ``atac`` where a file holds both.
    sample
        Read names and labels and only a sample of the values, where the format
        allows it (HDF5).

    Raises
    ------
    InputError
        If there is no such file, or it is damaged or in no known format.
    """
    path = Path(path)
    if sample and h5py.is_hdf5(path):  # zarr has threads, without which a copy of the process hangs
        survive(path, lambda: _load(path, matrix, modality, sample=True), TIME_LIMIT)
    return _load(path, matrix, modality, sample)


def _load(path: Path, matrix: str, modality: str | None, sample: bool) -> RawCounts:
    if path.name.removesuffix(".gz").endswith("matrix.mtx") and path.is_file():
        path = path.parent
    kind = detect(path)
    if kind == "10x mtx":
        raw = text.read_10x_mtx(path, modality)
    elif kind == "table":
        raw = text.read_table(path)
    elif kind == "loom":
        raw = read_loom(path, matrix, sample)
    elif kind == "zarr":
        with open_zarr(path) as group:
            raw = hdf5.read_group(path, kind, group, matrix, modality, sample)
    else:
        raw = hdf5.read(path, kind, matrix=matrix, modality=modality, sample=sample)
    if matrix != "X" and kind not in ("h5ad", "h5mu", "loom", "zarr"):
        raise InputError(
            f"{path}: a {kind} file has one matrix only, so there is no `{matrix}`. "
            "Leave out `counts.matrix`."
        )
    raw.obs, raw.var = named_columns(path, raw.obs), named_columns(path, raw.var)
    if not len(raw.obs) or not len(raw.var):
        raise InputError(
            f"{path}: the matrix is empty: {len(raw.obs)} cells, {len(raw.var)} genes. "
            f"Name a file with counts in `{KEY}`."
        )
    return raw


def detect(path: Path) -> str:
    """Tell the format by content.

    ``h5ad``, ``h5mu``, ``loom``, ``10x h5``, ``10x mtx``, ``zarr`` or ``table``.

    Raises
    ------
    InputError
        If there is no such file, or it is HDF5 of another kind.
    """
    if path.is_dir():
        return "zarr" if is_zarr(path) else "10x mtx"
    require_file(path, KEY)
    if path.suffix.lower() in (".rds", ".rda", ".rdata", ".robj"):
        raise InputError(
            f"{path}: this is a file of R, which is not read here. Write its raw counts and "
            "cell labels to h5ad, with zellkonverter or SeuratDisk."
        )
    if not h5py.is_hdf5(path):
        if path.suffix in hdf5.SUFFIXES:
            with path.open("rb") as stream:
                start = stream.read(8)
            raise InputError(
                f"{path}: this is not an HDF5 file, whatever its name says: it starts with "
                f"{start!r}. A download has probably brought an error page or a compressed "
                "file: look into it, unpack it or fetch it again."
            )
        return "table"
    with hdf5.open_file(path) as file:
        if "mod" in file:
            return "h5mu"
        if "obs" in file and "var" in file:
            return "h5ad"
        if "row_attrs" in file and "col_attrs" in file:
            return "loom"
        if "matrix/barcodes" in file or any(
            isinstance(group, h5py.Group) and "barcodes" in group for group in file.values()
        ):
            return "10x h5"
        raise InputError(
            f"{path}: this HDF5 file is neither h5ad, h5mu, loom nor 10x h5 (it holds "
            f"{examples(file, 6)}). Name a file in one of these formats in `{KEY}`."
        )
