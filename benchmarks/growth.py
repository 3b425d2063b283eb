"""How cost grows: the operator with its sizes, strands and bins; pooling with cells."""

from __future__ import annotations

from functools import partial

import measure
import torch
from networks import FILTERS, LENGTH, WIDTH, random_data
from pooling import random_counts

from cisgrammar.cells.pooling import pool_counts
from cisgrammar.models.kernels.conv_maxpool import Strands, best_windows, conv_maxpool

BATCH = 128
SEQUENCES = (32, 64, 128, 256, 512, 1024)
LENGTHS = (125, 250, 500, 1000, 2000, 4000)
WIDTHS = (4, 8, 12, 13, 16, 20, 24)
FILTER_COUNTS = (75, 150, 300, 600, 1200, 2400)
READINGS = {"forward": ("forward", 1), "both strands": ("both", 1), "ten bins": ("forward", 10)}
CELLS = (12_500, 25_000, 50_000, 100_000)


def run(runs: int = 5) -> list[dict[str, object]]:
    measure.set_threads(1)
    table = []
    for batch in SEQUENCES:
        table += operator("sequences", batch, LENGTH, FILTERS, WIDTH, runs)
    for length in LENGTHS:
        table += operator("length", BATCH, length, FILTERS, WIDTH, runs)
    for filters in FILTER_COUNTS:
        table += operator("filters", BATCH, LENGTH, filters, WIDTH, runs)
    for width in WIDTHS:
        table += operator("width", BATCH, LENGTH, FILTERS, width, runs)
    for batch, length in ((64, 240), (256, LENGTH)):
        table += strands_and_bins(batch, length, runs=4 * runs)
    for cells in CELLS:
        table += pooling(cells, runs)
    return table


def operator(
    grows: str, batch: int, length: int, filters: int, width: int, runs: int
) -> list[dict[str, object]]:
    """Time the operator forward and backward."""
    codes, _ = random_data(batch, length)
    weight = torch.randn(filters, 4, width, device=codes.device, requires_grad=True)
    upstream = torch.randn(batch, filters, device=codes.device)

    def forward_and_backward() -> None:
        conv_maxpool(codes, weight).maxima[..., 0].backward(upstream)

    seconds = measure.alternate({"forward and backward": forward_and_backward}, runs)
    size = f"B {batch}, L {length}, {filters} filters, width {width}"
    return measure.rows(f"growth with {grows}", size, 1, seconds)


def strands_and_bins(batch: int, length: int, runs: int) -> list[dict[str, object]]:
    """Time the operator with the paper's reading and with each other one, in turn."""
    codes, _ = random_data(batch, length)
    weight = torch.randn(FILTERS, 4, WIDTH, device=codes.device, requires_grad=True)
    table = []
    for what, backward in (("forward pass", False), ("forward and backward", True)):

        def step(strands: Strands, bins: int, backward: bool = backward) -> None:
            maxima, _ = best_windows(codes, weight, strands=strands, bins=bins)
            if backward:
                maxima.backward(maxima.detach())

        tasks = {name: partial(step, *reading) for name, reading in READINGS.items()}
        seconds = measure.alternate(tasks, runs)
        size = f"B {batch}, L {length}"
        table += measure.rows(f"strands and bins, {what}", size, 1, seconds, reference="forward")
    return table


def pooling(cells: int, runs: int) -> list[dict[str, object]]:
    """Time the sum over pools, a pool for every 200 cells."""
    counts, members = random_counts(cells)
    members = members[: cells // 200]
    seconds = measure.alternate({"pool_counts": lambda: pool_counts(counts, members)}, runs)
    return measure.rows("growth with cells", f"{cells} cells, {len(members)} pools", 1, seconds)


if __name__ == "__main__":
    print(measure.layout(run()))
