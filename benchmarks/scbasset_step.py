"""One training step of scBasset against its layers as a list: time, memory, growth with cells."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial

import measure
import numpy as np
import torch
import torch.nn.functional as F
from defaults import settings_of
from networks import DEVICE
from torch import Tensor, nn

from cisgrammar.data.open_entries import OpenEntries
from cisgrammar.data.split import Inputs, Split
from cisgrammar.models.base import SequenceModel
from cisgrammar.models.checkpoints import build_model
from cisgrammar.training.steps import Steps

BATCH = 128
SHARE_OPEN = 0.05
PLAIN = "published layers, dense targets"
LENGTH = 1344


class Plain(nn.Module):
    """The published layers, one after the other."""

    def __init__(self, n_cells: int, sizes: dict) -> None:
        super().__init__()
        blocks, channels = [], 4
        filters = [sizes["stem_filters"], *sizes["tower_filters"], sizes["last_filters"]]
        n = len(sizes["tower_filters"])
        widths = [sizes["stem_width"], *[sizes["tower_width"]] * n, 1]
        pools = [sizes["stem_pool"], *[sizes["tower_pool"]] * n, 1]
        for n_filters, width, pool in zip(filters, widths, pools, strict=True):
            conv = nn.Conv1d(channels, n_filters, width, padding="same", bias=False)
            norm = nn.BatchNorm1d(n_filters, eps=1e-3)
            blocks += [Gelu(), conv, norm, nn.MaxPool1d(pool, ceil_mode=True)]
            channels = n_filters
        self.trunk = nn.Sequential(*blocks, Gelu(), nn.Flatten())
        width = self.trunk(torch.zeros(2, 4, sizes["length"])).shape[1]
        self.bottleneck = nn.Sequential(
            nn.Linear(width, sizes["bottleneck"], bias=False),
            nn.BatchNorm1d(sizes["bottleneck"], eps=1e-3),
            nn.Dropout(sizes["dropout"]),
            Gelu(),
        )
        self.head = nn.Linear(sizes["bottleneck"], n_cells)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of one-hot sequences."""
        return self.head(self.bottleneck(self.trunk(x)))


class Gelu(nn.Module):
    """The original's."""

    def forward(self, x: Tensor) -> Tensor:
        """Of each value."""
        return torch.sigmoid(1.702 * x) * x


def run(threads: list[int], runs: int = 3, cells: tuple[int, ...] = (2000, 10_000)) -> list[dict]:
    table = []
    for n_cells in cells:
        for n_threads in threads[-1:]:
            measure.set_threads(n_threads)
            seconds = measure.alternate(steps(n_cells), runs)
            size = f"{n_cells} cells, B {BATCH}, L {LENGTH}"
            table += measure.rows("scBasset step", size, n_threads, seconds, reference=PLAIN)
    return table + memory() + error()


def data(n_cells: int, length: int) -> tuple[Tensor, OpenEntries]:
    rng = np.random.default_rng(0)
    codes = torch.from_numpy(rng.integers(0, 4, (BATCH, length), dtype=np.uint8))
    cells = [np.flatnonzero(rng.random(n_cells) < SHARE_OPEN) for _ in range(BATCH)]
    ends = np.cumsum([0, *map(len, cells)])
    found = torch.from_numpy(ends), torch.from_numpy(np.concatenate(cells).astype(np.int32))
    return codes.to(DEVICE), OpenEntries(*(part.to(DEVICE) for part in found), n_cells)


def steps(n_cells: int, length: int = LENGTH, **changes: object) -> dict[str, Callable[[], None]]:
    """Give a step of each implementation: forward, loss, backward, Adam."""
    settings = settings_of("scbasset") | {"length": length} | changes
    codes, targets = data(n_cells, length)
    rows = torch.arange(BATCH, device=DEVICE)
    split = Split(Inputs(codes), targets, rows, rows)
    plain = Plain(n_cells, settings).to(DEVICE)
    adam = torch.optim.Adam(plain.parameters(), lr=0.01, betas=(0.95, 0.9995))

    def published() -> None:
        adam.zero_grad()
        logits = plain(F.one_hot(codes.long(), 4).float().transpose(1, 2))
        dense = targets.dense(rows).float()
        F.binary_cross_entropy_with_logits(logits, dense).backward()
        adam.step()

    found: dict[str, Callable[[], None]] = {PLAIN: published}
    for precision in ("float32", "bfloat16"):
        changed = settings | {"precision": precision}
        model = build_model("scbasset", n_cells, changed, {}, 1).to(DEVICE).train()
        found[f"cisgrammar, {precision}"] = _step(model, split, rows)
    return found


def _step(model: SequenceModel, split: Split, rows: Tensor) -> Callable[[], None]:
    objective = model.objective(split)
    optimizer = objective.optimizer(model, 0.01)
    return partial(Steps(objective, split, [model], [optimizer], torch.Generator()), rows)


def memory(cells: tuple[int, ...] = (2000, 10_000, 100_000)) -> list[dict]:
    """Memory that a step adds to a fresh process: growth over cells."""
    table = []
    for n_cells in cells:
        names = (PLAIN, "cisgrammar, float32", "cisgrammar, bfloat16")
        added = {
            name: [measure.in_new_process("scbasset_step.py", "--memory", n_cells, name)]
            for name in names
        }
        size = f"{n_cells} cells, B {BATCH}, L {LENGTH}"
        table += measure.rows("scBasset memory", size, 1, added, unit="MiB", reference=PLAIN)
    return table


def error() -> list[dict]:
    """Largest error of bfloat16's logits, as a share of their standard deviation."""
    settings = settings_of("scbasset") | {"length": LENGTH}
    inputs = Inputs(data(200, LENGTH)[0])
    exact, rough = (
        build_model("scbasset", 200, settings | {"precision": precision}, {}, 1).to(DEVICE).eval()
        for precision in ("float32", "bfloat16")
    )
    with torch.no_grad():
        logits = exact(inputs)
        share = ((rough(inputs) - logits).abs().max() / logits.std()).item()
    return measure.rows("scBasset bfloat16", "200 cells", 1, {"error": [share]}, unit="sd")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--memory", nargs=2, metavar=("CELLS", "WHICH"))
    arguments = parser.parse_args()
    if arguments.memory:
        measure.set_threads(1)
        for warm in steps(10, 100).values():
            warm()
        n_cells, which = arguments.memory
        print(measure.added_memory(steps(int(n_cells))[which]))
    else:
        print(measure.layout(run([arguments.threads])))
