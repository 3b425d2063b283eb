"""Open entries of some peaks as a table, on CUDA: the CPU need not learn how many there are."""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

PARTS = 32  # of a peak's entries, side by side
BLOCK = 256


def dense(offsets: Tensor, cells: Tensor, peaks: Tensor, n_cells: int) -> Tensor:
    """Mark which cells are open at which of some peaks: see `OpenEntries.dense`."""
    table = torch.zeros((len(peaks), n_cells), dtype=torch.bool, device=cells.device)
    _mark[(len(peaks), PARTS)](
        offsets, cells, peaks, table.view(torch.uint8), n_cells, parts=PARTS, block=BLOCK
    )
    return table


@triton.jit
def _mark(offsets, cells, peaks, table, n_cells, parts: tl.constexpr, block: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    peak = tl.load(peaks + row)
    first, end = tl.load(offsets + peak), tl.load(offsets + peak + 1)
    ones = tl.full((block,), 1, tl.uint8)
    for start in range(first + tl.program_id(1) * block, end, parts * block):
        entry = start + tl.arange(0, block)
        cell = tl.load(cells + entry, mask=entry < end, other=0)
        tl.store(table + row * n_cells + cell, ones, mask=entry < end)
