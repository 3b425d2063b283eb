"""scBasset's trunk on a CPU three ways: Winograd's algorithm, plain layers, layers channels last.

One network is trained; its epochs take the ways in turn, so that other jobs on the machine slow
all of them. On one thread processor time is taken. An epoch of 20,000 peaks is cut down to three
steps and validation, as in scbasset_epoch.py.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from itertools import cycle
from unittest import mock

import measure
import numpy as np
import torch
from defaults import settings_of
from scbasset_epoch import BATCH, LENGTH, SHARE_OPEN
from scipy import sparse
from torch import Tensor
from torch.nn import functional as F

from cisgrammar.data.open_entries import OpenEntries
from cisgrammar.data.split import Inputs, Split
from cisgrammar.models import scbasset
from cisgrammar.models.checkpoints import build_model
from cisgrammar.models.kernels.norm_pool import same_padding
from cisgrammar.models.scbasset_layers import EPS, GELU_SLOPE, MOMENTUM, Block
from cisgrammar.training.loop import train

WINOGRAD, LAYERS, CHANNELS_LAST = "Winograd", "plain layers", "plain layers, channels last"


def run(
    threads: list[int],
    cells: tuple[int, ...] = (2000, 100_000),
    peaks: int = 426,
    rounds: int = 5,
) -> list[dict[str, object]]:
    table = []
    for n_cells in cells:
        seconds = epochs(n_cells, peaks, threads[0], rounds)
        size = f"{n_cells} cells, {peaks} peaks"
        table += measure.rows("scBasset trunk", size, threads[0], seconds, reference=LAYERS)
    return table


def epochs(n_cells: int, n_peaks: int, threads: int, rounds: int) -> dict[str, list[float]]:
    """Seconds of epochs, by way; the first of each is not counted."""
    measure.set_threads(threads)
    now = time.process_time if threads == 1 else time.perf_counter
    rng = np.random.default_rng(0)
    codes = torch.from_numpy(rng.integers(0, 4, (n_peaks, LENGTH), dtype=np.uint8))
    is_open = sparse.random(n_cells, n_peaks, SHARE_OPEN, "csr", np.float32, rng)
    is_open.data[:] = 1
    rows = torch.from_numpy(rng.permutation(n_peaks))
    n_train = int(0.9 * n_peaks)
    split = Split(Inputs(codes), OpenEntries.of_matrix(is_open), rows[:n_train], rows[n_train:])
    settings = settings_of("scbasset") | {"length": LENGTH}
    model = build_model("scbasset", n_cells, settings, {}, 1)
    ways = cycle([WINOGRAD, LAYERS, CHANNELS_LAST])
    found: dict[str, list[float]] = {WINOGRAD: [], LAYERS: [], CHANNELS_LAST: []}
    started, undo, way = now(), take(first := next(ways)), first

    def next_way(*_: object) -> None:
        nonlocal started, undo, way
        found[way].append(now() - started)
        undo()
        way = next(ways)
        undo, started = take(way), now()

    train(
        model, split, learning_rate=0.01, batch_size=BATCH, epochs=len(found) * (rounds + 1),
        patience=None, seed=1, on_epoch=next_way,
    )  # fmt: skip
    undo()
    return {way: seconds[1:] for way, seconds in found.items()}


def take(way: str) -> Callable[[], None]:
    """Have the trunk computed in a way; gives what undoes it."""
    patch = mock.patch.object(scbasset, "WIDEST", 10 if way == WINOGRAD else 0)
    if way == CHANNELS_LAST:
        patch = mock.patch.object(scbasset.Scbasset, "features", channels_last)
    patch.start()
    return patch.stop


def channels_last(model: scbasset.Scbasset, codes: Tensor) -> Tensor:
    """Run the convolutions by PyTorch's layers alone: ``(batch, last_filters, positions)``."""
    x = model.bases[codes.long()].transpose(1, 2)[:, :, None]  # (batch, 4, 1, length)
    x = x.contiguous(memory_format=torch.channels_last)
    for block in (model.stem, *model.tower):
        x = _layers(block, x)
    return x[:, :, 0]


def _layers(block: Block, x: Tensor) -> Tensor:
    width = block.weight.shape[2]
    weight = (block.weight / GELU_SLOPE)[:, :, None]
    x = F.conv2d(x, weight, padding=(0, width // 2))  # widths are odd
    gain, offset = GELU_SLOPE * block.gain, GELU_SLOPE * block.offset
    x = F.batch_norm(
        x, block.running_mean, block.running_var, gain, offset, block.training, MOMENTUM, EPS
    )
    left, right = same_padding(x.shape[3], block.pool)
    if right:
        x = F.pad(x, (left, right), value=-torch.inf)
    return F.silu(F.max_pool2d(x, (1, block.pool)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--cells", type=int, nargs="+", default=[2000, 100_000])
    parser.add_argument("--peaks", type=int, default=426)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    sizes = (arguments.peaks, arguments.rounds)
    for n_cells in arguments.cells:
        print(measure.layout(run([arguments.threads], (n_cells,), *sizes)), flush=True)
