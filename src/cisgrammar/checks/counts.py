"""Checks of counts: the files, their values and names, and that peaks are of the same cells."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from cisgrammar.checks.findings import Findings
from cisgrammar.checks.settings import CountSettings, File, InputFiles, Settings
from cisgrammar.common.inputs import examples
from cisgrammar.counts import gene_names, give_names, load
from cisgrammar.counts.carried import writable
from cisgrammar.counts.cell_table import add_cell_table, add_columns_of_names
from cisgrammar.counts.multiome import shared_cells
from cisgrammar.counts.raw import RawCounts
from cisgrammar.counts.text import NAMELESS
from cisgrammar.counts.values import check_values
from cisgrammar.genome.regions import read_bed


def check_counts(files: InputFiles, settings: Settings, found: Findings) -> None:
    """Check each file of counts, and read what is known of its cells."""
    how = settings.counts
    names, cells, tables = [], [], []
    for path, batch in zip(files.of_counts, how.batches or [""], strict=True):
        raw = found.attempt(load, path, matrix=how.matrix, modality=how.modality, sample=True)
        if raw is not None and raw.format == NAMELESS:
            raw = found.attempt(give_names, path, raw, None)
        if raw is None:
            continue
        targets = found.attempt(gene_names, path, raw.var, how.gene_column)
        counts = _Counts(path, raw, targets, how.targets, "counts", how.matrix, batch)
        _check_one(found, counts, how.accept_non_integer)
        names.append(targets)
        cells.append(raw.obs.index)
        obs = _annotated(found, path, raw.obs, how, files.cell_table)
        if obs is not None:
            tables.append(obs.assign(batch=batch) if batch and how.batch is None else obs)
    if len(cells) < len(files.of_counts):
        return
    found.cells, found.n_cells = cells, sum(map(len, cells))
    found.targets = _joined(names, how.join)
    found.genes = found.targets if how.targets == "genes" else None
    if len(tables) == len(cells):
        found.obs = pd.concat(tables)


def check_peak_counts(files: InputFiles, settings: Settings, found: Findings) -> None:
    """Check the peaks of cells with RNA, and that they are of the same cells."""
    if settings.peaks is None or settings.counts.modality == "atac" or not found.cells:
        return
    how, matrix, bed = settings.counts, settings.peaks.matrix, files.peak_bed
    names: list[pd.Index | None] = []
    for path, cells in zip(files.of_peaks, found.cells, strict=True):
        raw = found.attempt(load, path, matrix=matrix, modality="atac", sample=True)
        if raw is not None and raw.format == NAMELESS:
            places = None if bed is None else found.attempt(read_bed, bed, "peaks.bed")
            given = None if places is None else (cells, places["name"])
            raw = found.attempt(give_names, path, raw, given)
        names.append(None if raw is None else pd.Index(raw.var.index.astype(str)))
        if raw is None:
            continue
        counts = _Counts(path, raw, names[-1], "peaks", "peaks", matrix)
        _check_one(found, counts, how.accept_non_integer)
        both = found.attempt(shared_cells, cells, raw.obs.index, how.ignore_in_barcodes, path)
        if both is not None:
            n = len(both[0])
            few = n < min(len(cells), len(raw.obs)) / 2
            found.add("shared cells", f"{n:,} of {len(cells):,} with RNA have peaks", warning=few)
    found.targets = _joined(names, how.join)


@dataclass(frozen=True)
class _Counts:
    """Counts of one file: ``what`` (genes or peaks) in ``matrix``, by a section of the config."""

    path: File
    raw: RawCounts
    targets: pd.Index | None
    what: str
    section: str
    matrix: str
    batch: str = ""

    @property
    def of_batch(self) -> str:
        return f" of {self.batch}" if self.batch else ""

    @property
    def of_all(self) -> str:
        return f"{'' if self.what == 'genes' else f' of {self.what}'}{self.of_batch}"


def _check_one(found: Findings, counts: _Counts, accept_non_integer: bool) -> None:
    """Check the values of one file, and report its size and the names that come again."""
    raw, what = counts.raw, counts.what
    found.add(
        f"counts{counts.of_all}",
        f"{raw.format}: {len(raw.obs):,} cells x {len(raw.var):,} {what}",
        f"{what}: {examples(raw.var.index)}; cells: {examples(raw.obs.index)}",
    )
    integers, key = raw.integer_matrices, f"{counts.section}.matrix"
    kind = found.attempt(
        check_values, counts.path, raw.numbers, counts.matrix, integers, accept_non_integer, key
    )
    if kind is not None:
        odd = kind != "counts"
        note = "no integers, accepted by `counts.accept_non_integer`" if odd else ""
        values = f"{counts.matrix}: {raw.numbers.min():g} to {raw.numbers.max():g}"
        found.add(f"values{counts.of_all}", values, note, odd)
    fates = {what: "their counts are added up", "cells": "they get -1, -2, ... to tell them apart"}
    for (name, fate), index in zip(fates.items(), (counts.targets, raw.obs.index), strict=True):
        if index is None or index.is_unique:
            continue
        again = index.duplicated()
        number = f"{again.sum()} have a name that came before"
        note = f"{examples(index[again].unique())}: {fate}"
        found.add(f"names of {name}{counts.of_batch}", number, note, warning=True)


def _annotated(
    found: Findings, path: File, obs: pd.DataFrame, how: CountSettings, cell_table: File | None
) -> pd.DataFrame | None:
    """Add what a table, and the cells' names, say of cells."""
    known: pd.DataFrame | None = obs
    if cell_table is not None:
        keys = (cell_table, how.ignore_in_barcodes, how.cell_column)
        known = found.attempt(add_cell_table, path, obs, *keys)
    if known is not None:
        known = found.attempt(add_columns_of_names, path, known, how.columns_in_barcodes)
    return None if known is None else writable(path, known)


def _joined(names: list[pd.Index | None], join: str) -> pd.Index | None:
    """Give the names that several files have in common, or all."""
    there = [index for index in names if index is not None]
    if len(there) < len(names):
        return None
    first, *others = there
    for index in others:
        first = first.union(index, sort=False) if join == "outer" else first[first.isin(index)]
    return first
