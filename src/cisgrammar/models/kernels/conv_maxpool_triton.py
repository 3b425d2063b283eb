"""`conv_maxpool` on CUDA as two fused Triton kernels; (batch, filters, length) is never written.

Forward, a tile of windows is spelled out as one-hot rows in registers and multiplied with a tile of
filters on the tensor cores. One-hot values (0, 1 and 1/4 for N) are exact in fp16, so only the
weights can lose digits: "fp32" cuts each into three fp16 parts that add up to it, "fp16" keeps the
first part, which is off by at most 2^-11 of the weight. Before, each filter is scaled by a power of
two into the middle of fp16's range. Sums are float32 in both.

Backward, each filter and place sums its maxima's gradients by letter, in a fixed order.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

PARTS = {"fp32": 3, "fp16": 1}
BLOCK_WINDOWS = 64
BLOCK_FILTERS = 64
BLOCK_BATCH = 32


def forward(
    codes: Tensor, weight: Tensor, rows: Tensor, precision: str, strands: int = 1, bins: int = 1
) -> tuple[Tensor, Tensor]:
    """Best windows; see `cisgrammar.models.kernels.conv_maxpool.best_windows`."""
    n_filters, _, width = weight.shape
    maxima = weight.new_empty(len(rows), bins, n_filters)
    windows = torch.empty(maxima.shape, dtype=torch.int32, device=weight.device)
    columns = max(16, triton.next_power_of_2(4 * width))
    parts, scale = _fp16_parts(weight, PARTS[precision], columns)
    grid = (len(rows), triton.cdiv(n_filters, BLOCK_FILTERS))
    _scan[grid](
        codes,
        rows,
        parts,
        scale,
        maxima,
        windows,
        codes.shape[1],
        n_filters,
        parts.shape[2],
        width,
        bins,
        strands=strands,
        parts=len(parts),
        columns=columns,
        block_windows=_block_windows(-(-(codes.shape[1] - width + 1) // bins)),
        block_filters=BLOCK_FILTERS,
    )
    return maxima, windows


def backward(
    codes: Tensor, rows: Tensor, windows: Tensor, grad_maxima: Tensor, width: int
) -> Tensor:
    """Gradient of the weight ``(filters, 4, width)``: each maximum's, added to its window."""
    batch, bins, n_filters = windows.shape
    grad_weight = grad_maxima.new_empty(n_filters, 4, width)
    grid = (triton.cdiv(n_filters, BLOCK_FILTERS), width)
    _scatter[grid](
        codes,
        rows,
        windows,
        grad_maxima.contiguous(),
        grad_weight,
        codes.shape[1],
        n_filters,
        batch * bins,
        width,
        bins,
        block_batch=BLOCK_BATCH,
        block_filters=BLOCK_FILTERS,
    )
    return grad_weight


def _block_windows(stretch: int) -> int:
    """Choose how many windows are scored at once: a short bin would leave most of 64 idle."""
    return min(BLOCK_WINDOWS, max(16, triton.next_power_of_2(stretch)))


def _fp16_parts(weight: Tensor, n_parts: int, columns: int) -> tuple[Tensor, Tensor]:
    """Cut scaled weights into fp16 parts, smallest first.

    Returns
    -------
    parts
        ``(n_parts, columns, filters)``, column ``4 * place + base``; columns and filters are
        padded with zeros to whole blocks.
    scale
        ``(filters,)``: powers of two; the parts of a filter add up to its weight times its scale.
    """
    n_filters, _, width = weight.shape
    exponent = torch.frexp(weight.abs().amax(dim=(1, 2))).exponent.clamp(-100, 100)
    scale = torch.ldexp(torch.ones_like(exponent, dtype=torch.float32), 14 - exponent)
    padded = weight.new_zeros(columns, triton.cdiv(n_filters, BLOCK_FILTERS) * BLOCK_FILTERS)
    scaled = (weight * scale[:, None, None]).permute(2, 1, 0)  # (width, 4, filters)
    padded[: 4 * width, :n_filters] = scaled.reshape(4 * width, n_filters)
    parts = []
    for _ in range(n_parts):
        parts.append(padded.half())
        padded = padded - parts[-1].float()
    return torch.stack(parts[::-1]), scale


