"""What the first fold's search found, for the other folds to start from."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from cisgrammar.common.files import damaged, read_table


def leading_trials(
    path: str | Path, space: dict[str, tuple[str, list[Any]]], number: int
) -> list[dict[str, Any]]:
    """List the hyperparameters of the best trials of another fold's search.

    Parameters
    ----------
    path
        Its ``trials.tsv``.
    space
        What this fold searches: see ``SequenceModel.search_space``.
    number
        How many to list at most. Trials that ran to their end come first, by their loss; then
        those that were stopped, the last stopped first. Equal settings are listed once, and
        those outside this fold's space are left out.

    Returns
    -------
    A value for each hyperparameter of the space. Ranges have the table's six digits.

    Raises
    ------
    InputError
        If the table is damaged, or is of a search of other hyperparameters.
    """
    trials = read_table(path)
    if missing := sorted({"trial", "state", "loss", "epochs", *space} - {*trials}):
        raise damaged(path, f"it has no column {', '.join(missing)}")
    order = trials.assign(stopped=trials["state"] != "complete", fewer=-trials["epochs"])
    order = order.sort_values(["stopped", "loss", "fewer", "trial"])
    found = []
    for row in order.drop_duplicates(list(space)).to_dict("records"):
        values = {key: _within(row[key], *limits) for key, limits in space.items()}
        if None not in values.values():
            found.append(values)
    return found[:number]


def _within(seen: Any, kind: str, values: list[Any]) -> Any:
    """Give a value as the space writes it, None where it is not in it."""
    if kind == "choice":
        return next((value for value in values if str(value) == str(seen)), None)
    low, high = values
    near = min(max(float(seen), low), high)  # rounded to six digits, an end may lie beyond
    return near if math.isclose(near, seen, rel_tol=1e-5) else None
