"""`conv_maxpool` on other devices: Triton on CUDA where it is installed, else torch operations."""

from __future__ import annotations

import importlib.util

import torch
import torch.nn.functional as F
from torch import Tensor

HAS_TRITON = importlib.util.find_spec("triton") is not None
WIDEST = 32  # wider filters' tiles do not fit into shared memory
CHUNK_ELEMENTS = 2**26  # windows x filters held at a time by torch operations: 256 MiB


def forward(
    codes: Tensor,
    weight: Tensor,
    rows: Tensor | None,
    precision: str,
    strands: int = 1,
    bins: int = 1,
) -> tuple[Tensor, Tensor]:
    """Best windows; see `cisgrammar.models.kernels.conv_maxpool.best_windows`."""
    if _is_fused(codes) and weight.shape[2] <= WIDEST:
        from cisgrammar.models.kernels import conv_maxpool_triton

        with torch.cuda.device_of(codes):
            maxima, windows = conv_maxpool_triton.forward(
                codes.contiguous(), weight, _all_or(rows, codes), precision, strands, bins
            )
    else:
        maxima, windows = torch_forward(codes, weight, rows, precision, strands, bins)
    not_finite = ~weight.isfinite().all(dim=2).all(dim=1)
    return maxima.masked_fill_(not_finite, torch.nan), windows.masked_fill_(not_finite, 0)


def backward(
    codes: Tensor, rows: Tensor | None, windows: Tensor, grad_maxima: Tensor, width: int
) -> Tensor:
    """Gradient of the weight ``(filters, 4, width)``: each maximum's, added to its window."""
    if _is_fused(codes):
        from cisgrammar.models.kernels import conv_maxpool_triton

        with torch.cuda.device_of(codes):
            return conv_maxpool_triton.backward(
                codes.contiguous(), _all_or(rows, codes), windows, grad_maxima, width
            )
    return torch_backward(codes, rows, windows, grad_maxima, width)


def _is_fused(codes: Tensor) -> bool:
    return codes.is_cuda and HAS_TRITON


def torch_forward(
    codes: Tensor,
    weight: Tensor,
    rows: Tensor | None,
    precision: str,
    strands: int = 1,
    bins: int = 1,
) -> tuple[Tensor, Tensor]:
    """Best windows by convolution and maximum over a few sequences at a time."""
    if rows is not None:
        codes = codes[rows]
    n_filters, _, width = weight.shape
    n_windows = codes.shape[1] - width + 1
    device = codes.device
    letters = torch.cat([torch.eye(4, device=device), torch.full((1, 4), 0.25, device=device)])
    at_once = max(1, CHUNK_ELEMENTS // (n_filters * n_windows))
    maxima = weight.new_empty(len(codes), bins, n_filters)
    windows = torch.empty(maxima.shape, dtype=torch.int32, device=codes.device)

    def scan(one_hot: Tensor) -> tuple[Tensor, Tensor]:
        scores = F.conv1d(one_hot, weight)  # (chunk, filters, windows)
        best, where = F.adaptive_max_pool1d(scores, bins, return_indices=True)
        return best.transpose(1, 2), where.transpose(1, 2).int()  # (chunk, bins, filters)

    cudnn = torch.backends.cudnn
    kept = {"benchmark": cudnn.benchmark, "deterministic": cudnn.deterministic}
    with cudnn.flags(enabled=True, allow_tf32=precision != "fp32", **kept):
        for start in range(0, len(codes), at_once):
            chunk = slice(start, start + at_once)
            one_hot = letters[codes[chunk].long()].transpose(1, 2)  # (chunk, 4, length)
            best, where = scan(one_hot)
            if strands == 2:  # read backwards, bins come in reverse order
                other, there = (found.flip(1) for found in scan(one_hot.flip(1, 2)))
                where = torch.where(other > best, there + n_windows, where)
                best = torch.maximum(best, other)
            maxima[chunk], windows[chunk] = best, where
    return maxima, windows


def torch_backward(
    codes: Tensor, rows: Tensor | None, windows: Tensor, grad_maxima: Tensor, width: int
) -> Tensor:
    """Gradient of the weight by torch operations, one place of the filters after the other."""
    sequence = _all_or(rows, codes)[:, None, None]
    length = codes.shape[1]
    n_windows = length - width + 1
    reverse = windows >= n_windows
    start = torch.where(reverse, windows - n_windows, windows).long()
    by_code = grad_maxima.new_zeros(windows.shape[2], width, 5)
    for place in range(width):
        at = start + place  # along the strand that is read
        code = codes[sequence, torch.where(reverse, length - 1 - at, at)]  # (batch, bins, filters)
        code = torch.where(reverse & (code < 4), 3 - code, code)
        for letter in range(5):
            by_code[:, place, letter] = (grad_maxima * (code == letter)).sum(dim=(0, 1))
    return (by_code[..., :4] + by_code[..., 4:] / 4).transpose(1, 2).contiguous()


def _all_or(rows: Tensor | None, codes: Tensor) -> Tensor:
    return torch.arange(len(codes), device=codes.device) if rows is None else rows
