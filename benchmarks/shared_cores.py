"""What an epoch of scBasset costs on busy processors, by how threads wait for each other.

The network is that of `make demo-atac`, on random sequences. `spinning` is what OpenMP does by
itself, `sleeping` what the pipeline asks for (`OMP_WAIT_POLICY=PASSIVE`). On a busy machine as
many endless loops run beside it as there are threads. What does not end in time is given as such.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from statistics import median

import measure
import numpy as np
import torch
from defaults import settings_of
from scipy import sparse

from cisgrammar.data.open_entries import OpenEntries
from cisgrammar.data.split import Inputs, Split
from cisgrammar.models.checkpoints import build_model
from cisgrammar.training.loop import train

PEAKS, CELLS, LENGTH, SHARE_OPEN, BATCH, EPOCHS = 2000, 800, 400, 0.2, 64, 4
NETWORK = {"stem_filters": 64, "tower_filters": [64, 64, 64], "last_filters": 32}
WAITING = {"spinning": {}, "sleeping": {"OMP_WAIT_POLICY": "PASSIVE"}}
LONGEST = 300.0  # seconds for all epochs


def train_some(threads: int) -> float:
    """Seconds of an epoch, the first one left out."""
    measure.set_threads(threads)
    rng = np.random.default_rng(0)
    is_open = sparse.random(CELLS, PEAKS, SHARE_OPEN, "csr", np.float32, rng)
    is_open.data[:] = 1
    codes = torch.from_numpy(rng.integers(0, 4, (PEAKS, LENGTH), dtype=np.uint8))
    rows, n_train = torch.arange(PEAKS), int(0.9 * PEAKS)
    targets = OpenEntries.of_matrix(is_open, torch.device("cpu"))
    split = Split(Inputs(codes), targets, rows[:n_train], rows[n_train:])
    settings = settings_of("scbasset") | {"length": LENGTH} | NETWORK
    ends: list[float] = []
    train(
        build_model("scbasset", CELLS, settings, {}, 1), split, learning_rate=0.01,
        batch_size=BATCH, epochs=EPOCHS, patience=None, seed=1,
        on_epoch=lambda *_: ends.append(time.perf_counter()),
    )  # fmt: skip
    return median(np.diff(ends))


def in_new_process(waiting: str, busy: bool, threads: int) -> str:
    """Seconds of an epoch in words, beside endless loops if the machine is to be busy."""
    environment = {key: v for key, v in os.environ.items() if key != "OMP_WAIT_POLICY"}
    loop = [sys.executable, "-c", "while True: pass"]
    loops = [subprocess.Popen(loop) for _ in range(threads if busy else 0)]
    try:
        found = subprocess.run(
            [sys.executable, __file__, "--one", str(threads)],
            env=environment | WAITING[waiting], stdout=subprocess.PIPE, text=True, check=True,
            timeout=LONGEST,
        )  # fmt: skip
        return f"{float(found.stdout.split()[-1]):.1f} s"
    except subprocess.TimeoutExpired:
        return f"more than {LONGEST / EPOCHS:.0f} s"
    finally:
        for process in loops:
            process.kill()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--one", type=int, metavar="THREADS", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(train_some(arguments.one))
    else:
        for busy in (False, True):
            for waiting in WAITING:
                seconds = in_new_process(waiting, busy, arguments.threads)
                print(f"{'busy' if busy else 'quiet'}, {waiting}: {seconds} an epoch", flush=True)
