"""AnnData in zarr folders, which are checked before anything in them is unpacked."""

from __future__ import annotations

import contextlib
import json
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cisgrammar.common.errors import InputError
from cisgrammar.common.inputs import examples

if TYPE_CHECKING:
    import zarr

logger = logging.getLogger(__name__)

MOST_FILES = 1_000_000
_OF_ZARR = ("zarr.json", ".zgroup", ".zarray")
# What arrays may be packed with. One that zarr knows too, pickle, runs what is in the file.
_PACKERS = {
    "blosc", "bz2", "bytes", "crc32c", "delta", "gzip", "lz4", "lzma", "shuffle",
    "sharding_indexed", "transpose", "vlen-bytes", "vlen-utf8", "zlib", "zstd",
}  # fmt: skip


def is_zarr(path: Path) -> bool:
    """Tell whether a folder is written by zarr."""
    return any((path / name).is_file() for name in _OF_ZARR)


@contextlib.contextmanager
def open_zarr(path: Path) -> Iterator[zarr.Group]:
    """Open a zarr folder; what goes wrong inside becomes an InputError.

    Parameters
    ----------
    path
        The folder.

    Yields
    ------
    Its group, which reads as one of HDF5 does.

    Raises
    ------
    InputError
        If it leads out of itself, is packed in a way that is not known to be safe, lacks chunks,
        is damaged, or holds no AnnData.
    """
    import zarr

    _check_files(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            group = zarr.open_group(path, mode="r", use_consolidated=False)
            if "mod" not in group and not {"obs", "var"} <= set(group):
                raise InputError(_no_anndata(path, list(group)))
            _check_whole(path, group)
            yield group
    except (InputError, MemoryError):
        raise
    except Exception as error:  # a damaged folder can raise anything inside zarr and anndata
        logger.info("%s: while reading", path, exc_info=True)
        why = (str(error).strip("'\"").splitlines() or [type(error).__name__])[0][:150]
        raise InputError(
            f"{path}: the folder is zarr, but a part of it is missing or not as AnnData has it "
            f"({why}). It may be damaged or copied in part: fetch or write it again."
        ) from None


def _no_anndata(path: Path, there: list[str]) -> str:
    text = f"{path}: this zarr folder holds no AnnData (obs and var) but {examples(there, 6)}. "
    if "tables" in there:
        return text + f"It is SpatialData: name the table in it, as in {path}/tables/table."
    return text + "Write counts as AnnData (`write_zarr` or `write_h5ad`), and name that."


def _check_files(path: Path) -> None:
    """Look at each file's place, and at how arrays say they are packed; nothing is unpacked."""
    root = path.resolve()
    for n_files, file in enumerate(path.rglob("*"), start=1):
        if n_files > MOST_FILES:
            raise InputError(
                f"{path}: the folder has more than {MOST_FILES:,} files, as no AnnData has. Name "
                "the folder of one data set."
            )
        if not file.resolve().is_relative_to(root):
            raise InputError(
                f"{path}: {file.relative_to(path)} is not in this folder but leads to another "
                f"({str(file.resolve())[:100]}). Copy the folder whole (`cp -rL`)."
            )
        if file.name in _OF_ZARR:
            _check_packers(path, file)


def _check_packers(path: Path, file: Path) -> None:
    try:
        described = json.loads(file.read_bytes())
    except (ValueError, RecursionError):
        raise InputError(
            f"{path}: {file.relative_to(path)} is not JSON. The folder is damaged or was copied in "
            "part: fetch or write it again."
        ) from None
    if unknown := sorted(set(_packers(described)) - _PACKERS):
        raise InputError(
            f"{path}: {file.parent.relative_to(path)} is packed with {', '.join(unknown)[:100]}, "
            "which is not read here, as some such ways run what is in a file. Write it again with "
            "anndata's `write_zarr` or `write_h5ad`."
        )


def _packers(described: Any) -> Iterator[str]:
    """Name what an array, or the arrays in a shard, are packed with."""
    if isinstance(described, dict):
        for key in ("filters", "compressor", "codecs", "index_codecs"):
            its = described.get(key) or []
            for one in its if isinstance(its, list) else [its]:
                name = str(one.get("id", one.get("name"))) if isinstance(one, dict) else str(one)
                yield name.removeprefix("numcodecs.")
                if isinstance(one, dict):
                    yield from _packers(one.get("configuration"))


def _check_whole(path: Path, group: zarr.Group) -> None:
    """Check that no chunk of names and of sparse counts is missing: zarr reads it as zeros."""
    import zarr

    for name, array in group.members(max_depth=None):
        if not isinstance(array, zarr.Array):
            continue
        last = name.rpartition("/")[2]
        in_sparse = last in ("data", "indices", "indptr")
        if (in_sparse or last in ("_index", "index")) and array.nchunks_initialized < array.nchunks:
            raise InputError(
                f"{path}: {name} has {array.nchunks_initialized} of its {array.nchunks} chunks. "
                "The folder was copied in part: copy it again."
            )
