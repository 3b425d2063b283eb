"""Host memory of training scBasset: growth over cells and open entries, and what that comes to.

Entries are read from a file some cells at a time, and a network with a cut-down trunk makes a step:
what the trunk takes is in scbasset_epoch.py and does not grow. The line through what fresh
processes took says what 1,000,000 cells x 100,000 peaks would take.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import measure
import numpy as np
import torch
from anndata import AnnData, read_h5ad
from defaults import settings_of
from scipy import sparse

from cisgrammar.data.open_entries import OpenEntries
from cisgrammar.data.split import Inputs, Split
from cisgrammar.models.checkpoints import build_model
from cisgrammar.training.loop import train

LENGTH, BATCH, SHARE_OPEN = 1344, 128, 0.03
SIZES = ((25_000, 10_000), (50_000, 10_000), (100_000, 10_000), (100_000, 5000), (100_000, 20_000))
GOAL = (1_000_000, 100_000)
SMALL = {"length": 96, "stem_filters": 8, "tower_filters": [8], "last_filters": 8}


def run(sizes: tuple[tuple[int, int], ...] = SIZES) -> list[dict]:
    table, taken = [], []
    for n_cells, n_peaks in sizes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "accessibility.h5ad"
            simulate(path, n_cells, n_peaks)
            taken.append(measure.in_new_process("scbasset_memory.py", "--one", path))
        size = f"{n_cells} cells x {n_peaks} peaks, {SHARE_OPEN:.0%} open"
        table += measure.rows("scBasset host memory", size, 2, {"1 step": [taken[-1]]}, unit="MiB")
    size = "{} cells x {} peaks, extrapolated".format(*GOAL)
    gib = {"1 step": [extrapolate(sizes, taken) / 1024]}
    return table + measure.rows("scBasset host memory", size, 2, gib, unit="GiB")


def extrapolate(sizes: tuple[tuple[int, int], ...], mib: list[float]) -> float:
    """MiB at the goal: a constant, and terms of cells and of open entries, by least squares."""
    terms = np.array([(1, n_cells, n_cells * n_peaks) for n_cells, n_peaks in (*sizes, GOAL)])
    fitted = np.linalg.lstsq(terms[:-1], np.array(mib), rcond=None)[0]
    per_cell, per_entry = fitted[1] * 2**20, fitted[2] * 2**20 / SHARE_OPEN
    print(f"{fitted[0]:.0f} MiB, {per_cell:.0f} bytes a cell, {per_entry:.2f} an open entry")
    return float(terms[-1] @ fitted)


def simulate(path: Path, n_cells: int, n_peaks: int) -> None:
    """Write cells with as many open peaks each, and random sequences."""
    rng = np.random.default_rng(0)
    n_open = int(SHARE_OPEN * n_peaks)
    spread = np.arange(n_open) * (n_peaks // n_open)
    indices = (rng.integers(0, n_peaks, (n_cells, 1), dtype=np.int32) + spread) % n_peaks
    indices.sort(axis=1)
    entries = np.ones(indices.size, dtype=np.uint8)
    starts = np.arange(n_cells + 1) * n_open
    cells = AnnData(
        sparse.csr_matrix((entries, indices.astype(np.int32).ravel(), starts), (n_cells, n_peaks))
    )
    cells.varm["codes"] = rng.integers(0, 4, (n_peaks, LENGTH), dtype=np.uint8)
    cells.write_h5ad(path)


def one_step(path: Path) -> None:
    cells = read_h5ad(path, backed="r")
    codes = torch.from_numpy(cells.varm["codes"])
    rows = torch.arange(2 * BATCH)
    shown = Inputs(codes[:, : SMALL["length"]])
    split = Split(shown, OpenEntries.of_matrix(cells.X), rows[:BATCH], rows[BATCH:])
    settings = settings_of("scbasset") | SMALL
    model = build_model("scbasset", cells.n_obs, settings, {}, 1)
    train(model, split, learning_rate=0.01, batch_size=BATCH, epochs=1, patience=None, seed=1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one", type=Path)
    arguments = parser.parse_args()
    if arguments.one:
        measure.set_threads(2)
        print(measure.added_memory(lambda: one_step(arguments.one)))
    else:
        print(measure.layout(run()))
