"""Which sequences train, validate and test in each fold, as `fold_splits` drew them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from cisgrammar.common.files import damaged, read_table

TRAIN, VALIDATION, TEST = "train", "validation", "test"


def read_folds(path: str | Path, sequences: Sequence[str]) -> pd.DataFrame:
    """Read what :func:`cisgrammar.data.fold_splits.split_folds` gave and was written.

    Parameters
    ----------
    path
        The table.
    sequences
        Names of the sequences that were split, in the data set's order.

    Raises
    ------
    InputError
        If it is cut short or damaged, or is not of these sequences.
    """
    table = read_table(path, has={"sequence": sequences})
    if table["sequence"].tolist() != list(sequences):
        raise damaged(path, "its sequences are in another order than in the data set")
    parts = table.drop(columns=["sequence", "chrom"], errors="ignore")
    if parts.empty or not parts.isin([TRAIN, VALIDATION, TEST]).all(axis=None):
        raise damaged(path, f"it holds something else than {TRAIN}, {VALIDATION} and {TEST}")
    return table


def rows_of(folds: pd.DataFrame, fold: int, part: str) -> np.ndarray:
    """Row numbers of one part of one fold, in the data set's order."""
    return np.flatnonzero((folds[f"fold{fold}"] == part).to_numpy())
