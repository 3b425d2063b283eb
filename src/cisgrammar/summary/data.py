"""What went in, and what to be careful with."""

from __future__ import annotations

import pandas as pd

from cisgrammar.common.files import read_h5ad, read_table
from cisgrammar.common.inputs import examples
from cisgrammar.common.notes import TO_BE_FOUND
from cisgrammar.interpret.processes import NO_SETS
from cisgrammar.models.registry import MODELS
from cisgrammar.summary.files import Files
from cisgrammar.summary.page import Section, table

SHOWN = (
    *("counts", "sequences", "targets", "cell types", "batches", "genome", "annotation", "peaks"),
    "known motifs",
)
IN_SHORT = ("counts", "cell types", "peaks")
LEARNED = {
    "pools": "{:,} pools of cells x {:,} sequences",
    "cells": "{:,} cells x {:,} peaks",
    "populations": "{:,} populations x {:,} genes",
}
GIVEN = "{:,} targets x {:,} sequences"
N_WARNINGS = 8


def section(files: Files, models: list[str]) -> Section | None:
    """Say what the counts, the genome and the models' data are."""
    findings = _findings(files)
    kept = findings[findings["check"].isin(SHOWN)]
    found = kept["found"].astype(str).replace(TO_BE_FOUND, _clusters(files))
    rows = list(zip(kept["check"].astype(str), found, strict=True))
    in_short = [
        found if check == "counts" else f"{check}: {found}"
        for check, found in rows
        if check in IN_SHORT
    ]
    for kind in {MODELS[model].data.name: MODELS[model].data for model in models}.values():
        if path := files.get(kind.dataset):
            shape = read_h5ad(path, backed="r").shape
            who = ", ".join(MODELS[m].title for m in models if MODELS[m].data is kind)
            learned = GIVEN if files.are_given() else LEARNED[kind.name]
            rows.append((f"read by {who}", learned.format(*shape)))
            in_short.append(f"{who}: {rows[-1][1]}")
    if not rows:
        return None
    caption = "preflight.tsv lists everything that the checks found."
    frame = pd.DataFrame(rows, columns=["data", "found"])
    links = {
        "Map of the cells": "figures/umap_cells.svg",
        "All checks": "preflight.tsv",
        "Provenance": "provenance.json",
    }
    went_in = f"What went in: {'; '.join(in_short)}."
    tables = [table(frame, caption)]
    return Section("What went in", [], tables, links, in_short=went_in, is_first=True)


def _clusters(files: Files) -> str:
    """Name the clusters that stand for cell types, once they are found."""
    path = files.get("cell_types.tsv")
    if path is None:
        return TO_BE_FOUND
    names = read_table(path)["cell_type"]
    return f"{len(names)} clusters of the cells ({examples(names)})"


def warnings(files: Files, models: list[str]) -> Section | None:
    """List what the checks and the analyses warned of."""
    rows = _warnings(files)
    if not rows:
        return None
    frame = pd.DataFrame(rows[:N_WARNINGS], columns=["about", "warning"])
    rest = len(rows) - N_WARNINGS
    more = [f"{rest} more are in preflight.tsv and notes.tsv."] if rest > 0 else []
    links = {"All checks": "preflight.tsv"}
    in_short = f"{_count(len(rows))} at the end of this page, the first about {rows[0][0]}."
    tables = [table(frame, "Of the checks and of the run")]
    return Section("Warnings", more, tables, links, True, in_short)


def _count(n: int) -> str:
    return f"{n} warnings are listed" if n > 1 else "1 warning is listed"


def _findings(files: Files) -> pd.DataFrame:
    path = files.get("preflight.tsv")
    return read_table(path) if path else pd.DataFrame(columns=["check", "found", "status", "note"])


def _warnings(files: Files) -> list[tuple[str, str]]:
    findings = _findings(files)
    findings = findings[findings["status"] == "warning"].fillna("")
    rows = [
        (row["check"], ": ".join(filter(None, [row["found"], row["note"]])))
        for _, row in findings.iterrows()
    ]
    for model in MODELS:
        if path := files.get(f"{model}/notes.tsv"):
            notes = read_table(path)
            notes = notes[notes["note"] != NO_SETS]  # a choice of the user
            rows += [(f"{model}, {row['about']}", row["note"]) for _, row in notes.iterrows()]
    return [(str(about), str(text)) for about, text in rows]
