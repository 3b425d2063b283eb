"""Cell types and batches, under the names that the pipeline knows."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pandas as pd

from cisgrammar.common.errors import InputError
from cisgrammar.common.inputs import examples, nearest

logger = logging.getLogger(__name__)

UNLABELLED = "unlabelled"
ONE_BATCH = "all"

_CONTROL = r"[\x00-\x1f\x7f]+"


def standard_labels(
    path: str | Path, obs: pd.DataFrame, cell_type: str | None, batch: str | None
) -> pd.DataFrame:
    """Copy the configured columns to ``cell_type`` and ``batch``.

    Parameters
    ----------
    path
        The file, for messages.
    obs
        One row per cell.
    cell_type, batch
        Columns of obs; None: all cells get ``unlabelled``, ``all``.

    Returns
    -------
    obs with both columns, categorical. Cells without a label are ``unlabelled``.

    Raises
    ------
    InputError
        If a column is not there.
    """
    columns = {
        "cell_type": label_column(path, obs, cell_type, "counts.cell_type", UNLABELLED),
        "batch": label_column(path, obs, batch, "counts.batch", ONE_BATCH),
    }
    for name, source in (("cell_type", cell_type), ("batch", batch)):
        if name in obs and source != name:
            logger.warning("%s: the column `%s` gives way to the configured one", path, name)
    return obs.assign(**columns)


def label_column(
    path: str | Path, obs: pd.DataFrame, column: str | None, key: str, default: str
) -> pd.Categorical:
    """Read one label per cell as text; categories in natural order.

    Parameters
    ----------
    path, key
        The file and the config's key, for messages.
    obs
        One row per cell.
    column
        Its column; None gives every cell the default.
    default
        For cells without a label: a missing value or no letter at all.

    Raises
    ------
    InputError
        If the column is not there.
    """
    if column is None:
        return pd.Categorical([default] * len(obs))
    if column not in obs:
        there = (
            f"the columns are: {examples(obs.columns, 12)}" if len(obs.columns) else "obs is empty"
        )
        raise InputError(
            f"{path}: there is no column `{column}` for the cells (obs); {there}."
            f"{nearest(column, obs.columns)} Correct `{key}` in the config"
            f"{', or set it to null to go without.' if len(obs.columns) == 0 else '.'}"
        )
    values = obs[column]
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(values.cat.categories.dtype)
    if values.dtype.kind == "f" and (values.dropna() % 1 == 0).all():
        values = values.astype("Int64")  # clusters 0.0, 1.0, ... are called 0, 1, ...
    text = values.astype(object).where(values.notna(), "").astype(str)
    text = text.str.replace(_CONTROL, " ", regex=True)  # a tab or a new line would tear tables
    missing = (text == "").to_numpy()
    text = text.mask(missing, default)
    if missing.any():
        logger.warning("%s: %d cells have no `%s`: now %r", path, missing.sum(), column, default)
    return pd.Categorical(text, categories=sorted(text.unique(), key=natural_order))


def natural_order(text: str) -> list:
    """Sort key that puts cluster 10 after cluster 9."""
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in
            re.split(r"(\d+)", text) if part]  # fmt: skip
