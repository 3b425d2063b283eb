"""The files of a data set that a first page may read."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from cisgrammar.common.files import read_table


class Files:
    """Look files up by their path below ``results/{name}/``.

    Parameters
    ----------
    folder
        ``results/{name}``.
    paths
        Of the files that belong to this run. Others in the folder may be of an older one, and are
        not there for the page.
    """

    def __init__(self, folder: str | Path, paths: Iterable[str | Path]) -> None:
        self.folder = Path(folder)
        self._paths = {Path(path).relative_to(self.folder).as_posix() for path in paths}

    def get(self, path: str) -> Path | None:
        """Give the file's place, or None if it is not of this run."""
        return self.folder / path if path in self._paths else None

    def n_folds(self, model: str) -> int | None:
        """Count the folds that a model was scored in, if it was."""
        path = self.get(f"{model}/evaluation.tsv")
        return None if path is None else len(set(read_table(path)["fold"]) - {"mean", "pooled"})

    def unit(self) -> str:
        """Give the unit of what models of pools predict, as captions write it."""
        return "" if self.are_given() else " (log10)"

    def are_given(self) -> bool:
        """Say whether sequences and targets were given in place of cells."""
        path = self.get("preflight.tsv")
        return path is not None and "targets" in set(read_table(path)["check"])