@triton.jit
def _scan(
    codes,
    rows,
    weight_parts,
    scale,
    maxima,
    windows,
    length,
    n_filters,
    padded_filters,
    width,
    bins,
    strands: tl.constexpr,
    parts: tl.constexpr,
    columns: tl.constexpr,
    block_windows: tl.constexpr,
    block_filters: tl.constexpr,
):
    b = tl.program_id(0).to(tl.int64)
    filters = tl.program_id(1) * block_filters + tl.arange(0, block_filters)
    column = tl.arange(0, columns)
    place, base = column // 4, column % 4
    sequence = codes + tl.load(rows + b) * length
    n_windows = length - width + 1
    tile = weight_parts + column[:, None] * padded_filters + filters[None, :]
    smallest = tl.load(tile)
    if parts == 3:
        middle = tl.load(tile + columns * padded_filters)
        largest = tl.load(tile + 2 * columns * padded_filters)
    unscaled = tl.load(scale + filters, mask=filters < n_filters, other=1.0)
    for k in range(bins):
        left, right = k * n_windows // bins, tl.cdiv((k + 1) * n_windows, bins)
        best = tl.full((block_windows, block_filters), float("-inf"), tl.float32)
        where = tl.zeros((block_windows, block_filters), tl.int32)
        for strand in tl.static_range(strands):
            if strand == 0:
                first, last = left, right
            else:
                first, last = n_windows - right, n_windows - left
            for start in range(first, last, block_windows):
                p = start + tl.arange(0, block_windows)
                inside = p < last
                at = p[:, None] + place[None, :]
                if strand == 1:
                    at = length - 1 - at
                code = tl.load(
                    sequence + at, mask=inside[:, None] & (place < width)[None, :], other=5
                )
                if strand == 1:
                    code = tl.where(code < 4, 3 - code, code)
                one_hot = tl.where(code == base[None, :], 1.0, tl.where(code == 4, 0.25, 0.0))
                one_hot = one_hot.to(tl.float16)
                score = tl.dot(one_hot, smallest)
                if parts == 3:
                    score = tl.dot(one_hot, middle, score)
                    score = tl.dot(one_hot, largest, score)
                better = (score > best) & inside[:, None]
                best = tl.where(better, score, best)
                where = tl.where(better, strand * n_windows + p[:, None], where)
        top = tl.max(best, axis=0)
        number = tl.min(tl.where(best == top[None, :], where, strands * n_windows), axis=0)
        out = (b * bins + k) * n_filters + filters
        tl.store(maxima + out, top / unscaled, mask=filters < n_filters)
        tl.store(windows + out, number, mask=filters < n_filters)


@triton.jit
def _scatter(
    codes,
    rows,
    windows,
    grad_maxima,
    grad_weight,
    length,
    n_filters,
    n_maxima,
    width,
    bins,
    block_batch: tl.constexpr,
    block_filters: tl.constexpr,
):
    filters = tl.program_id(0) * block_filters + tl.arange(0, block_filters)
    place = tl.program_id(1)
    n_windows = length - width + 1
    sum_a = tl.zeros((block_filters,), tl.float32)
    sum_c = tl.zeros((block_filters,), tl.float32)
    sum_g = tl.zeros((block_filters,), tl.float32)
    sum_t = tl.zeros((block_filters,), tl.float32)
    sum_n = tl.zeros((block_filters,), tl.float32)
    for start in range(0, n_maxima, block_batch):
        i = start + tl.arange(0, block_batch)  # sequence times bins plus bin
        mask = (i < n_maxima)[:, None] & (filters < n_filters)[None, :]
        out = i.to(tl.int64)[:, None] * n_filters + filters[None, :]
        grad = tl.load(grad_maxima + out, mask=mask, other=0.0)
        window = tl.load(windows + out, mask=mask, other=0)
        row = tl.load(rows + i // bins, mask=i < n_maxima, other=0)
        reverse = window >= n_windows
        at = tl.where(reverse, length - 1 - (window - n_windows + place), window + place)
        code = tl.load(codes + row[:, None] * length + at, mask=mask, other=5)
        code = tl.where(reverse & (code < 4), 3 - code, code)
        sum_a += tl.sum(tl.where(code == 0, grad, 0.0), axis=0)
        sum_c += tl.sum(tl.where(code == 1, grad, 0.0), axis=0)
        sum_g += tl.sum(tl.where(code == 2, grad, 0.0), axis=0)
        sum_t += tl.sum(tl.where(code == 3, grad, 0.0), axis=0)
        sum_n += tl.sum(tl.where(code == 4, grad, 0.0), axis=0) / 4
    out = grad_weight + filters * 4 * width + place
    tl.store(out, sum_a + sum_n, mask=filters < n_filters)
    tl.store(out + width, sum_c + sum_n, mask=filters < n_filters)
    tl.store(out + 2 * width, sum_g + sum_n, mask=filters < n_filters)
    tl.store(out + 3 * width, sum_t + sum_n, mask=filters < n_filters)
