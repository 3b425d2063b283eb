"""What files say of cells and genes beside what is asked for: carried along where it can be."""

from __future__ import annotations

import logging
from collections.abc import Hashable
from pathlib import Path

import numpy as np
import pandas as pd

logger = logging.getLogger(__name__)

RESERVED = {"_index"}  # anndata's own name for the index of a table


def named_columns(path: str | Path, table: pd.DataFrame) -> pd.DataFrame:
    """Give columns names that are text; of several of one name the first stays.

    Parameters
    ----------
    path
        The file, for the log.
    table
        One row per cell or gene.
    """
    table = table.set_axis(table.columns.astype(str), axis=1)
    again = table.columns.duplicated()
    if again.any():
        logger.warning(
            "%s: %d columns have the name of one before them and are left out: %s",
            path, again.sum(), ", ".join(table.columns[again].unique()[:5]),
        )  # fmt: skip
    return table.loc[:, ~again]


def writable(path: str | Path, table: pd.DataFrame) -> pd.DataFrame:
    """Make a table such that an h5ad can hold it; what cannot be held is left out.

    Parameters
    ----------
    path
        The file, for the log.
    table
        One row per cell or gene.

    Returns
    -------
    Numbers and truth values as they are, all else as text, missing values as such. Columns that
    hold other things (lists, tables) or have a name that h5ad reserves are left out, and named in
    the log.
    """
    table = named_columns(path, table).rename_axis(index=None, columns=None)
    kept: dict[Hashable, pd.Series] = {}
    for name, values in table.items():
        held = None if name in RESERVED else _held(values)
        if held is None:
            logger.warning("%s: the column `%s` cannot be kept and is left out", path, name)
        else:
            kept[str(name).replace("/", "_").replace("\0", " ")] = held
    names = table.index.str.replace("\0", " ")
    return pd.DataFrame(kept, index=table.index).set_axis(names)


def _held(values: pd.Series) -> pd.Series | None:
    """Give values of a kind that h5ad knows; None where they are not single values."""
    if isinstance(values.dtype, np.dtype) and values.dtype.kind in "biuf":
        wide = values.dtype.kind == "f" and values.dtype.itemsize not in (4, 8)
        return values.astype(np.float64) if wide else values
    of_text = isinstance(values.dtype, pd.CategoricalDtype) and values.cat.categories.inferred_type
    if of_text == "string":
        return values
    if values.dtype == object and not all(map(pd.api.types.is_scalar, values)):
        return None
    missing = values.isna()
    text = values.astype(object).where(~missing, "").astype(str)
    text = text.str.replace("\0", " ")  # HDF5 has no such letter
    return pd.Series(pd.Categorical(text.where(~missing)), index=values.index)
