"""Files that are either whole or absent, and tables that are always written alike."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from anndata import AnnData

SIGNIFICANT_DIGITS = 6


@contextlib.contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Write to a temporary name beside ``path``; rename when all went well.

    Parameters
    ----------
    path
        The file to make. Missing folders are made.

    Yields
    ------
    The temporary path, with the same suffixes, for the caller to write to.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(
        dir=path.parent, prefix=f".{path.stem}.", suffix="".join(path.suffixes)
    )
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
