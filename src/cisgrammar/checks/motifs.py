"""Checks of the known motifs, which are needed only when models are trained."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from cisgrammar.checks.findings import Findings
from cisgrammar.checks.settings import DatabaseSettings, InputFiles, Settings
from cisgrammar.common.inputs import examples
from cisgrammar.genome.gene_match import match_genes
from cisgrammar.motifs.databases import SEPARATOR, Database, choose_motifs, load_database

FEW_TFS = 0.1  # share of the database's


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
        if found.genes is not None and found.tss is not None and known.table["tfs"].any():
            _check_tfs(known, found.genes, found.tss, found)


def _check_tfs(known: Database, counted: pd.Index, tss: pd.DataFrame, found: Findings) -> None:
    """Count the database's TFs among the genes: those of another species are not there."""
    rows = match_genes(counted.unique(), tss).rows
    names = [*counted, *tss["gene_name"].to_numpy()[rows[rows >= 0]]]
    there = {str(name).upper() for name in names}
    tfs = {tf.upper(): tf for cell in known.table["tfs"] for tf in cell.split(SEPARATOR) if tf}
    n_there = sum(tf in there for tf in tfs)
    text = f"{n_there:,} of {len(tfs):,} of the database are among the genes"
    few, note = n_there < FEW_TFS * len(tfs), ""
    if few:
        note = (
            f"the database has {examples(sorted(tfs.values()))}, the genes are "
            f"{examples(names)}: of another species? Regulators will hardly be found"
        )
    found.add("transcription factors", text, note, few)


def _is_there(database: DatabaseSettings) -> bool:
    """Say whether its files are there; downloads may be still to come, and JASPAR needs none."""
    files = [] if database.source.lower().startswith("jaspar:") else [database.source]
    files += [str(database.tf_names)] if database.tf_names else []
    return all(Path(file).is_file() for file in files)
