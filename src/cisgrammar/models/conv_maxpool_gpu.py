"""`conv_maxpool` in plain torch operations: for devices without a kernel of their own."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

CHUNK_ELEMENTS = 2**26  # windows x filters held at a time: 256 MiB of float32


def forward(codes: Tensor, weight: Tensor, rows: Tensor | None) -> tuple[Tensor, Tensor]:
    """Best windows; see `cisgrammar.models.conv_maxpool.conv_maxpool`."""
    if rows is not None:
        codes = codes[rows]
    n_filters, _, width = weight.shape
    windows = codes.shape[1] - width + 1
    letters = _letters(codes.device)
    at_once = max(1, CHUNK_ELEMENTS // (n_filters * windows))
    maxima = weight.new_empty(len(codes), n_filters)
    positions = torch.empty(len(codes), n_filters, dtype=torch.int32, device=codes.device)
    for start in range(0, len(codes), at_once):
        chunk = slice(start, start + at_once)
        one_hot = letters[codes[chunk].long()].transpose(1, 2)  # (chunk, 4, length)
        best, where = F.max_pool1d(F.conv1d(one_hot, weight), windows, return_indices=True)
        maxima[chunk], positions[chunk] = best[:, :, 0], where[:, :, 0].int()
    maxima[:, ~weight.isfinite().all(dim=(1, 2))] = torch.nan
    return maxima, positions


def backward(
    codes: Tensor, rows: Tensor | None, positions: Tensor, grad_maxima: Tensor, width: int
) -> Tensor:
    """Gradient of the weight ``(filters, 4, width)``: each maximum's, added to its window."""
    batch, n_filters = positions.shape
    first = torch.arange(batch, device=codes.device) if rows is None else rows
    by_code = grad_maxima.new_zeros(n_filters, width, 5)
    for place in range(width):
        code = codes[first[:, None], positions.long() + place].long()  # (batch, filters)
        one_hot = F.one_hot(code, 5).to(grad_maxima.dtype)
        by_code[:, place] = torch.einsum("bf,bfc->fc", grad_maxima, one_hot)
    return (by_code[..., :4] + by_code[..., 4:] / 4).transpose(1, 2).contiguous()


def _letters(device: torch.device) -> Tensor:
    """One-hot rows of A, C, G, T and N (a quarter of each): ``(5, 4)``."""
    return torch.cat([torch.eye(4, device=device), torch.full((1, 4), 0.25, device=device)])
