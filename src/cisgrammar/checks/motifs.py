"""Checks of the known motifs, which are needed only when models are trained."""

from __future__ import annotations

from pathlib import Path

from cisgrammar.checks.findings import Findings
from cisgrammar.checks.settings import DatabaseSettings, InputFiles, Settings
from cisgrammar.motifs.databases import choose_motifs, load_database


def check_motifs(files: InputFiles, settings: Settings, found: Findings) -> None:
    """Check the database, and that it has the motifs asked for."""
    database = settings.database
    if database is None or not _is_there(database):
        return
    known = found.attempt(load_database, database.source, database.tf_names)
    if known is not None:
        found.add("known motifs", f"{len(known.motifs):,} of {known.source}")
        for model in settings.cell_models:
            found.attempt(choose_motifs, known, model.motifs)


def _is_there(database: DatabaseSettings) -> bool:
    """Say whether its files are there; downloads may be still to come, and JASPAR needs none."""
    files = [] if database.source.lower().startswith("jaspar:") else [database.source]
    files += [str(database.tf_names)] if database.tf_names else []
    return all(Path(file).is_file() for file in files)
