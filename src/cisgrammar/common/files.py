"""Files that are either whole or absent, and tables that are always written alike."""

from __future__ import annotations

import contextlib
import csv
import errno
import fcntl
import glob
import logging
import os
import platform
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal, TextIO

import numpy as np
import pandas as pd

from cisgrammar.common.errors import InputError

if TYPE_CHECKING:
    from anndata import AnnData

logger = logging.getLogger(__name__)

SIGNIFICANT_DIGITS = 6
MANY_VALUES = 100_000_000  # from here on a faster level of compression
LEAST_FREE = 50.0  # MB; the smallest results are as large

# Columns of our tables that hold names, labels or words, whatever these look like.
_OF_DATA = """cell cell_type population other batch category pool seed sequence name gene gene_name
peak region chosen_for chrom strand base"""
_OF_MOTIFS = """motif like example best_filter consensus target target_tfs orientation tf tfs sign
family best_family families first second cluster cluster_name term list annotation
Query_ID Target_ID Query_consensus Target_consensus Orientation"""
_OF_OURS = """about check embedding folds kmer labels level measure method metric note part per
score state status step which best_cell_type by_truth call variant gained lost label minus file
distance_window promoter_peak reason role ablation colour"""
TEXT = frozenset(f"{_OF_DATA} {_OF_MOTIFS} {_OF_OURS}".split())
# Those of them that are missing where they are empty.
OPTIONAL = frozenset({"target", "target_tfs", "orientation"})


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


def unusable_folder(path: str | Path) -> str | None:
    """Say why results cannot go to a folder, which may be still to come; None where they can."""
    path = Path(path)
    while not (path.exists() or path.is_symlink()) and path != path.parent:
        path = path.parent
    if not path.exists():
        return f"{path}: this is a link to nothing, where a folder should be. Take it away."
    if not path.is_dir():
        return f"{path}: this is a file, where a folder should be. Move it, or work elsewhere."
    if not os.access(path, os.W_OK | os.X_OK):
        return (
            f"{path}: you may not write to this folder. Look at its owner and mode (`ls -ld`), or "
            "work in another folder."
        )
    if (free := shutil.disk_usage(path).free / 1e6) < LEAST_FREE:
        return f"{path}: only {free:.0f} MB are free on this disk. Make room, or work elsewhere."
    return None


def write_table(table: pd.DataFrame, path: str | Path, index: bool = False) -> None:
    """Write a TSV: tab-separated, one header line, six significant digits.

    Columns of names and labels (:data:`TEXT`) are written as they stand, and left empty where
    there is none; in all others a missing value is ``NA``.

    Parameters
    ----------
    table
        Rows to write.
    path
        Where to; written whole or not at all.
    index
        Whether the index becomes the first column; it then needs a name.
    """
    words = [
        column
        for column, values in table.items()
        if column in TEXT
        and (values.dtype.kind not in "biufc" or (values.isna().all() and not index))
    ]
    texts = {
        column: table[column].astype(object).where(table[column].notna(), "") for column in words
    }
    with whole_file(path) as temporary:
        table.assign(**texts).to_csv(
            temporary,
            sep="\t",
            index=index,
            float_format=f"%.{SIGNIFICANT_DIGITS}g",
            na_rep="NA",
            lineterminator="\n",
        )


def read_table(
    path: str | Path, index_col: str | None = None, has: Mapping[str, Iterable[str]] | None = None
) -> pd.DataFrame:
    """Read a TSV that :func:`write_table` wrote.

    Parameters
    ----------
    path
        The table.
    index_col
        Column that becomes the index: names, as text.
    has
        Column -> the names that must be in it, each at least once, and no others: those of what
        the table belongs to.

    Returns
    -------
    Columns of names and labels (:data:`TEXT`) as the text they are, ``01`` and ``NA`` too; NaN
    where they are empty and may be (:data:`OPTIONAL`). In other columns ``NA`` is missing.

    Raises
    ------
    InputError
        If the table is cut short or damaged, or does not hold these names.
    """
    with _own_table(path) as (header, stream):
        words = [name for name in header if name in TEXT or name == index_col]
        missing = {name: ["NA"] for name in header if name not in words}
        table = pd.read_csv(
            stream,
            sep="\t",
            names=header,
            dtype=dict.fromkeys(words, str),
            keep_default_na=False,
            na_values=missing,
            index_col=False,
        )
        for column in sorted(OPTIONAL.intersection(words)):
            text = table[column].astype(object).where(table[column] != "", np.nan)
            table[column] = text.astype(float) if text.isna().all() else text  # as h5ad wants
        for column, names in (has or {}).items():
            require_names(path, table[column], names)
        return table if index_col is None else table.set_index(index_col)


