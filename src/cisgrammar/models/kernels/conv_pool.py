"""Convolution, ReLU and maximum pooling in one operator, of DNA codes and of what that gives.

On a CPU neither what a convolution gives nor its gradient is ever held in full:

- ReLU rises monotonically, so the maximum of each pool is taken before it;
- on codes a filter is a sum of look-ups in tables over short words of DNA;
- the gradient of a maximum reaches one window, so the way back visits the places of maxima only.

Positions come before channels, so that what a window holds lies together in memory.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from cisgrammar.genome.sequence import N
from cisgrammar.models.kernels import conv_pool_cpu

LARGEST_POOL = 255  # places in a pool are kept as bytes
assert N == 4  # the last row of one_hot


def conv_pool_codes(
    codes: Tensor, weight: Tensor, bias: Tensor, pool: int, padding: int, pool_padding: int
) -> Tensor:
    """Convolve DNA, take ReLU, and keep the highest of every ``pool`` positions.

    Parameters
    ----------
    codes
        uint8 ``(batch, length)``: A C G T = 0 1 2 3; N = 4 counts a quarter of each base, and
        5 nothing, as what is padded.
    weight, bias
        float32 ``(filters, 4, width)`` and ``(filters,)``. Differentiable.
    pool
        Positions in one, at most 255. Positions that are left over at the end are dropped.
    padding, pool_padding
        Positions added at either end of the sequence, and of what the convolution gives.

    Returns
    -------
    float32 ``(batch, positions, filters)``.

    Raises
    ------
    ValueError
        If a pool is larger than 255.
    """
    _check(pool)
    if codes.device.type == "cpu":
        return _OfCodes.apply(codes, weight, bias, pool, padding, pool_padding)
    x = F.conv1d(one_hot(codes).transpose(1, 2), weight, bias, padding=padding)
    return F.max_pool1d(F.relu(x), pool, padding=pool_padding).transpose(1, 2)


def conv_pool(x: Tensor, weight: Tensor, bias: Tensor, pool: int, padding: int) -> Tensor:
    """Do the same with numbers.

    Parameters
    ----------
    x
        float32 ``(batch, positions, channels)``. Differentiable.
    weight, bias
        float32 ``(filters, channels, width)`` and ``(filters,)``. Differentiable.
    pool, padding
        As in :func:`conv_pool_codes`.

    Returns
    -------
    float32 ``(batch, positions, filters)``.
    """
    _check(pool)
    if x.device.type == "cpu":
        return _OfNumbers.apply(x, weight, bias, pool, padding)
    y = F.conv1d(x.transpose(1, 2), weight, bias, padding=padding)
    return F.max_pool1d(F.relu(y), pool).transpose(1, 2)


def one_hot(codes: Tensor) -> Tensor:
    """Write codes as ``(batch, length, 4)``."""
    nothing = torch.zeros(1, 4)
    rows = torch.cat([torch.eye(4), torch.full((1, 4), 0.25), nothing]).to(codes.device)
    return rows[codes.long()]


def _check(pool: int) -> None:
    if pool > LARGEST_POOL:
        raise ValueError(f"pools hold at most {LARGEST_POOL} positions, not {pool}")


class _OfCodes(torch.autograd.Function):
    @staticmethod
    def forward(ctx, codes, weight, bias, pool, padding, pool_padding):
        pooled, where, words = conv_pool_cpu.of_codes(
            codes, weight.detach(), bias.detach(), pool, padding, pool_padding
        )
        ctx.save_for_backward(pooled, where, words)
        ctx.sizes = (weight.shape[2], pool, pool_padding)
        return pooled

    @staticmethod
    def backward(ctx, grad):
        grads = conv_pool_cpu.of_codes_back(grad, *ctx.saved_tensors, *ctx.sizes)
        return None, *grads, None, None, None


class _OfNumbers(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias, pool, padding):
        pooled, where = conv_pool_cpu.of_numbers(
            x.detach(), weight.detach(), bias.detach(), pool, padding
        )
        ctx.save_for_backward(x, weight, pooled, where)
        ctx.sizes = (pool, padding)
        return pooled

    @staticmethod
    def backward(ctx, grad):
        grads = conv_pool_cpu.of_numbers_back(grad, *ctx.saved_tensors, *ctx.sizes)
        return *grads, None, None
