"""Batch normalisation and maximum pooling on CUDA as fused Triton kernels, for training.

Channels lie together in memory: ``(batch, length, channels)``. What a convolution gave is read
twice on the way forward, for moments and for maxima, and once on the way back, where its gradient
is written. Programs write sums of their own, which are added up in one order: every run gives the
same bytes.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

ROWS = 64  # positions at a time
CHANNELS = 64
PROGRAMS = 512  # that share the rows


def forward(
    x: Tensor, gain: Tensor, offset: Tensor, pool: int, left: int, eps: float
) -> tuple[Tensor, tuple[Tensor, ...], Tensor, Tensor]:
    """Normalise by the batch's moments and pool.

    Parameters
    ----------
    x
        ``(batch, length, channels)``, float32 or bfloat16.
    gain, offset
        float32 ``(channels,)``.
    pool, left
        Positions in one, and how far the first reaches beyond the beginning.
    eps
        Added to the variance.

    Returns
    -------
    z
        ``(batch, pooled length, channels)``, as ``x`` in type.
    kept
        For :func:`backward`.
    mean, var
        The moments, ``var`` biased: float32 ``(channels,)``.
    """
    batch, length, channels = x.shape
    rows = batch * length
    sums = _sums(rows, channels, x.device)
    _moments[_grid(sums)](x, sums, rows, channels, n_rows=ROWS, n_channels=CHANNELS)
    mean, square = (sums.double().sum(dim=0) / rows).unbind(0)
    var = (square - mean.square()).clamp(min=0)
    inverse = (var + eps).rsqrt()
    scale = gain.double() * inverse
    shift = offset.double() - mean * scale
    numbers = torch.stack([mean, inverse, scale, shift]).float()
    pooled_length = -(-length // pool)
    z = x.new_empty(batch, pooled_length, channels)
    best = torch.empty_like(z)
    where = torch.empty(z.shape, dtype=torch.uint8, device=x.device)
    grid = (triton.cdiv(batch * pooled_length, ROWS), triton.cdiv(channels, CHANNELS))
    _pool[grid](
        x, numbers, z, best, where, batch * pooled_length, length, pooled_length, channels,
        pool=pool, left=left, n_rows=ROWS, n_channels=CHANNELS,
    )  # fmt: skip
    return z, (x, best, where, numbers), mean.float(), var.float()


def backward(
    grad: Tensor, x: Tensor, best: Tensor, where: Tensor, numbers: Tensor, pool: int, left: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Lead the gradient ``(batch, pooled length, channels)`` back: of x, gain and offset."""
    batch, length, channels = x.shape
    rows, pooled_rows = batch * length, grad.shape[0] * grad.shape[1]
    sums = _sums(pooled_rows, channels, x.device)
    _gradient_sums[_grid(sums)](
        grad, best, numbers, sums, pooled_rows, channels, n_rows=ROWS, n_channels=CHANNELS
    )
    total, weighted = sums.double().sum(dim=0).unbind(0)
    mean, inverse, scale, _ = numbers.double().unbind(0)
    slope = -scale * inverse * weighted / rows
    constant = -scale * total / rows - slope * mean
    line = torch.stack([constant, slope, scale]).float()
    out = torch.empty_like(x)
    grid = (triton.cdiv(rows, ROWS), triton.cdiv(channels, CHANNELS))
    _unpool[grid](
        grad, x, where, line, out, rows, length, grad.shape[1], channels,
        pool=pool, left=left, n_rows=ROWS, n_channels=CHANNELS,
    )  # fmt: skip
    return out, weighted.float(), total.float()


def _sums(rows: int, channels: int, device: torch.device) -> Tensor:
    programs = max(1, min(PROGRAMS, triton.cdiv(rows, ROWS)))
    return torch.empty(programs, 2, channels, device=device)


def _grid(sums: Tensor) -> tuple[int, int]:
    return len(sums), triton.cdiv(sums.shape[2], CHANNELS)


@triton.jit
def _moments(x, sums, rows, channels, n_rows: tl.constexpr, n_channels: tl.constexpr):
    channel = tl.program_id(1) * n_channels + tl.arange(0, n_channels)
    real = channel < channels
    total = tl.zeros((n_channels,), tl.float32)
    square = tl.zeros((n_channels,), tl.float32)
    for block in range(tl.program_id(0), tl.cdiv(rows, n_rows), tl.num_programs(0)):
        row = (block * n_rows + tl.arange(0, n_rows)).to(tl.int64)
        mask = (row < rows)[:, None] & real[None, :]
        at = row[:, None] * channels + channel[None, :]
        value = tl.load(x + at, mask=mask, other=0.0).to(tl.float32)
        total += tl.sum(value, axis=0)
        square += tl.sum(value * value, axis=0)
    out = sums + tl.program_id(0) * 2 * channels + channel
    tl.store(out, total, mask=real)
    tl.store(out + channels, square, mask=real)