def read_matrix(
    path: str | Path, rows: Iterable[str] | None = None, columns: Iterable[str] | None = None
) -> pd.DataFrame:
    """Read a table of numbers with a name for each row and each column, whatever the names.

    Parameters
    ----------
    path
        The table: :func:`write_table` wrote it with its index.
    rows, columns
        The names that must be there, and no others.

    Returns
    -------
    Numbers; index and columns are text.

    Raises
    ------
    InputError
        If the table is cut short or damaged, or does not hold these names.
    """
    with _own_table(path) as (header, stream):
        table = pd.read_csv(
            stream,
            sep="\t",
            header=None,
            names=range(len(header)),
            dtype=dict.fromkeys(range(1, len(header)), float) | {0: str},
            keep_default_na=False,
            na_values={column: ["NA"] for column in range(1, len(header))},
            index_col=0,
        )
        table = table.set_axis(pd.Index(header[1:]), axis=1).rename_axis(index=header[0])
        for found, names in ((table.index, rows), (table.columns, columns)):
            if names is not None:
                require_names(path, found, names)
        return table


def require_names(path: str | Path, found: Iterable[str], names: Iterable[str]) -> None:
    """Check that a file of an earlier job holds the names that it should.

    Raises
    ------
    InputError
        If there are fewer or others.
    """
    there, wanted = set(found), set(names)
    lacks, alien = len(wanted - there), len(there - wanted)
    findings = [f"it lacks {lacks:,} of {len(wanted):,} names"] if lacks else []
    findings += [f"{alien:,} of its names are unknown"] if alien else []
    if findings:
        raise damaged(path, " and ".join(findings))


def damaged(path: str | Path, finding: str) -> InputError:
    """Say that a file of an earlier job cannot be used, and what to do."""
    return InputError(
        f"{path}: {finding}. It was cut short or changed after it was made, or is of another run. "
        "Delete it and run again."
    )


@contextlib.contextmanager
def _own_table(path: str | Path) -> Iterator[tuple[list[str], TextIO]]:
    """Open a table of an earlier job after its header; what goes wrong says which table it is."""
    with Path(path).open("rb") as end:
        end.seek(-min(1, Path(path).stat().st_size), os.SEEK_END)
        if end.read() != b"\n":
            raise damaged(path, "its last line has no end")
    try:
        with Path(path).open(encoding="utf-8", newline="") as stream:
            yield next(csv.reader(stream, delimiter="\t")), stream
    except InputError:
        raise
    except (ValueError, KeyError, csv.Error) as error:  # what pandas raises is a ValueError
        why = (str(error).splitlines() or [type(error).__name__])[0]
        raise damaged(path, f"this is not the table that was written ({why})") from None


def write_h5ad(data: AnnData, path: str | Path) -> None:
    """Write an AnnData, compressed, whole or not at all."""
    level = 1 if getattr(data.X, "nnz", 0) >= MANY_VALUES else None
    with whole_file(path) as temporary:
        data.write_h5ad(temporary, compression="gzip", compression_opts=level)


def read_h5ad(path: str | Path, backed: Literal["r"] | None = None) -> AnnData:
    """Read an AnnData that :func:`write_h5ad` wrote.

    Parameters
    ----------
    path
        The file.
    backed
        ``r`` leaves the matrix in the file.

    Raises
    ------
    InputError
        If the file is cut short or damaged.
    """
    import anndata  # takes a second, and tables do without

    with own_hdf5(path, "the h5ad"):
        return anndata.read_h5ad(path, backed=backed)


@contextlib.contextmanager
def own_hdf5(path: str | Path, what: str) -> Iterator[None]:
    """Read an HDF5 file of an earlier job: it is looked through first, and what goes wrong is said.

    Parameters
    ----------
    path
        The file, which the caller opens.
    what
        What it should be, for the message: ``the h5ad``.

    Raises
    ------
    InputError
        If the file is cut short or damaged, or makes its library crash or hang.
    """
    from cisgrammar.common.hdf5_safety import OURS, look_through  # h5py; tables do without

    look_through(path, OURS)
    try:
        yield
    except (InputError, FileNotFoundError, PermissionError, MemoryError):
        raise
    except Exception as error:  # a damaged file can raise anything inside h5py and anndata
        why = (str(error).strip("'\"").splitlines() or [type(error).__name__])[0][:150]
        raise damaged(path, f"this is not {what} that was written ({why})") from None
