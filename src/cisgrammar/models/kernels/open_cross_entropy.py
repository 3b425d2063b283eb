"""Binary cross-entropy over sparse targets, that never spells logits or targets out."""

from __future__ import annotations

import importlib.util
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F

from cisgrammar.data.open_entries import OpenEntries

CELLS_AT_ONCE = 65_536  # logits of a batch of peaks are made for so many cells at a time
HAS_TRITON = importlib.util.find_spec("triton") is not None
WIDEST = 64  # a wider bottleneck takes the fused kernel more registers than there are


def cross_entropy_sum(
    embedding: Tensor,
    weight: Tensor,
    bias: Tensor,
    targets: OpenEntries,
    peaks: Tensor,
    at_once: int = CELLS_AT_ONCE,
) -> Tensor:
    """Sum binary cross-entropy over all peaks of a batch and all cells.

    It is the sum of softplus(logit) less the logits of the open entries. Logits are made for
    some cells at a time and thrown away, gradients with them, so that neither targets nor logits
    ever take memory for all cells. On CUDA, with Triton, logits are not written to memory at all;
    targets take a byte for each peak and cell of the batch there.

    Parameters
    ----------
    embedding
        What the network makes of the peaks: float32 ``(batch, bottleneck)``.
    weight, bias
        Of the last layer: ``(cells, bottleneck)``, ``(cells,)``.
    targets, peaks
        Which cells are open, and which of its peaks the batch is: int64 ``(batch,)``.
    at_once
        Cells in a block, where logits are made block by block.

    Returns
    -------
    A scalar, differentiable once in embedding, weight and bias.
    """
    if is_fused(weight):
        make = partial(_fused, targets.dense(peaks))
        return _Sum.apply(embedding, weight, bias, make, torch.is_grad_enabled())
    cells, starts = targets.of_peaks(peaks)
    over_open = F.embedding_bag(cells, weight, starts, mode="sum")  # (batch, bottleneck)
    bias_open = F.embedding_bag(cells, bias[:, None], starts, mode="sum")  # (batch, 1)
    open_logits = (embedding * over_open).sum(dim=1) + bias_open[:, 0]
    make = partial(_block_by_block, at_once)
    softplus = _Sum.apply(embedding, weight, bias, make, torch.is_grad_enabled())
    return softplus - open_logits.sum()


class _Sum(torch.autograd.Function):
    """A sum over peaks and cells whose gradients are made beside it: ``make(*leaves, wanted)``."""

    @staticmethod
    def forward(ctx, embedding, weight, bias, make, grad_enabled):
        wanted = grad_enabled and any(ctx.needs_input_grad)
        total, grads = make(embedding, weight, bias, wanted)
        if wanted:
            ctx.save_for_backward(*grads)
        return total.to(embedding.dtype)

    @staticmethod
    def backward(ctx, grad):
        return *(grad * saved for saved in ctx.saved_tensors), None, None


def is_fused(weight: Tensor) -> bool:
    """Whether cells' weights ``(cells, bottleneck)`` go through the fused kernel."""
    return weight.is_cuda and HAS_TRITON and weight.shape[1] <= WIDEST


def _fused(
    opened: Tensor, embedding: Tensor, weight: Tensor, bias: Tensor, wanted: bool
) -> tuple[Tensor, tuple[Tensor, Tensor, Tensor]]:
    """Sum the whole loss in one kernel, and gradients with it."""
    from cisgrammar.models.kernels import cross_entropy_triton

    with torch.cuda.device_of(weight):
        return cross_entropy_triton.forward(embedding, weight, bias, opened, wanted)


def _block_by_block(
    at_once: int, embedding: Tensor, weight: Tensor, bias: Tensor, wanted: bool
) -> tuple[Tensor, tuple[Tensor, Tensor, Tensor]]:
    """Sum softplus by torch operations: the float64 sum, and gradients where wanted."""
    total = torch.zeros(len(embedding), dtype=torch.float64, device=embedding.device)
    grads = torch.zeros_like(embedding), torch.empty_like(weight), torch.empty_like(bias)
    for first in range(0, len(weight), at_once):
        block = slice(first, first + at_once)
        logits = torch.addmm(bias[block], embedding, weight[block].T)  # (batch, block)
        total += F.softplus(logits).sum(dim=1, dtype=torch.float64)
        if wanted:
            slope = logits.sigmoid_()
            grads[0].addmm_(slope, weight[block])
            torch.mm(slope.T, embedding, out=grads[1][block])
            torch.sum(slope, dim=0, out=grads[2][block])
    return total.sum(), grads
