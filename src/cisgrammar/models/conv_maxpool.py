"""Convolution and global maximum over DNA codes: the operator of the shallow networks.

For every sequence ``b`` and filter ``f`` the maximum over ``p`` of
``sum over (base, i) of weight[f, base, i] * one_hot(codes)[b, base, p + i]``,
exactly, without ever holding (batch, filters, length):

- ELU is monotonic, so the maximum is taken before it and the caller applies ELU to the maxima;
- the gradient of a maximum reaches one window, so only its position is kept for the backward pass;
- on codes a filter is a sum of look-ups in tables over short words of DNA (on CPU).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from cisgrammar.models import conv_maxpool_cpu, conv_maxpool_gpu


def conv_maxpool(
    codes: Tensor, weight: Tensor, rows: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Score every window of every sequence with every filter; keep the best.

    Parameters
    ----------
    codes
        uint8 ``(sequences, length)``: A C G T = 0 1 2 3; N = 4 scores the mean of the four bases.
    weight
        float32 ``(filters, 4, width)``, any width up to the length. Differentiable.
    rows
        Sequences to read, ``(batch,)``; a minibatch without a copy. All of them by default.

    Returns
    -------
    maxima
        float32 ``(batch, filters)``, before ELU. NaN for a filter with a weight that is not finite.
    positions
        Integers ``(batch, filters)``: start of the best window, the first one of ties.

    Raises
    ------
    ValueError
        If shapes, types or devices do not fit, or the filters are longer than the sequences.
    """
    check_arguments(codes, weight)
    if rows is not None:
        rows = rows.to(codes.device, torch.int64)
    return _ConvMaxPool.apply(codes, weight, rows)


class ConvMaxPool(nn.Module):
    """A bank of motif detectors: the best match of each filter in each sequence.

    Parameters
    ----------
    n_filters
        Number of filters.
    width
        Length of a filter in base pairs.
    """

    def __init__(self, n_filters: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_filters, 4, width))
        nn.init.normal_(self.weight, std=0.01)

    def forward(self, codes: Tensor, rows: Tensor | None = None) -> Tensor:
        """Give the maxima ``(batch, filters)`` before ELU; see `conv_maxpool`."""
        return conv_maxpool(codes, self.weight, rows)[0]


def check_arguments(codes: Tensor, weight: Tensor) -> None:
    """Raise a ValueError that says what does not fit; see `conv_maxpool`."""
    if codes.dtype != torch.uint8 or codes.ndim != 2:
        raise ValueError(
            f"codes must be uint8 (sequences, length), not {codes.dtype} {tuple(codes.shape)}"
        )
    if weight.dtype != torch.float32 or weight.ndim != 3 or weight.shape[1] != 4:
        raise ValueError(
            f"weight must be float32 (filters, 4, width), not {weight.dtype} {tuple(weight.shape)}"
        )
    if not 1 <= weight.shape[2] <= codes.shape[1]:
        raise ValueError(
            f"filters of width {weight.shape[2]} do not fit into sequences of length "
            f"{codes.shape[1]}: use narrower filters or longer sequences"
        )
    if codes.device != weight.device:
        raise ValueError(f"codes are on {codes.device} but weight is on {weight.device}")


class _ConvMaxPool(torch.autograd.Function):
    """The best windows forward, a scatter of ``width`` additions per maximum backward."""

    @staticmethod
    def forward(ctx, codes: Tensor, weight: Tensor, rows: Tensor | None) -> tuple[Tensor, Tensor]:
        device = conv_maxpool_cpu if codes.device.type == "cpu" else conv_maxpool_gpu
        maxima, positions = device.forward(codes, weight.detach(), rows)
        ctx.save_for_backward(codes, rows, positions)
        ctx.width = weight.shape[2]
        ctx.mark_non_differentiable(positions)
        return maxima, positions

    @staticmethod
    def backward(ctx, grad_maxima: Tensor, _) -> tuple[None, Tensor | None, None]:
        if not ctx.needs_input_grad[1]:
            return None, None, None
        codes, rows, positions = ctx.saved_tensors
        device = conv_maxpool_cpu if codes.device.type == "cpu" else conv_maxpool_gpu
        return None, device.backward(codes, rows, positions, grad_maxima, ctx.width), None
