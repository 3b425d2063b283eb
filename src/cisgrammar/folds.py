"""Which sequences train, validate and test in each fold."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupKFold, GroupShuffleSplit, KFold, ShuffleSplit

from cisgrammar.errors import InputError
from cisgrammar.seeds import derive_seed

TRAIN, VALIDATION, TEST = "train", "validation", "test"


def split_folds(
    sequences: pd.DataFrame, *, n_folds: int, validation: float, by: str, seed: int
) -> pd.DataFrame:
    """Split sequences into folds, each with a training, validation and test part.

    Parameters
    ----------
    sequences
        One row per sequence, in the data set's order, with a column ``chrom``.
    n_folds
        Number of folds; every sequence is in exactly one test part.
    validation
        Share of what is not in the test part that validates: of its sequences, or of its
        chromosomes where those are kept together.
    by
        ``random``, or ``chromosome``: a chromosome is then never shared
        between the parts of a fold.
    seed
        Seed of the shuffles.

    Returns
    -------
    Columns ``sequence``, ``chrom`` and ``fold0`` ...: ``train``, ``validation`` or ``test``.

    Raises
    ------
    InputError
        If there are too few sequences or chromosomes to fill every part of every fold.

    Notes
    -----
    Hepkema et al. (2023), Methods, "Training the neural network": 10 folds,
    the rest 80 / 20. Unlike the original, shuffled and seeded.
    """
    n = len(sequences)
    chroms = sequences["chrom"].to_numpy().astype(str)
    _check_sizes(n if by == "random" else len(set(chroms)), n_folds, validation, by)
    table = pd.DataFrame({"sequence": sequences.index, "chrom": chroms})
    outer_seed = derive_seed(seed, "folds")
    groups = None if by == "random" else chroms
    outer = (KFold if groups is None else GroupKFold)(
        n_folds, shuffle=True, random_state=outer_seed
    )
    for fold, (rest, test) in enumerate(outer.split(np.zeros(n), groups=groups)):
        inner_class = ShuffleSplit if groups is None else GroupShuffleSplit
        inner = inner_class(1, test_size=validation, random_state=derive_seed(seed, "inner", fold))
        inner_groups = None if groups is None else groups[rest]
        _, held = next(inner.split(np.zeros(len(rest)), groups=inner_groups))
        part = np.full(n, TRAIN, dtype=object)
        part[test] = TEST
        part[rest[held]] = VALIDATION
        table[f"fold{fold}"] = part
    return table


def _check_sizes(units: int, n_folds: int, validation: float, by: str) -> None:
    """Refuse splits that would leave a part empty; units are sequences or chromosomes."""
    rest = units - math.ceil(units / n_folds)
    if units >= n_folds and math.ceil(validation * rest) < rest:
        return
    what = "sequences" if by == "random" else "chromosomes"
    raise InputError(
        f"folds: {n_folds} folds, with {validation:g} of what is not tested for validation, were "
        f"asked for, but there are only {units} {what}, too few to train, validate and test in "
        "every fold. Lower `folds.n_folds` or `folds.validation`"
        + (", or set `folds.by: random`." if by == "chromosome" else ".")
    )


def rows_of(folds: pd.DataFrame, fold: int, part: str) -> np.ndarray:
    """Row numbers of one part of one fold, in the data set's order."""
    return np.flatnonzero((folds[f"fold{fold}"] == part).to_numpy())
