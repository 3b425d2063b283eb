"""Convolutions on their own: a short window without padding gives every neuron of a layer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import cast

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from cisgrammar.genome.sequence import N
from cisgrammar.models.abilities import HasConvolutions
from cisgrammar.models.base import Ensemble
from cisgrammar.models.conv_layers import ConvLayer, field

MOST_NUMBERS = 8_000_000  # of one layer that are in memory at once: 32 MB

_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": F.relu,
    "elu": F.elu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "exponential": torch.exp,
    "softplus": F.softplus,
    "silu": F.silu,
    "gelu": F.gelu,
    "gelu_sigmoid": lambda x: x * torch.sigmoid(1.702 * x),
    "none": lambda x: x,
}


def stacks_of(model: object) -> dict[str, list[ConvLayer]]:
    """Give the convolutions of a trained model by name; of several members, the heaviest's."""
    if isinstance(model, Ensemble):
        model = model.members[int(model.weights.mean(dim=1).argmax())]
    return cast(HasConvolutions, model).convolutions()


class Network:
    """The lower part of a network, up to the layer that is asked for.

    Parameters
    ----------
    layers
        From the one that reads DNA upwards.
    device
        Where it computes.
    """

    def __init__(self, layers: Sequence[ConvLayer], device: torch.device | str = "cpu") -> None:
        self.layers, self.device = list(layers), torch.device(device)
        self._weights = [torch.from_numpy(layer.weight).to(device) for layer in layers]
        self._biases = [torch.from_numpy(layer.bias).to(device) for layer in layers]
        bases = torch.cat([torch.eye(4), torch.full((1, 4), 0.25)])
        assert N == 4  # the last row
        self._bases = bases.to(device)

    def filters(self, depth: int) -> int:
        """Count the neurons of a layer."""
        return self.layers[depth - 1].filters

    def length(self, depth: int) -> int:
        """Count the bases that a neuron of a layer reads."""
        return field(self.layers, depth).length

    def one_hot(self, codes: Tensor | np.ndarray) -> Tensor:
        """Write codes ``(n, length)`` as ``(n, 4, length)``; N is 1/4 of each base."""
        codes = torch.as_tensor(codes).to(self.device)
        return self._bases[codes.long()].transpose(1, 2)

    def values(self, bases: Tensor, depth: int, kept: list[Tensor] | None = None) -> Tensor:
        """Run up to a layer: its neurons before their activation.

        Parameters
        ----------
        bases
            ``(n, 4, length)``. Differentiable.
        depth
            Number of the layer, from 1.
        kept
            Takes what each pool of more than one position reads, ``(n, channels, positions)``,
            the lowest first.

        Returns
        -------
        ``(n, filters, positions)``.
        """
        x = bases
        for i in range(depth - 1):
            x = self._above(self._convolved(x, i), i, kept)
        return self._convolved(x, depth - 1)

    def taps(self, bases: Tensor, depth: int, neuron: int, kept: list[Tensor]) -> Tensor:
        """Split one neuron's value into what each channel gives at each tap.

        Parameters
        ----------
        bases
            ``(n, 4, length)``: as long as the neuron's field.
        depth, neuron
            Which.
        kept
            As for :meth:`values`.

        Returns
        -------
        ``(n, channels, width)``; with the bias they add up to the value.
        """
        x = bases
        for i in range(depth - 1):
            x = self._above(self._convolved(x, i), i, kept)
        layer = self.layers[depth - 1]
        read = _ACTIVATIONS[layer.before](x)[..., :: layer.dilation]
        return read * self._weights[depth - 1][neuron]

    def _convolved(self, x: Tensor, i: int) -> Tensor:
        layer, weight = self.layers[i], self._weights[i]
        x = _ACTIVATIONS[layer.before](x)
        if x.shape[1] > 4 or layer.dilation > 1 or x.is_cuda:
            return F.conv1d(x, weight, self._biases[i], layer.stride, dilation=layer.dilation)
        # libraries' convolutions are made for many channels: a product is several times faster
        windows = x.unfold(2, layer.width, layer.stride)  # (n, 4, positions, width)
        flat = windows.permute(0, 2, 1, 3).flatten(2)  # (n, positions, 4 x width)
        return (flat @ weight.flatten(1).T + self._biases[i]).transpose(1, 2)

    def _above(self, x: Tensor, i: int, kept: list[Tensor] | None) -> Tensor:
        """Go on from a convolution to what the next one reads."""
        layer = self.layers[i]
        x = _ACTIVATIONS[layer.after](x)
        if layer.scale is not None and layer.shift is not None:
            scale, shift = (torch.from_numpy(a).to(x)[:, None] for a in (layer.scale, layer.shift))
            x = x * scale + shift
        if not layer.is_pooled:
            return x
        if kept is not None:
            kept.append(x)
        return F.max_pool1d(x, layer.pool, layer.pool_step)

    def base_scores(self) -> np.ndarray:
        """Give what each base adds at each position of the first layer's filters.

        Returns
        -------
        float64 ``(filters, 4, width)``; with the bias they add up to the value.
        """
        single = self.one_hot(np.arange(4, dtype=np.uint8)[:, None])  # (base, channel, 1)
        read = _ACTIVATIONS[self.layers[0].before](single)[..., 0].cpu().numpy()
        return np.einsum("fcw,bc->fbw", self.layers[0].weight.astype(np.float64), read)

    def batches(self, n: int, depth: int, length: int | None = None) -> Iterator[slice]:
        """Cut sequences into batches that fit in memory, a million at most."""
        widest = max(layer.filters for layer in self.layers[:depth])
        numbers = max(widest, 4 * self.layers[0].width) * (length or self.length(depth))
        size = min(max(1, MOST_NUMBERS // numbers), 1_000_000)
        for first in range(0, n, size):
            yield slice(first, first + size)

    @torch.no_grad()
    def read(self, codes: np.ndarray, depth: int) -> np.ndarray:
        """Give every neuron's value of windows as long as its field.

        Parameters
        ----------
        codes
            uint8 ``(n, length)``.
        depth
            Number of the layer.

        Returns
        -------
        float32 ``(n, filters)``.
        """
        found = np.empty((len(codes), self.filters(depth)), np.float32)
        for batch in self.batches(len(codes), depth):
            values = self.values(self.one_hot(codes[batch]), depth)
            found[batch] = values[..., 0].cpu().numpy()
        return found

    @torch.no_grad()
    def below_pools(self, codes: np.ndarray, depth: int) -> list[np.ndarray]:
        """Give the neurons whose values are pooled below a layer, before their activation.

        Returns
        -------
        The lowest layer first: float32 ``(n, channels x positions)``.
        """
        parts: list[list[Tensor]] = []
        for batch in self.batches(len(codes), depth):
            x, its = self.one_hot(codes[batch]), []
            for i in range(depth - 1):
                x = self._convolved(x, i)
                if self.layers[i].is_pooled:
                    its.append(x.flatten(1).cpu())
                x = self._above(x, i, None)
            parts.append(its)
        return [torch.cat(each).numpy() for each in zip(*parts, strict=True)]

    @torch.no_grad()
    def scan(self, codes: np.ndarray, depth: int) -> Iterator[tuple[slice, np.ndarray]]:
        """Give every neuron's value along longer sequences, batch by batch.

        Yields
        ------
        Rows, and float32 ``(n, filters, positions)``. A window of position ``i`` starts at base
        ``i`` times the layer's step and stride.
        """
        for batch in self.batches(len(codes), depth, codes.shape[1]):
            yield batch, self.values(self.one_hot(codes[batch]), depth).cpu().numpy()

    def step(self, depth: int) -> int:
        """Count the bases from one position of :meth:`scan` to the next."""
        return field(self.layers, depth).step * self.layers[depth - 1].stride
