"""The check that sequences can be split into folds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from cisgrammar.checks.findings import Findings
from cisgrammar.checks.settings import InputFiles, Settings
from cisgrammar.data.fold_splits import split_folds
from cisgrammar.data.folds import TEST, TRAIN, VALIDATION


def check_folds(files: InputFiles, settings: Settings, found: Findings) -> None:
    """Check that the sequences can be split as asked for."""
    if settings.folds is not None and found.sequences is not None:
        parts = found.attempt(describe_folds, found.sequences, settings.folds)
        if parts is not None:
            found.add(*parts)


def describe_folds(sequences: pd.DataFrame, folds: Mapping[str, Any]) -> tuple[str, str]:
    """Split sequences as asked for, and say what comes of it.

    Parameters
    ----------
    sequences
        One row each, with a column ``chrom``.
    folds
        As for :func:`cisgrammar.data.folds.split_folds`, but for the seed.

    Returns
    -------
    ``folds``, and the parts of the first in words.

    Raises
    ------
    InputError
        As :func:`cisgrammar.data.folds.split_folds`.
    """
    parts = split_folds(sequences, **folds, seed=0)["fold0"].value_counts()
    number = "one fold" if folds["n_folds"] == 1 else f"{folds['n_folds']} folds; the first"
    sizes = f"{parts[TRAIN]:,} train, {parts[VALIDATION]:,} validate, {parts[TEST]:,} test"
    return "folds", f"{number}: of these sequences at most {sizes}"
