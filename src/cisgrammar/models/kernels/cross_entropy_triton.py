"""scBasset's loss on CUDA as one fused Triton kernel: logits are never written to memory.

A program takes tiles of cells in turn, and each tile past all peaks of the batch, block by block.
It makes a block's logits and at once all that is summed of them: the cross-entropy, and the
products with its slope, sigmoid less target. The gradients of a tile's weights and biases are
written once, by its program. Each program sums the embedding's gradient in memory of its own, and
these sums are added up at the end. Every sum has one order, so every run gives the same bytes.

Products are of three TF32 parts each: as exact as float32, on the tensor cores.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor
from torch.nn import functional as F

PROGRAMS = 512  # whatever the number of cells: 8 MiB of sums for 128 peaks and a bottleneck of 32
BLOCK_PEAKS = 64
BLOCK_CELLS = 64
PRODUCTS = "tf32x3"


def forward(
    embedding: Tensor, weight: Tensor, bias: Tensor, opened: Tensor, wanted: bool
) -> tuple[Tensor, tuple[Tensor, Tensor, Tensor]]:
    """Sum cross-entropy over all peaks and cells, and differentiate the sum.

    Parameters
    ----------
    embedding
        float32 ``(batch, bottleneck)``.
    weight, bias
        float32 ``(cells, bottleneck)`` and ``(cells,)``.
    opened
        bool ``(batch, cells)``.
    wanted
        Whether gradients are; else what stands in their place means nothing.

    Returns
    -------
    total
        float64 scalar: sums of float32 over a block, added up in float64.
    grads
        Of embedding, weight and bias.
    """
    (n_peaks, bottleneck), n_cells = embedding.shape, len(weight)
    columns = max(16, triton.next_power_of_2(bottleneck))
    embedding, weight = _padded(embedding, columns), _padded(weight, columns)
    programs = max(1, min(PROGRAMS, triton.cdiv(n_cells, BLOCK_CELLS)))
    total = torch.empty(programs, dtype=torch.float64, device=embedding.device)
    of_embedding = embedding.new_zeros(programs, n_peaks, columns)
    of_weight, of_bias = torch.empty_like(weight), bias.new_empty(n_cells)
    _cross_entropy_sum[(programs,)](
        embedding,
        weight,
        bias.contiguous(),
        opened.view(torch.uint8),
        total,
        of_embedding,
        of_weight,
        of_bias,
        n_peaks,
        n_cells,
        wanted=wanted,
        block_peaks=BLOCK_PEAKS,
        block_cells=BLOCK_CELLS,
        columns=columns,
        products=PRODUCTS,
        num_warps=max(4, columns // 8),
        num_stages=1,  # loads ahead of their use cost registers
    )
    grads = of_embedding.sum(dim=0)[:, :bottleneck], of_weight[:, :bottleneck], of_bias
    return total.sum(), grads


def _padded(rows: Tensor, columns: int) -> Tensor:
    """Append columns of 0, so that rows begin where vectors may be read."""
    missing = columns - rows.shape[1]
    return F.pad(rows, (0, missing)) if missing else rows.contiguous()


@triton.jit
def _cross_entropy_sum(
    embedding,
    weight,
    bias,
    opened,
    total,
    of_embedding,
    of_weight,
    of_bias,
    n_peaks,
    n_cells,
    wanted: tl.constexpr,
    block_peaks: tl.constexpr,
    block_cells: tl.constexpr,
    columns: tl.constexpr,
    products: tl.constexpr,
):
    program = tl.program_id(0)
    of_embedding += program.to(tl.int64) * n_peaks * columns
    column = tl.arange(0, columns)[None, :]
    loss = tl.zeros((), tl.float64)
    for tile in range(program, tl.cdiv(n_cells, block_cells), tl.num_programs(0)):
        cell = tile * block_cells + tl.arange(0, block_cells)
        real_cell = cell < n_cells
        at_cell = cell[:, None] * columns + column
        b = tl.load(bias + cell, mask=real_cell, other=float("-inf"))
        grad_w = tl.zeros((block_cells, columns), tl.float32)
        grad_b = tl.zeros((block_cells,), tl.float32)
        for first_peak in range(0, n_peaks, block_peaks):
            peak = first_peak + tl.arange(0, block_peaks)
            real_peak = (peak < n_peaks)[:, None]
            real = real_peak & real_cell[None, :]
            at_peak = peak[:, None] * columns + column
            e = tl.load(embedding + at_peak, mask=real_peak, other=0.0)
            w = tl.load(weight + at_cell, mask=real_cell[:, None], other=0.0)
            at = peak.to(tl.int64)[:, None] * n_cells + cell[None, :]
            is_open = tl.load(opened + at, mask=real, other=0).to(tl.int1)
            logit = tl.dot(e, tl.trans(w), input_precision=products) + b[None, :]
            logit = tl.where(real_peak, logit, float("-inf"))  # adds 0 to every sum
            small = tl.exp(-tl.abs(logit))
            more = 1 + small
            inverse = 1 / more
            log1p = tl.log(more) + (small - (more - 1)) * inverse  # with what `more` rounds off
            against = tl.where(is_open, -logit, logit)  # how far it speaks against the target
            loss += tl.sum(tl.maximum(against, 0.0) + log1p).to(tl.float64)
            if wanted:
                slope = tl.where(logit > 0, inverse, small * inverse)
                slope = tl.where(is_open, slope - 1, slope)
                grad_e = tl.load(of_embedding + at_peak, mask=real_peak, other=0.0)
                grad_e = tl.dot(slope, w, grad_e, input_precision=products)
                tl.store(of_embedding + at_peak, grad_e, mask=real_peak)
                grad_w = tl.dot(tl.trans(slope), e, grad_w, input_precision=products)
                grad_b += tl.sum(slope, axis=0)
        if wanted:
            tl.store(of_weight + at_cell, grad_w, mask=real_cell[:, None])
            tl.store(of_bias + cell, grad_b, mask=real_cell)
            tl.debug_barrier()  # the next tile goes on from the sums in of_embedding
    tl.store(total + program, loss)
