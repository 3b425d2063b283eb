"""Drawing the sequences that train, validate and test in each fold."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupKFold, GroupShuffleSplit, KFold, ShuffleSplit

from cisgrammar.common.errors import InputError, Problems
from cisgrammar.common.inputs import examples
from cisgrammar.common.seeds import derive_seed
from cisgrammar.data.folds import TEST, TRAIN, VALIDATION


def split_folds(
    sequences: pd.DataFrame,
    *,
    n_folds: int,
    validation: float,
    by: str,
    seed: int,
    test_chromosomes: Sequence[str] | None = None,
    validation_chromosomes: Sequence[str] | None = None,
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
    test_chromosomes
        Where given, there is one fold, and these test it.
    validation_chromosomes
        Then these validate; where they are not given, the share ``validation`` of the rest.

    Returns
    -------
    Columns ``sequence``, ``chrom`` and ``fold0`` ...: ``train``, ``validation`` or ``test``.

    Raises
    ------
    InputError
        If there are too few sequences or chromosomes to fill every part of every fold, or
        no sequence is on a chromosome that was named.

    Notes
    -----
    Hepkema et al. (2023), Methods, "Training the neural network": 10 folds,
    the rest 80 / 20. Unlike the original, shuffled and seeded.
    """
    n = len(sequences)
    chroms = sequences["chrom"].to_numpy().astype(str)
    if test_chromosomes is not None:
        part = _one_fold(chroms, test_chromosomes, validation_chromosomes, validation, by, seed)
        return pd.DataFrame({"sequence": sequences.index, "chrom": chroms, "fold0": part})
    _check_sizes(n if by == "random" else len(set(chroms)), n_folds, validation, by)
    table = pd.DataFrame({"sequence": sequences.index, "chrom": chroms})
    outer_seed = derive_seed(seed, "folds")
    groups = None if by == "random" else chroms
    outer = (KFold if groups is None else GroupKFold)(
        n_folds, shuffle=True, random_state=outer_seed
    )
    for fold, (rest, test) in enumerate(outer.split(np.zeros(n), groups=groups)):
        part = np.full(n, TRAIN, dtype=object)
        part[test] = TEST
        part[_held(rest, groups, validation, derive_seed(seed, "inner", fold))] = VALIDATION
        table[f"fold{fold}"] = part
    return table


def _held(rest: np.ndarray, groups: np.ndarray | None, validation: float, seed: int) -> np.ndarray:
    """Draw the rows that validate from those that do not test."""
    inner_class = ShuffleSplit if groups is None else GroupShuffleSplit
    inner = inner_class(1, test_size=validation, random_state=seed)
    inner_groups = None if groups is None else groups[rest]
    _, held = next(inner.split(np.zeros(len(rest)), groups=inner_groups))
    return rest[held]


def _one_fold(
    chroms: np.ndarray,
    test_chromosomes: Sequence[str],
    validation_chromosomes: Sequence[str] | None,
    validation: float,
    by: str,
    seed: int,
) -> np.ndarray:
    """Assign sequences to parts by the chromosomes that were named."""
    _check_named(chroms, test_chromosomes, validation_chromosomes or ())
    part = np.full(len(chroms), TRAIN, dtype=object)
    part[np.isin(chroms, test_chromosomes)] = TEST
    if validation_chromosomes is not None:
        part[np.isin(chroms, validation_chromosomes)] = VALIDATION
    rest = np.flatnonzero(part == TRAIN)
    left = len(rest) if by == "random" else len(set(chroms[rest]))
    if left <= (0 if validation_chromosomes is not None else math.ceil(validation * left)):
        raise InputError(
            "folds: `folds.test_chromosomes` and `folds.validation_chromosomes` leave only "
            f"{len(rest)} of {len(chroms)} sequences, too few. Name fewer chromosomes"
            + (", or set `folds.by: random`." if by == "chromosome" else ".")
        )
    if validation_chromosomes is None:
        groups = None if by == "random" else chroms
        part[_held(rest, groups, validation, derive_seed(seed, "inner", 0))] = VALIDATION
    return part


def _check_named(chroms: np.ndarray, test: Sequence[str], validation: Sequence[str]) -> None:
    """Refuse chromosomes that the data have not, or that are named twice."""
    problems = Problems()
    there = set(chroms)
    found = sorted(there)
    for key, named in (("test_chromosomes", test), ("validation_chromosomes", validation)):
        if absent := [chrom for chrom in named if chrom not in there]:
            problems.add(
                f"folds: no sequence is on {', '.join(absent)} (`folds.{key}`); there are "
                f"sequences on {examples(found, 30)}. Write names as they are there."
                + (" Say where sequences are with `given.regions`." if found == ["unknown"] else "")
            )
    if both := sorted(set(test) & set(validation)):
        problems.add(
            f"folds: {', '.join(both)} cannot test and validate (`folds.test_chromosomes`, "
            "`folds.validation_chromosomes`). Take it out of one of them."
        )
    problems.raise_if_any()


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
