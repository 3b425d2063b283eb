"""Files that are either whole or absent, and tables that are always written alike."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import glob
import logging
import os
import platform
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pandas as pd

from cisgrammar.common.errors import InputError

if TYPE_CHECKING:
    from anndata import AnnData

logger = logging.getLogger(__name__)

SIGNIFICANT_DIGITS = 6


@contextlib.contextmanager
def whole_file(path: str | Path, *, shared: bool = False) -> Iterator[Path]:
    """Write to a temporary name beside ``path``; rename when all went well.

    What a killed job left of the same file is removed first.

    Parameters
    ----------
    path
        The file to make. Missing folders are made.
    shared
        Whether several jobs may make it at one time: nothing is removed then, and the last wins.

    Yields
    ------
    The temporary path, with the same suffixes, for the caller to write to.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    prefix, suffix = f".{path.stem}.partial-", "".join(path.suffixes)
    if not shared:
        for left in path.parent.glob(f"{glob.escape(prefix)}*{glob.escape(suffix)}"):
            left.unlink(missing_ok=True)  # by a job that was killed
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=prefix, suffix=suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@contextlib.contextmanager
def alone_with(path: str | Path) -> Iterator[None]:
    """Keep other processes away from a file that is written bit by bit.

    Who holds it is written beside it. The system releases what a killed process held.

    Raises
    ------
    InputError
        If another process has it, on this node or on another that shares the file system.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.held")
    with contextlib.ExitStack() as stack:
        handle = stack.enter_context(beside.open("a+"))
        _lock(handle, path)
        while os.fstat(handle.fileno()).st_nlink == 0:  # who had it before has just removed it
            handle = stack.enter_context(beside.open("a+"))
            _lock(handle, path)
        stack.callback(beside.unlink, missing_ok=True)
        job = os.environ.get("SLURM_JOB_ID")
        handle.truncate(0)
        handle.write(f"node {platform.node()}, process {os.getpid()}")
        handle.write(f", Slurm job {job}\n" if job else "\n")
        handle.flush()
        yield


def _lock(handle: IO[str], path: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.seek(0)
        raise InputError(
            f"{path}: another job is writing to it: {handle.read().strip()}. Most likely Snakemake "
            "was killed and its jobs were not. Wait until that job ends, or end it (`scancel`, "
            "`kill`), then call again."
        ) from None
    except OSError as error:
        if error.errno not in (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP):
            raise
        logger.warning("%s: this file system has no locks, so nothing guards it", path)


def write_table(table: pd.DataFrame, path: str | Path, index: bool = False) -> None:
    """Write a TSV: tab-separated, one header line, six significant digits.

    Parameters
    ----------
    table
        Rows to write.
    path
        Where to; written whole or not at all.
    index
        Whether the index becomes the first column; it then needs a name.
    """
    with whole_file(path) as temporary:
        table.to_csv(
            temporary,
            sep="\t",
            index=index,
            float_format=f"%.{SIGNIFICANT_DIGITS}g",
            na_rep="NA",
            lineterminator="\n",
        )


def read_table(path: str | Path, **kwargs: object) -> pd.DataFrame:
    """Read a TSV that :func:`write_table` wrote."""
    return pd.read_csv(path, sep="\t", keep_default_na=False, na_values=["NA"], **kwargs)


def write_h5ad(data: AnnData, path: str | Path) -> None:
    """Write an AnnData, compressed, whole or not at all."""
    with whole_file(path) as temporary:
        data.write_h5ad(temporary, compression="gzip")
