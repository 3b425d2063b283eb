"""What was left out, and why: for results that can do without."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

import pandas as pd

from cisgrammar.common.errors import InputError

TO_BE_FOUND = "clusters of the cells, to be found"  # what checks say of cell types before a run

_Result = TypeVar("_Result")
logger = logging.getLogger(__name__)


class Notes:
    """Notes by subject, in the order they came."""

    def __init__(self) -> None:
        self._rows: list[tuple[str, str]] = []

    def add(self, about: str, note: str) -> None:
        """Write down and log why something is left out."""
        logger.warning("left out: %s", note)
        self._rows.append((about, note))

    def attempt(self, about: str, make: Callable[[], _Result], otherwise: _Result) -> _Result:
        """Make a result, or note the user's mistake that forbids it and take another."""
        try:
            return make()
        except InputError as error:
            self.add(about, str(error))
            return otherwise

    def table(self) -> pd.DataFrame:
        """Columns about, note."""
        return pd.DataFrame(self._rows, columns=["about", "note"])


def notes_about(table: pd.DataFrame, subject: str) -> str:
    """Join the notes on a subject, from :meth:`Notes.table`."""
    return " ".join(table.loc[table["about"] == subject, "note"])
