"""Checks of cells: their types and batches, and whether there are enough for the pools."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from cisgrammar.cells.embedding import check_batch_sizes, fitting_cells
from cisgrammar.checks.findings import Findings, with_sizes
from cisgrammar.checks.settings import InputFiles, Settings
from cisgrammar.common.inputs import examples, nearest
from cisgrammar.common.notes import TO_BE_FOUND
from cisgrammar.counts.labels import ONE_BATCH, UNLABELLED, label_column
from cisgrammar.data.cells_by_peaks import batch_numbers

MANY_POOLS = 3  # that a cell is in, on average: beyond it, pools say much the same


def check_labels(files: InputFiles, settings: Settings, found: Findings) -> None:
    """Check cell types and batches of the cells that are wanted, and count these."""
    if found.obs is None:
        return
    path, obs, how = files.named_counts, found.obs, settings.counts
    types = found.attempt(label_column, path, obs, how.cell_type, "counts.cell_type", UNLABELLED)
    batches = found.attempt(label_column, path, obs, how.batch_column, "counts.batch", ONE_BATCH)
    if types is None or batches is None:
        return
    obs = obs.assign(cell_type=types, batch=batches)
    fits = found.attempt(fitting_cells, obs, settings.cells.keep, settings.cells.drop)
    if fits is None:
        return
    found.n_cells, found.labelled = int(fits.sum()), obs[fits]
    if not fits.all():
        left = f"{fits.sum():,} of {len(obs):,} cells are left"
        found.add("chosen cells", left, "by `cells.keep` and `cells.drop`")
    _report_map(settings, found)
    _report_cell_types(settings, found, types[fits])
    _check_batches(settings, found, types[fits], batches[fits])


def _report_map(settings: Settings, found: Findings) -> None:
    """Say that the map will be made of some of the cells, where there are very many."""
    size = settings.cells.umap_cells
    if settings.pools is None or size is None or found.n_cells is None:
        return
    if found.n_cells > size:
        found.add(
            "map of cells",
            f"made of {size:,} of {found.n_cells:,} cells",
            "by `cells.umap_cells`; each other cell takes the place of the nearest of these",
        )


def _report_cell_types(settings: Settings, found: Findings, types: pd.Categorical) -> None:
    if settings.cells.clusters:
        found.add("cell types", TO_BE_FOUND, "by `cells.clusters`")
        return
    sizes = _sizes(types)
    check_order(settings.cell_type_order, sizes.index, found)
    rare = sizes[sizes < (0 if settings.pools is None else settings.pools.cells_per_pool)]
    notes = []
    if len(rare):
        notes.append(f"fewer cells than a pool has: {with_sizes(rare)}; their pools will be mixed")
    if "NA" in sizes:
        notes.append("NA is a label here; if it is to say that a type is missing, leave it empty")
    found.add("cell types", f"{len(sizes)}: {with_sizes(sizes)}", "; ".join(notes), bool(notes))


def check_order(order: Sequence[str], types: Iterable[object], found: Findings) -> None:
    """Check that `cell_type_order` names cell types that there are."""
    there = sorted({str(name) for name in types})
    for name in order:
        if name not in there:
            found.problems.add(
                f"key `cell_type_order` names {name!r}, which is the cell type of no cell that is "
                f"taken. There are {examples(there, 10)}.{nearest(name, there)} Correct the name, "
                "or take it out: types that are not named follow those that are."
            )


def _check_batches(
    settings: Settings, found: Findings, types: pd.Categorical, batches: pd.Categorical
) -> None:
    if any(model.correct_batches for model in settings.cell_models):
        found.attempt(batch_numbers, pd.Series(np.asarray(batches)))
    sizes, note = _sizes(batches), ""
    found.attempt(check_batch_sizes, sizes, settings.cells.neighbors_within_batch)
    if len(sizes) > 1 and len(_sizes(types)) > 1:
        table = pd.crosstab(np.asarray(types), np.asarray(batches)) > 0
        if (table.sum(axis=1) == 1).all():
            note = "each cell type is in one batch only, so nothing tells the two apart"
    found.add("batches", f"{len(sizes)}: {with_sizes(sizes)}", note, bool(note))


def _sizes(labels: pd.Categorical) -> pd.Series:
    """Count the cells of each label that there is, in the labels' order."""
    sizes = pd.Series(labels).value_counts(sort=False)
    return sizes[sizes > 0]


def check_pools(files: InputFiles, settings: Settings, found: Findings) -> None:
    """Check that there are cells enough for the pools."""
    if settings.pools is None or found.n_cells is None:
        return
    size, number, n_cells = settings.pools.cells_per_pool, settings.pools.n_pools, found.n_cells
    for key, value in (("cells_per_pool", size), ("n_pools", number)):
        if value > n_cells:
            found.problems.add(
                f"{files.named_counts}: `pools.{key}` is {value:,}, but there are only "
                f"{n_cells:,} cells. Set it well below that number; the default is meant for "
                "larger data sets."
            )
    each = number * size / n_cells
    pools, note = f"{number:,} pools of {size:,} cells", f"on average a cell is in {each:.1f} pools"
    if share := each > MANY_POOLS:
        note += (
            ", so the pools are far from independent. Scores on held-out sequences do not suffer, "
            "but p- and q-values over pools (regulators, gene sets, markers) are far too small: "
            "read them as a ranking, or take fewer or smaller pools"
        )
    found.add("pools", pools, note, share)
