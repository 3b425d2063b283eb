"""What the checks find: rows of the table, problems, and what later checks go by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import pandas as pd

from cisgrammar.common.errors import InputError, Problems
from cisgrammar.common.inputs import examples

T = TypeVar("T")


@dataclass
class Findings:
    """Rows of the table, the problems met on the way, and what was read.

    What could not be read stays None: its problem is noted, and checks that need it do nothing.

    Parameters
    ----------
    cells
        Names of the cells of each file of counts; empty unless all could be read.
    obs
        What is known of all cells, one row each.
    labelled
        The same of the cells that are wanted, with ``cell_type`` and ``batch``.
    n_cells
        How many are wanted.
    genes
        Names of genes whose expression is known, if any.
    targets
        Names of genes or peaks, whichever a model learns.
    sizes
        Name of each chromosome to its length in bases.
    tss
        From :func:`cisgrammar.genome.tss.read_tss`.
    populations
        Names of the populations of cells that are large enough.
    sequences
        Windows whose sequence is known, with a column ``chrom``.
    """

    rows: list[tuple[str, str, str, str]] = field(default_factory=list)
    problems: Problems = field(default_factory=Problems)
    cells: list[pd.Index] = field(default_factory=list)
    obs: pd.DataFrame | None = None
    labelled: pd.DataFrame | None = None
    n_cells: int | None = None
    genes: pd.Index | None = None
    targets: pd.Index | None = None
    sizes: dict[str, int] | None = None
    tss: pd.DataFrame | None = None
    populations: pd.Index | None = None
    sequences: pd.DataFrame | None = None

    def add(self, check: str, found: str, note: str = "", warning: bool = False) -> None:
        """Add a row to the table."""
        self.rows.append((check, found, "warning" if warning else "ok", note))

    def attempt(self, work: Callable[..., T], *args: object, **kwargs: object) -> T | None:
        """Do it; a problem is noted, and the result is None."""
        try:
            return work(*args, **kwargs)
        except InputError as error:
            self.problems.add(str(error))
            return None

    def table(self) -> pd.DataFrame:
        """Give check, found, status (``ok`` or ``warning``) and note."""
        return pd.DataFrame(self.rows, columns=["check", "found", "status", "note"])


def with_sizes(sizes: pd.Series) -> str:
    """Say names with their numbers, at most twelve."""
    return examples([f"{label} ({n:,})" for label, n in sizes.items()], 12)
