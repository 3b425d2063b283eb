"""What scBasset makes of a sequence in which a few bases were changed, for the price of those few.

A change reaches only so far through each convolution. Sequences with a change are therefore not
run through the whole trunk: of each layer the few positions that differ are computed anew, and all
others are those of the unchanged sequence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

from cisgrammar.models.kernels.norm_pool import same_padding
from cisgrammar.models.scbasset_layers import EPS, GELU_SLOPE, PRECISIONS, Block

if TYPE_CHECKING:
    from cisgrammar.models.scbasset import Scbasset


class ChangedSequences:
    """Sequences whose layers are kept, to be asked what changes in them do.

    Parameters
    ----------
    model
        A trained model; it is put into evaluation.
    codes
        The unchanged sequences, uint8 ``(sequences, length)``. Their layers take about 1.2 MB
        a sequence at published sizes.
    """

    @torch.no_grad()
    def __init__(self, model: Scbasset, codes: Tensor) -> None:
        self.model = model.eval()
        self.blocks = [model.stem, *model.tower]
        self.codes = codes.to(model.bases.device)
        x = model.bases.to(PRECISIONS[model.precision])[self.codes.long()].transpose(1, 2)
        self.layers = [x]  # inputs of each block, and the last one's output
        for block in self.blocks:
            x = block(x)
            self.layers.append(x)

    def embed(self) -> Tensor:
        """Describe the unchanged sequences: ``(sequences, bottleneck)``."""
        with torch.no_grad():
            return self.model.embed_features(self.layers[-1].float())

    @torch.no_grad()
    def embed_changed(self, rows: Tensor, starts: Tensor, patches: Tensor) -> Tensor:
        """Describe sequences in which some bases are replaced.

        Parameters
        ----------
        rows
            Which sequence is changed: int64 ``(changes,)``.
        starts
            Where the replaced bases begin: int64 ``(changes,)``.
        patches
            What replaces them, uint8 ``(changes, width)``; all lies within the sequences.

        Returns
        -------
        ``(changes, bottleneck)``: up to float rounding what the whole network gives.
        """
        device = self.layers[0].device
        rows, starts = rows.to(device), starts.to(device)
        patch = self.model.bases.to(self.layers[0].dtype)[patches.to(device).long()]
        patch = patch.transpose(1, 2)  # (changes, channels, width)
        for block, x in zip(self.blocks, self.layers, strict=False):
            starts, patch = _through(block, x, rows, starts, patch)
        features = self.layers[-1][rows]  # a copy
        _write(features, starts, patch)
        return self.model.embed_features(features.float())


def _through(
    block: Block, x: Tensor, rows: Tensor, starts: Tensor, patch: Tensor
) -> tuple[Tensor, Tensor]:
    """Lead changed positions through a block: where its output changes, and to what."""
    length, pool, width = x.shape[2], block.pool, block.weight.shape[2]
    before, after = (width - 1) // 2, width // 2
    n_out, (left, _) = -(-length // pool), same_padding(length, pool)
    reached = patch.shape[2] + width - 1  # positions after the convolution, before pooling
    n = min((reached + pool - 2) // pool + 1, n_out)
    first = torch.div(starts - after + left, pool, rounding_mode="floor").clamp(0, n_out - n)
    origin = first * pool - left  # of the convolution's output
    window = _read(x, rows, origin - before, n * pool + width - 1)
    _write(window, starts - (origin - before), patch)
    z = F.conv1d(window, (block.weight / GELU_SLOPE).to(x.dtype)).float()
    scale = GELU_SLOPE * block.gain * torch.rsqrt(block.running_var + EPS)
    shift = GELU_SLOPE * block.offset - block.running_mean * scale
    z = z * scale[:, None] + shift[:, None]
    places = origin[:, None] + torch.arange(n * pool, device=x.device)
    outside = (places < 0) | (places >= length)  # "same" pooling knows only what is there
    z = z.masked_fill(outside[:, None], -torch.inf)
    return first, F.silu(F.max_pool1d(z, pool)).to(x.dtype)


def _read(x: Tensor, rows: Tensor, starts: Tensor, width: int) -> Tensor:
    """Cut windows out of sequences, 0 beyond their ends: ``(changes, channels, width)``."""
    places = starts[:, None] + torch.arange(width, device=x.device)
    inside = (places >= 0) & (places < x.shape[2])
    by_position = x.transpose(1, 2)  # (sequences, length, channels)
    window = by_position[rows[:, None], places.clamp(0, x.shape[2] - 1)]
    return (window * inside[:, :, None]).transpose(1, 2)


def _write(x: Tensor, starts: Tensor, patch: Tensor) -> None:
    """Replace positions of ``x`` ``(changes, channels, length)`` in place."""
    places = starts[:, None] + torch.arange(patch.shape[2], device=x.device)
    x.scatter_(2, places[:, None].expand(patch.shape), patch)
