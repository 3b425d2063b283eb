"""Convolution and maxima over DNA codes: the operator of the shallow networks.

For every sequence ``b`` and filter ``f`` the maximum over ``p`` of
``sum over (base, i) of weight[f, base, i] * one_hot(codes)[b, base, p + i]``,
exactly, without ever holding (batch, filters, length):

- ELU is monotonic, so the maximum is taken before it and the caller applies ELU to the maxima;
- the gradient of a maximum reaches one window, so only its number is kept for the backward pass;
- on codes a filter is a sum of look-ups in tables over short words of DNA (on CPU).

The maximum is over the whole sequence or over each of its bins, on one strand or on both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor, nn

from cisgrammar.models.kernels import conv_maxpool_cpu, conv_maxpool_gpu

Precision = Literal["fp32", "fp16"]
Strands = Literal["forward", "both"]


class BestWindows(NamedTuple):
    """The best window of each filter in each bin of each sequence, ``(batch, filters, bins)``."""

    maxima: Tensor
    """float32, before ELU. NaN for a filter with a weight that is not finite."""
    positions: Tensor
    """Integers: the window's first base along the forward strand."""
    reverse: Tensor
    """bool: whether the filter fits there on the reverse strand."""


def conv_maxpool(
    codes: Tensor,
    weight: Tensor,
    rows: Tensor | None = None,
    precision: Precision = "fp32",
    strands: Strands = "forward",
    bins: int = 1,
) -> BestWindows:
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
    strands
        "both" reads each window also as its reverse complement; the better of the two counts.
    bins
        Stretches of the sequence, each with a maximum of its own. Where they begin and end:
        :func:`cisgrammar.models.kernels.stretches.stretches`.

    Returns
    -------
    The best windows. Of ties the forward strand's come first, and on each strand the first one
    in its direction of reading.

    Raises
    ------
    ValueError
        If shapes, types or devices do not fit, the filters are longer than the sequences, or
        there are more bins than windows.
    """
    maxima, windows = best_windows(codes, weight, rows, precision, strands, bins)
    if strands == "forward":
        return BestWindows(maxima, windows, torch.zeros_like(windows, dtype=torch.bool))
    n_windows = codes.shape[1] - weight.shape[2] + 1
    windows = windows.int()
    reverse = windows >= n_windows
    return BestWindows(maxima, torch.where(reverse, 2 * n_windows - 1 - windows, windows), reverse)


def best_windows(
    codes: Tensor,
    weight: Tensor,
    rows: Tensor | None = None,
    precision: Precision = "fp32",
    strands: Strands = "forward",
    bins: int = 1,
) -> tuple[Tensor, Tensor]:
    """Find the maxima, and windows by number: see `conv_maxpool`, which has the same arguments.

    Returns
    -------
    maxima
        float32 ``(batch, filters, bins)``, in memory bins before filters.
    windows
        Integers of the same shape. Of ``n`` windows those of the forward strand are 0 to
        ``n - 1``, those of the reverse strand ``n`` to ``2 * n - 1``, in the direction of reading.
    """
    check_arguments(codes, weight, precision, strands, bins)
    if rows is not None:
        rows = rows.to(codes.device, torch.int64)
    found = _ConvMaxPool.apply(codes, weight, rows, precision, 1 + (strands == "both"), bins)
    maxima, windows = (tensor.transpose(1, 2) for tensor in found)
    return maxima, windows


def conv_maxpool_side_by_side(
    codes: Tensor,
    weights: Sequence[Tensor],
    rows: Tensor | None = None,
    precision: Precision = "fp32",
    strands: Strands = "forward",
    bins: int = 1,
) -> tuple[Tensor, ...]:
    """Run the filters of several models over the same sequences as one wide convolution.

    Parameters
    ----------
    weights
        One ``(filters, 4, width)`` per model; the numbers of filters may differ, the width not.
    codes, rows, precision, strands, bins
        See `conv_maxpool`.

    Returns
    -------
    The maxima of each model, ``(batch, filters, bins)``: the same numbers as one model at a time
    gives.
    """
    maxima, _ = best_windows(codes, torch.cat(tuple(weights)), rows, precision, strands, bins)
    return maxima.split([len(weight) for weight in weights], dim=1)


class ConvMaxPool(nn.Module):
    """A bank of motif detectors: the best match of each filter in each bin of each sequence.

    Parameters
    ----------
    n_filters
        Number of filters.
    width
        Length of a filter in base pairs.
    precision, strands, bins
        See `conv_maxpool`.
    """

    def __init__(
        self,
        n_filters: int,
        width: int,
        precision: Precision = "fp32",
        strands: Strands = "forward",
        bins: int = 1,
    ) -> None:
        super().__init__()
        self.precision, self.strands, self.bins = precision, strands, bins
        self.weight = nn.Parameter(torch.empty(n_filters, 4, width))
        nn.init.normal_(self.weight, std=0.01)

    def forward(self, codes: Tensor, rows: Tensor | None = None) -> Tensor:
        """Give the maxima ``(batch, filters, bins)`` before ELU; see `conv_maxpool`."""
        return best_windows(codes, self.weight, rows, self.precision, self.strands, self.bins)[0]


def check_arguments(codes: Tensor, weight: Tensor, precision: str, strands: str, bins: int) -> None:
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
    if strands not in get_args(Strands):
        raise ValueError(f"strands must be one of {get_args(Strands)}, not {strands!r}")
    n_windows = codes.shape[1] - weight.shape[2] + 1
    if not 1 <= bins <= n_windows:
        raise ValueError(
            f"{bins} bins, but sequences of length {codes.shape[1]} have {n_windows} windows of "
            f"{weight.shape[2]}: use fewer bins, at least 1"
        )
    if codes.device != weight.device:
        raise ValueError(f"codes are on {codes.device} but weight is on {weight.device}")


class _ConvMaxPool(torch.autograd.Function):
    """The best windows forward, a scatter of ``width`` additions per maximum backward.

    Maxima and windows are ``(batch, bins, filters)`` here.
    """

    @staticmethod
    def forward(
        ctx,
        codes: Tensor,
        weight: Tensor,
        rows: Tensor | None,
        precision: Precision,
        strands: int,
        bins: int,
    ) -> tuple[Tensor, Tensor]:
        ctx.device = conv_maxpool_cpu if codes.device.type == "cpu" else conv_maxpool_gpu
        maxima, windows = ctx.device.forward(codes, weight.detach(), rows, precision, strands, bins)
        ctx.save_for_backward(codes, rows, windows)
        ctx.width = weight.shape[2]
        ctx.mark_non_differentiable(windows)
        return maxima, windows

    @staticmethod
    def backward(ctx, grad_maxima: Tensor, _) -> tuple[Tensor | None, ...]:
        if not ctx.needs_input_grad[1]:
            return (None,) * 6
        grad_weight = ctx.device.backward(*ctx.saved_tensors, grad_maxima.contiguous(), ctx.width)
        return None, grad_weight, None, None, None, None
