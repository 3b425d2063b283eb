"""Convolution and global maximum over DNA codes: the operator of the shallow networks.

For every sequence ``b`` and filter ``f`` the maximum over ``p`` of
``sum over (base, i) of weight[f, base, i] * one_hot(codes)[b, base, p + i]``,
exactly, without ever holding (batch, filters, length):

- ELU is monotonic, so the maximum is taken before it and the caller applies ELU to the maxima;
- the gradient of a maximum reaches one window, so only its position is kept for the backward pass;
- on codes a filter is a sum of look-ups in tables over short words of DNA (on CPU).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from cisgrammar.models.kernels import conv_maxpool_cpu, conv_maxpool_gpu

Precision = Literal["fp32", "fp16"]


def conv_maxpool(
    codes: Tensor,
    weight: Tensor,
    rows: Tensor | None = None,
    precision: Precision = "fp32",
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
    precision
        "fp16" is faster on CUDA: it rounds weights there to 11 binary digits, so that a maximum is
        off by at most 2^-11 of the sum of its window's absolute weights. No difference on CPU.

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
    check_arguments(codes, weight, precision)
    if rows is not None:
        rows = rows.to(codes.device, torch.int64)
    return _ConvMaxPool.apply(codes, weight, rows, precision)


def conv_maxpool_side_by_side(
    codes: Tensor,
    weights: Sequence[Tensor],
    rows: Tensor | None = None,
    precision: Precision = "fp32",
) -> tuple[Tensor, ...]:
    """Run the filters of several models over the same sequences as one wide convolution.

    Parameters
    ----------
    weights
        One ``(filters, 4, width)`` per model; the numbers of filters may differ, the width not.
    codes, rows, precision
        See `conv_maxpool`.

    Returns
    -------
    The maxima of each model, ``(batch, filters)``: the same numbers as one model at a time gives.
    """
    maxima, _ = conv_maxpool(codes, torch.cat(tuple(weights)), rows, precision)
    return maxima.split([len(weight) for weight in weights], dim=1)


class ConvMaxPool(nn.Module):
    """A bank of motif detectors: the best match of each filter in each sequence.

    Parameters
    ----------
    n_filters
        Number of filters.
    width
        Length of a filter in base pairs.
    precision
        See `conv_maxpool`.
    """

    def __init__(self, n_filters: int, width: int, precision: Precision = "fp32") -> None:
        super().__init__()
        self.precision = precision
        self.weight = nn.Parameter(torch.empty(n_filters, 4, width))
        nn.init.normal_(self.weight, std=0.01)

    def forward(self, codes: Tensor, rows: Tensor | None = None) -> Tensor:
        """Give the maxima ``(batch, filters)`` before ELU; see `conv_maxpool`."""
        return conv_maxpool(codes, self.weight, rows, self.precision)[0]


def check_arguments(codes: Tensor, weight: Tensor, precision: str) -> None:
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
    if precision not in get_args(Precision):
        raise ValueError(f"precision must be one of {get_args(Precision)}, not {precision!r}")
    if codes.device != weight.device:
        raise ValueError(f"codes are on {codes.device} but weight is on {weight.device}")


class _ConvMaxPool(torch.autograd.Function):
    """The best windows forward, a scatter of ``width`` additions per maximum backward."""

    @staticmethod
    def forward(
        ctx, codes: Tensor, weight: Tensor, rows: Tensor | None, precision: Precision
    ) -> tuple[Tensor, Tensor]:
        ctx.device = conv_maxpool_cpu if codes.device.type == "cpu" else conv_maxpool_gpu
        maxima, positions = ctx.device.forward(codes, weight.detach(), rows, precision)
        ctx.save_for_backward(codes, rows, positions)
        ctx.width = weight.shape[2]
        ctx.mark_non_differentiable(positions)
        return maxima, positions

    @staticmethod
    def backward(ctx, grad_maxima: Tensor, _) -> tuple[None, Tensor | None, None, None]:
        if not ctx.needs_input_grad[1]:
            return None, None, None, None
        grad_weight = ctx.device.backward(*ctx.saved_tensors, grad_maxima, ctx.width)
        return None, grad_weight, None, None
