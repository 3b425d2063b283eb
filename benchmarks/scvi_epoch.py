"""Epochs of scvi-tools' SCBASSET, by the Python of an environment that has it.

Called by scbasset_epoch.py with the folder of the data; prints the seconds of an epoch and the MiB
that training holds at most beyond the libraries.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from statistics import median

import anndata as ad
import lightning
import numpy as np
import scvi
import torch
from scipy import sparse


class Clock(lightning.Callback):
    """Notes when epochs end, their validation included."""

    def __init__(self, threads: int) -> None:
        self.ends: list[float] = []
        self.now = time.process_time if threads == 1 else time.perf_counter

    def on_train_epoch_end(self, *_: object) -> None:
        """Note the time."""
        self.ends.append(self.now())


def main(folder: Path, threads: int, epochs: int) -> None:
    torch.set_num_threads(threads)
    scvi.settings.verbosity = 40
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    before = status("VmRSS")
    matrix = sparse.load_npz(folder / "cells_by_peaks.npz")  # CSC: peaks are its rows' order
    regions = ad.AnnData(sparse.csr_matrix(matrix.T, dtype=np.float32))
    regions.obsm["dna_code"] = np.load(folder / "codes.npy")
    scvi.external.SCBASSET.setup_anndata(regions, dna_code_key="dna_code")
    model, clock = scvi.external.SCBASSET(regions), Clock(threads)
    model.train(
        max_epochs=epochs,
        accelerator="auto",
        callbacks=[clock],
        enable_progress_bar=False,
        default_root_dir=str(folder),
    )
    print(median(np.diff(clock.ends)), (status("VmHWM") - before) / 1024)


def status(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
