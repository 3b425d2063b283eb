"""The layers of scBasset: convolution, normalisation, pooling and an approximate GELU."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cisgrammar.models.contribution_rules import Rules, pool
from cisgrammar.models.conv_layers import ConvLayer, fold_norm
from cisgrammar.models.kernels.norm_pool import norm_pool, same_padding

MOMENTUM = 0.1  # weight of a batch in the running averages; Keras calls this .9
EPS = 1e-3
GELU_SLOPE = 1.702
TRUNCATED_STD = 0.87962566103423978  # of a standard normal cut off at 2
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def gelu(x: Tensor) -> Tensor:
    """Approximate GELU as the original does: ``x * sigmoid(1.702 x)``."""
    return F.silu(GELU_SLOPE * x) / GELU_SLOPE


class Block(nn.Module):
    """Convolution without bias, normalisation, pooling, and the GELU of what comes next."""

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int, filters: int, width: int, pool: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(filters, channels, width))
        self.gain = nn.Parameter(torch.ones(filters))
        self.offset = nn.Parameter(torch.zeros(filters))
        self.register_buffer("running_mean", torch.zeros(filters))
        self.register_buffer("running_var", torch.ones(filters))
        self.pool = pool

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, channels, length)`` to ``(batch, filters, ceil(length / pool))``."""
        weight = (self.weight / GELU_SLOPE).to(x.dtype)
        x = conv_same(x, weight)
        x = norm_pool(
            x,
            GELU_SLOPE * self.gain,
            GELU_SLOPE * self.offset,
            self.running_mean,
            self.running_var,
            pool=self.pool,
            training=self.training,
            momentum=MOMENTUM,
            eps=EPS,
        )
        return F.silu(x, inplace=not self.training)

    def followed(self, x: Tensor, rules: Rules) -> Tensor:
        """Do the same in evaluation, by rules of how it is followed back."""
        z = conv_same(x, self.weight)
        scale = GELU_SLOPE * self.gain * torch.rsqrt(self.running_var + EPS)
        z = z * (scale / GELU_SLOPE)[:, None]
        z = z + (GELU_SLOPE * self.offset - self.running_mean * scale)[:, None]
        if self.pool > 1:
            z = pool(rules, z, self.pool, *same_padding(z.shape[2], self.pool))
        return rules.activate(F.silu, z)

    def described(self) -> ConvLayer:
        """Give its weights as numbers, the normalisation folded in."""
        norm = (self.gain, self.offset, self.running_mean, self.running_var)
        weight, *numbers = (each.detach().cpu().numpy() for each in (self.weight, *norm))
        folded, bias = fold_norm(weight, None, numbers, EPS)
        return ConvLayer(folded, bias, before="gelu_sigmoid", after="none", pool=self.pool)


def conv_same(x: Tensor, weight: Tensor) -> Tensor:
    """Convolve to the same length; where a width is even, the end is padded by one more.

    On a CPU libraries' convolutions are made for many channels. With the four of DNA they are
    several times slower than one matrix product for each sequence.

    Parameters
    ----------
    x
        ``(batch, channels, length)``.
    weight
        ``(filters, channels, width)``.
    """
    width = weight.shape[2]
    before, after = (width - 1) // 2, width // 2
    if x.is_cuda or x.shape[1] > 4:
        if after > before:
            x = F.pad(x, (0, 1))
        if x.is_cuda:  # in two dimensions it takes channels that lie together as they are
            return F.conv2d(x.unsqueeze(2), weight.unsqueeze(2), padding=(0, before)).squeeze(2)
        return F.conv1d(x, weight, padding=before)
    windows = F.pad(x, (before, after)).unfold(2, width, 1)  # (batch, channels, length, width)
    return weight.flatten(1) @ windows.transpose(2, 3).flatten(1, 2)