@triton.jit
def _pool(
    x,
    numbers,
    z,
    best,
    where,
    pooled_rows,
    length,
    pooled_length,
    channels,
    pool: tl.constexpr,
    left: tl.constexpr,
    n_rows: tl.constexpr,
    n_channels: tl.constexpr,
):
    row = (tl.program_id(0) * n_rows + tl.arange(0, n_rows)).to(tl.int64)
    channel = tl.program_id(1) * n_channels + tl.arange(0, n_channels)
    real_row, real = row < pooled_rows, channel < channels
    scale = tl.load(numbers + 2 * channels + channel, mask=real, other=0.0)[None, :]
    shift = tl.load(numbers + 3 * channels + channel, mask=real, other=0.0)[None, :]
    sign = tl.where(scale < 0, -1.0, 1.0)  # a negative gain turns the order around
    first = row % pooled_length * pool - left
    start = row // pooled_length * length
    highest = tl.full((n_rows, n_channels), float("-inf"), tl.float32)
    place = tl.zeros((n_rows, n_channels), tl.int32)
    for k in tl.static_range(pool):
        position = first + k
        inside = real_row & (position >= 0) & (position < length)
        at = (start + position)[:, None] * channels + channel[None, :]
        mask = inside[:, None] & real[None, :]
        value = tl.load(x + at, mask=mask, other=0.0).to(tl.float32) * sign
        value = tl.where(mask, value, float("-inf"))
        higher = value > highest
        highest = tl.where(higher, value, highest)
        place = tl.where(higher, k, place)
    out = row[:, None] * channels + channel[None, :]
    mask = real_row[:, None] & real[None, :]
    raw = highest * sign
    tl.store(z + out, (raw * scale + shift).to(z.dtype.element_ty), mask=mask)
    tl.store(best + out, raw.to(best.dtype.element_ty), mask=mask)
    tl.store(where + out, place.to(tl.uint8), mask=mask)


@triton.jit
def _gradient_sums(
    grad, best, numbers, sums, rows, channels, n_rows: tl.constexpr, n_channels: tl.constexpr
):
    channel = tl.program_id(1) * n_channels + tl.arange(0, n_channels)
    real = channel < channels
    mean = tl.load(numbers + channel, mask=real, other=0.0)[None, :]
    inverse = tl.load(numbers + channels + channel, mask=real, other=0.0)[None, :]
    total = tl.zeros((n_channels,), tl.float32)
    weighted = tl.zeros((n_channels,), tl.float32)
    for block in range(tl.program_id(0), tl.cdiv(rows, n_rows), tl.num_programs(0)):
        row = (block * n_rows + tl.arange(0, n_rows)).to(tl.int64)
        mask = (row < rows)[:, None] & real[None, :]
        at = row[:, None] * channels + channel[None, :]
        g = tl.load(grad + at, mask=mask, other=0.0).to(tl.float32)
        value = tl.load(best + at, mask=mask, other=0.0).to(tl.float32)
        total += tl.sum(g, axis=0)
        weighted += tl.sum(g * (value - mean) * inverse, axis=0)
    out = sums + tl.program_id(0) * 2 * channels + channel
    tl.store(out, total, mask=real)
    tl.store(out + channels, weighted, mask=real)


@triton.jit
def _unpool(
    grad,
    x,
    where,
    line,
    out,
    rows,
    length,
    pooled_length,
    channels,
    pool: tl.constexpr,
    left: tl.constexpr,
    n_rows: tl.constexpr,
    n_channels: tl.constexpr,
):
    row = (tl.program_id(0) * n_rows + tl.arange(0, n_rows)).to(tl.int64)
    channel = tl.program_id(1) * n_channels + tl.arange(0, n_channels)
    mask = (row < rows)[:, None] & (channel < channels)[None, :]
    constant = tl.load(line + channel, mask=channel < channels, other=0.0)[None, :]
    slope = tl.load(line + channels + channel, mask=channel < channels, other=0.0)[None, :]
    scale = tl.load(line + 2 * channels + channel, mask=channel < channels, other=0.0)[None, :]
    position = row % length + left
    pooled = (row // length * pooled_length + position // pool)[:, None] * channels + channel[None]
    at = row[:, None] * channels + channel[None, :]
    value = tl.load(x + at, mask=mask, other=0.0).to(tl.float32)
    g = tl.load(grad + pooled, mask=mask, other=0.0).to(tl.float32)
    place = tl.load(where + pooled, mask=mask, other=255).to(tl.int32)
    found = constant + slope * value
    found += tl.where(place == (position % pool)[:, None].to(tl.int32), scale * g, 0.0)
    tl.store(out + at, found.to(out.dtype.element_ty), mask=mask)
