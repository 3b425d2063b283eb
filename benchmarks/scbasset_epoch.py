"""An epoch of scBasset beside scvi-tools' SCBASSET: time, memory, growth over cells and peaks.

Each is run as its user runs it, on the same simulated data, in a process of its own: batches of 128
peaks, 90 % to train on, the rest to validate on after each epoch. Ours watches the AUROC of at most
2,000 cells and reads sparse targets; scvi-tools' loader makes batches dense, and its AUROC takes
all entries of a batch at once. The first epoch is not counted.
On one thread processor time is taken, which other jobs on the machine change little.

scvi-tools is not in the lock. To have it measured, install it beside the repository, or anywhere
and say so by SCVI_PYTHON::

    python3 -m venv benchmarks/.scvi
    benchmarks/.scvi/bin/pip install torch==2.13.0 scvi-tools==1.4.2
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import measure
import numpy as np
import torch
from defaults import settings_of
from networks import DEVICE
from scipy import sparse

from cisgrammar.data.open_entries import OpenEntries
from cisgrammar.data.split import Inputs, Split
from cisgrammar.models.checkpoints import build_model
from cisgrammar.training.loop import train

LENGTH, BATCH, SHARE_OPEN, EPOCHS = 1344, 128, 0.03, 3
SCVI = "scvi-tools"
OURS = ("cisgrammar, float32", "cisgrammar, bfloat16")
SCVI_PYTHON = Path(os.environ.get("SCVI_PYTHON", measure.ROOT / "benchmarks/.scvi/bin/python"))


def run(
    threads: list[int],
    cells: tuple[int, ...] = (2000, 10_000, 100_000),
    peaks: tuple[int, ...] = (426, 852),
) -> list[dict]:
    """Measure growth over cells at the first number of peaks, and over peaks at the first of cells.

    An epoch of 20,000 peaks is 141 steps and takes minutes on a CPU; it is cut down to 3 and 6.
    """
    table = []
    for n_cells, n_peaks in [(n, peaks[0]) for n in cells] + [(cells[0], n) for n in peaks[1:]]:
        table += side_by_side(n_cells, n_peaks, threads[-1])
    return table


def side_by_side(n_cells: int, n_peaks: int, threads: int) -> list[dict]:
    names = [SCVI, *OURS]
    if not SCVI_PYTHON.exists():
        print(f"scvi-tools is left out: {SCVI_PYTHON} is not there (see scbasset_epoch.py)")
        names = list(OURS)
    with tempfile.TemporaryDirectory() as folder:
        simulate(Path(folder), n_cells, n_peaks)
        found = {name: in_new_process(name, folder, threads) for name in names}
    reference = SCVI if SCVI in found else None
    size = f"{n_cells} cells, {n_peaks} peaks"
    seconds, memory = ({name: [pair[i]] for name, pair in found.items()} for i in (0, 1))
    return [
        *measure.rows("scBasset epoch", size, threads, seconds, reference=reference),
        *measure.rows("scBasset memory", size, threads, memory, unit="MiB", reference=reference),
    ]


def simulate(folder: Path, n_cells: int, n_peaks: int) -> None:
    """Write random sequences and which cells are open."""
    rng = np.random.default_rng(0)
    np.save(folder / "codes.npy", rng.integers(0, 4, (n_peaks, LENGTH), dtype=np.uint8))
    is_open = sparse.random(n_cells, n_peaks, SHARE_OPEN, "csr", np.float32, rng)
    is_open.data[:] = 1
    sparse.save_npz(folder / "cells_by_peaks.npz", is_open, compressed=False)


def in_new_process(name: str, folder: str, threads: int) -> tuple[float, float]:
    """Seconds of an epoch, and MiB."""
    here = measure.ROOT / "benchmarks"
    if name == SCVI:
        command = [SCVI_PYTHON, here / "scvi_epoch.py", folder, threads, EPOCHS]
    else:
        command = [sys.executable, __file__, "--one", name.split()[-1], folder, threads]
    result = subprocess.run(
        [str(word) for word in command], check=True, stdout=subprocess.PIPE, text=True
    )
    seconds, mib = result.stdout.split()[-2:]
    return float(seconds), float(mib)


def one(precision: str, folder: Path, threads: int) -> tuple[float, float]:
    """Train on the data of a folder."""
    measure.set_threads(threads)
    ends: list[float] = []
    now = time.process_time if threads == 1 else time.perf_counter

    def training() -> None:
        targets = OpenEntries.of_matrix(sparse.load_npz(folder / "cells_by_peaks.npz"), DEVICE)
        codes = torch.from_numpy(np.load(folder / "codes.npy")).to(DEVICE)
        rows = torch.randperm(len(codes), generator=torch.Generator().manual_seed(0)).to(DEVICE)
        n_train = int(0.9 * len(rows))
        split = Split(Inputs(codes), targets, rows[:n_train], rows[n_train:])
        settings = settings_of("scbasset") | {"length": LENGTH, "precision": precision}
        model = build_model("scbasset", targets.n_cells, settings, {}, 1).to(DEVICE)
        train(
            model, split, learning_rate=0.01, batch_size=BATCH, epochs=EPOCHS, patience=None,
            seed=1, on_epoch=lambda *_: ends.append(now()),
        )  # fmt: skip

    mib = measure.added_memory(training)
    return median(np.diff(ends)), mib


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one", nargs=3, metavar=("PRECISION", "FOLDER", "THREADS"))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--cells", type=int, nargs="+", default=[2000, 10_000, 100_000])
    parser.add_argument("--peaks", type=int, nargs="+", default=[426, 852])
    arguments = parser.parse_args()
    if arguments.one:
        precision, folder, threads = arguments.one
        print(*one(precision, Path(folder), int(threads)))
    else:
        table = run([arguments.threads], tuple(arguments.cells), tuple(arguments.peaks))
        print(measure.layout(table))
