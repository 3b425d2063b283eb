"""Whether values are raw counts."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cisgrammar.common.errors import InputError
from cisgrammar.common.inputs import examples

logger = logging.getLogger(__name__)

BLOCK = 10_000_000
LARGEST_LOG = 25.0  # exp(25) = 7e10: no cell has that many counts, so logarithms stay below


def describe_values(values: np.ndarray) -> str:
    """Say of which kind values are.

    Parameters
    ----------
    values
        Values of the matrix, zeros left out or not: ``(n,)``.

    Returns
    -------
    ``counts``, ``not numbers``, ``not finite``, ``negative``, ``logarithms``
    (no integers, none above 25) or ``not integers``.
    """
    if values.dtype.kind not in "iufb":
        return "not numbers"
    if values.dtype.kind in "ub":
        return "counts"
    largest, whole = 0.0, True
    for start in range(0, len(values), BLOCK):  # temporary arrays stay small
        block = values[start : start + BLOCK]
        if not np.isfinite(block).all():
            return "not finite"
        if block.min() < 0:
            return "negative"
        whole = whole and np.array_equal(block, np.rint(block))
        largest = max(largest, float(block.max()))
    if whole:
        return "counts"
    return "logarithms" if largest <= LARGEST_LOG else "not integers"


def check_values(
    path: str | Path,
    values: np.ndarray,
    matrix: str,
    integer_matrices: Sequence[str] = (),
    accept_non_integer: bool = False,
    key: str = "counts.matrix",
) -> str:
    """Refuse what is not raw counts.

    Parameters
    ----------
    path
        The file, for messages.
    values
        Its values, or a sample of them: ``(n,)``.
    matrix
        Which matrix of the file they are.
    integer_matrices
        Other matrices of the file that do hold integers.
    accept_non_integer
        Whether values that are not integers are welcome.
    key
        The config's key that names the matrix.

    Returns
    -------
    The kind, as from :func:`describe_values`.

    Raises
    ------
    InputError
        If the values are not numbers, not finite, negative, or, unless
        accepted, no integers.
    """
    if not values.size:
        raise InputError(
            f"{path}: `{matrix}` holds no value but 0. Say where the counts are with "
            f"`{key}`, or name another file."
        )
    kind = describe_values(values)
    if kind == "counts":
        return kind
    others = [other for other in integer_matrices if other != matrix]
    elsewhere = (
        f"Integers are in {' and '.join(f'`{other}`' for other in others)}: "
        f"set `{key}: {others[0]}`."
        if others
        else f"Name a file with raw counts, or say where they are with `{key}` "
        "(`raw` or `layers/<name>`)."
    )
    if kind in ("logarithms", "not integers"):
        if accept_non_integer:
            logger.warning("%s: %s holds values that are not integers; accepted", path, matrix)
            return kind
        raise InputError(_no_integers_message(path, values, matrix, kind, elsewhere))
    what = {
        "not numbers": f"values that are not numbers ({examples(values.ravel())})",
        "not finite": "NaN or infinite values",
        "negative": f"negative values (the least is {_least(values, kind):.4g})",
    }[kind]
    cause = {
        "not numbers": "A column of text was probably taken for counts",
        "not finite": "A division by zero on the way is the usual cause",
        "negative": "They were probably centred and scaled",
    }[kind]
    raise InputError(f"{path}: `{matrix}` holds {what}; counts are 0 or more. {cause}. {elsewhere}")


def _least(values: np.ndarray, kind: str) -> float:
    return float(values.min()) if kind == "negative" else float("nan")


def _no_integers_message(
    path: str | Path, values: np.ndarray, matrix: str, kind: str, elsewhere: str
) -> str:
    odd = next(
        block[block != np.rint(block)]
        for block in (values[i : i + BLOCK] for i in range(0, len(values), BLOCK))
        if (block != np.rint(block)).any()
    )
    if kind == "logarithms":
        likely, why = "log-normalised", "Pools add up cells, and a sum of logarithms means nothing."
    else:
        likely, why = "normalised (CPM, TPM, spike-ins)", "Pools add up cells as they were counted."
    return (
        f"{path}: `{matrix}` holds values that are not integers (for example "
        f"{', '.join(f'{value:.4g}' for value in odd[:3])}; the largest is {values.max():.4g}), "
        f"so they are probably {likely}, not raw counts. {why} {elsewhere} "
        "Only if such values are meant, as with spike-in normalisation, set "
        "`counts.accept_non_integer: true`."
    )
