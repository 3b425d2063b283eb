"""scBasset's convolutions in training on a CPU: fewer multiplications, and little kept in memory.

Layers lie channels last. A filter of width 5 would cost five multiplications for each base and pair
of channels; by the minimal filtering algorithms of Winograd (1980), as in Lavin & Gray (2016), four
neighbouring positions together cost eight instead of twenty. What is multiplied are sums of
neighbouring rows, made for some sequences at a time from activations made for them, and thrown
away.

For the way back are kept: of all blocks but the first (the largest) what the convolution gave, and
the places of maxima, which give again what pooling left. Of the first what pooling left is kept;
what its convolution gave it needs only in a sum over positions, which the products of its windows
with each other give as well.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cache
from typing import Any

import numba
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from cisgrammar.models.kernels.norm_pool import same_padding

POSITIONS_AT_ONCE = 2048
POINTS = tuple(map(Fraction, ("0", "1", "-1", "2", "-2", "1/2", "-1/2")))
WIDEST = len(POINTS)  # filters of other blocks than the first


def trunk(
    x: Tensor,
    weights: Sequence[Tensor],
    gains: Sequence[Tensor],
    offsets: Sequence[Tensor],
    pools: Sequence[int],
    eps: float,
) -> tuple[Tensor, list[tuple[Tensor, Tensor]]]:
    """Convolve, normalise by the batch and pool, block after block; SiLU stands between blocks.

    Parameters
    ----------
    x
        ``(batch, length, channels)``, float32; no gradient is given for it.
    weights, gains, offsets, pools
        Of each block: the filters ``(filters, channels, width)``, no wider than 7 after the first
        block; what normalised values are multiplied by, and what is added then, ``(filters,)``;
        positions pooled to one.
    eps
        Added to variances.

    Returns
    -------
    z
        What the last block gives, without SiLU: ``(batch, positions, filters)``.
    moments
        Mean and (biased) variance of each block's channels over the batch.
    """
    parameters = [p for block in zip(weights, gains, offsets, strict=True) for p in block]
    z, *moments = _Trunk.apply(x, tuple(pools), eps, *parameters)
    return z, list(zip(moments[::2], moments[1::2], strict=True))


class _Trunk(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, pools: tuple[int, ...], eps: float, *parameters: Tensor
    ) -> tuple[Tensor, ...]:
        blocks: list[_Block] = []
        for pool, weight, gain, offset in zip(
            pools, parameters[::3], parameters[1::3], parameters[2::3], strict=True
        ):
            given = (weight, gain, offset, pool, eps)
            blocks.append(_Other(blocks[-1], *given) if blocks else _First(x, *given))
            blocks[-1].forward()
            if len(blocks) > 1:
                blocks[-2].forget()
        ctx.blocks = blocks
        moments = [moment.float() for block in blocks for moment in (block.mean, block.var)]
        ctx.mark_non_differentiable(*moments)
        return blocks[-1].normalised(slice(None)), *moments

    @staticmethod
    def backward(ctx: Any, grad: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        grads: list[Tensor] = []
        blocks, ctx.blocks = ctx.blocks, None
        while blocks:
            if len(blocks) > 1:
                blocks[-2].remember()
            of_input, *of_parameters = blocks.pop().backward(grad.contiguous())
            grads = of_parameters + grads
            grad = of_input
        return None, None, None, *grads


class _Block:
    """One block: what it was given, and what it keeps."""

    pooled: Tensor  # (batch, positions, filters)
    where: Tensor  # uint8, the place of each maximum in its window

    def __init__(
        self, source: Tensor | _Block, weight: Tensor, gain: Tensor, offset: Tensor, pool: int,
        eps: float,
    ) -> None:  # fmt: skip
        self.source, self.pool, self.eps = source, pool, eps
        self.weight = weight.detach().permute(2, 1, 0).contiguous()  # (width, channels, filters)
        self.gain, self.offset = gain.detach(), offset.detach()
        self.width, self.channels, self.filters = self.weight.shape
        self.batch, self.length, _ = (source if isinstance(source, Tensor) else source.pooled).shape
        self.before = (self.width - 1) // 2
        self.left = same_padding(self.length, pool)[0]

    def forward(self) -> None:
        """Convolve and pool."""
        self.pooled = torch.empty(self.batch, -(-self.length // self.pool), self.filters)
        self.where = torch.empty(self.pooled.shape, dtype=torch.uint8)
        sums = torch.empty(self.batch, 2, self.filters)
        sign = torch.where(self.gain < 0, -1.0, 1.0)  # a negative gain turns the order around
        for part, convolved in self.convolve():
            _pool(
                convolved.numpy(), sign.numpy(), self.pool, self.left,
                self.pooled[part].numpy(), self.where[part].numpy(), sums[part].numpy(),
            )  # fmt: skip
        mean, square = sums.double().sum(dim=0) / (self.batch * self.length)
        self.mean, self.var = mean, (square - mean.square()).clamp(min=0)
        self.inverse = (self.var + self.eps).rsqrt()
        self.scale = (self.gain.double() * self.inverse).float()
        self.shift = (self.offset.double() - self.mean * self.gain.double() * self.inverse).float()

    def backward(self, grad: Tensor) -> tuple[Tensor | None, Tensor, Tensor, Tensor]:
        """Give gradients of what the block was given (before SiLU), weight, gain and offset."""
        sums = torch.empty(self.batch, 2, self.filters)
        _gradient_sums(grad.numpy(), self.pooled.numpy(), self.mean.float().numpy(), sums.numpy())
        total, weighted = sums.double().sum(dim=0)
        weighted = weighted * self.inverse
        n = self.batch * self.length
        slope = -self.gain.double() * self.inverse.square() * weighted / n
        constant = -self.gain.double() * self.inverse * total / n - slope * self.mean
        of_input, of_weight = self.convolve_back(grad, slope, constant)
        return of_input, of_weight.permute(2, 1, 0), weighted.float(), total.float()

    def convolve(self) -> Iterator[tuple[slice, Tensor]]:
        """Give parts of the batch convolved."""
        raise NotImplementedError

    def convolve_back(
        self, grad: Tensor, slope: Tensor, constant: Tensor
    ) -> tuple[Tensor | None, Tensor]:
        """Give gradients of what the block was given, and of its filters."""
        raise NotImplementedError

    def forget(self) -> None:
        """Let go of what can be made again."""

    def remember(self) -> None:
        """Make it again."""

    def parts(self) -> Iterator[slice]:
        """Cut the batch."""
        n = max(POSITIONS_AT_ONCE // self.length, 1)
        for first in range(0, self.batch, n):
            yield slice(first, min(first + n, self.batch))

    def normalised(self, part: slice) -> Tensor:
        """``(sequences, positions, filters)``, before SiLU."""
        return torch.addcmul(self.shift, self.pooled[part], self.scale)

    def spread(
        self, grad: Tensor, part: slice, convolved: Tensor | None, slope: Tensor, constant: Tensor
    ) -> Tensor:
        """Lead gradients back through pooling and normalisation."""
        out = torch.empty(part.stop - part.start, self.length, self.filters)
        _spread(
            grad[part].numpy(), None if convolved is None else convolved[part].numpy(),
            self.where[part].numpy(), self.scale.numpy(), slope.float().numpy(),
            constant.float().numpy(), self.pool, self.left, out.numpy(),
        )  # fmt: skip
        return out


class _First(_Block):
    """The block that reads sequences, by one matrix product for each part of the batch."""

    source: Tensor

    def convolve(self) -> Iterator[tuple[slice, Tensor]]:
        n_window = self.width * self.channels
        self.window_sum = torch.zeros(n_window, dtype=torch.float64)
        self.window_products = torch.zeros(n_window, n_window, dtype=torch.float64)
        for part in self.parts():
            windows = self.windows(part)
            self.window_sum += windows.sum(dim=0)
            self.window_products += windows.T @ windows
            yield part, (windows @ self.weight.flatten(0, 1)).view(-1, self.length, self.filters)

    def windows(self, part: slice) -> Tensor:
        """Spell out what each position's filters see: ``(positions, width * channels)``."""
        padded = F.pad(self.source[part], (0, 0, self.before, self.width // 2))
        return (
            padded.unfold(1, self.width, 1).transpose(2, 3).reshape(-1, self.weight[..., 0].numel())
        )

    def convolve_back(self, grad: Tensor, slope: Tensor, constant: Tensor) -> tuple[None, Tensor]:
        found = torch.zeros(self.width * self.channels, self.filters)
        none = torch.zeros(self.filters)
        for part in self.parts():
            spread = self.spread(grad, part, None, none, none)
            found.addmm_(self.windows(part).T, spread.flatten(0, 1))
        products = self.window_products @ self.weight.flatten(0, 1).double()
        rest = self.window_sum[:, None] * constant + products * slope
        return None, (found + rest).float().view(self.weight.shape)


class _Other(_Block):
    """A block that reads the one before it, by Winograd's algorithm."""

    source: _Block

    def convolve(self) -> Iterator[tuple[slice, Tensor]]:
        to_filter, to_tile, from_tile = transforms(self.width)
        self.step = len(from_tile)
        filters = torch.einsum("kw,wcf->kcf", to_filter, self.weight)
        self.convolved = torch.empty(self.batch, self.length, self.filters)
        for part in self.parts():
            tiles = self.tiles(
                F.silu(self.source.normalised(part), inplace=True), to_tile, self.before
            )
            _from_tiles(
                torch.bmm(tiles, filters).numpy(), from_tile.numpy(), self.step, 0,
                self.convolved[part].numpy(),
            )  # fmt: skip
        yield slice(0, self.batch), self.convolved

    def forget(self) -> None:
        del self.pooled

    def remember(self) -> None:
        self.pooled = torch.empty(self.where.shape)
        _pick(self.convolved.numpy(), self.where.numpy(), self.pool, self.left, self.pooled.numpy())

    def tiles(self, rows: Tensor, matrix: Tensor, before: int) -> Tensor:
        """Give sums of neighbouring rows: ``(sums, tiles, channels)``."""
        n_tiles = -(-self.length // self.step)
        tiles = torch.empty(len(matrix), len(rows) * n_tiles, rows.shape[2])
        _to_tiles(rows.numpy(), matrix.numpy(), self.step, before, tiles.numpy())
        return tiles

    def convolve_back(self, grad: Tensor, slope: Tensor, constant: Tensor) -> tuple[Tensor, Tensor]:
        to_filter, to_tile, from_tile = transforms(self.width)
        filters = torch.einsum("kw,wcf->kcf", to_filter, self.weight)
        of_filter = torch.zeros_like(filters)
        of_input = torch.empty_like(self.source.pooled)
        for part in self.parts():
            spread = self.spread(grad, part, self.convolved, slope, constant)
            of_product = self.tiles(spread, from_tile.T.contiguous(), 0)
            before_silu = self.source.normalised(part)
            tiles = self.tiles(F.silu(before_silu), to_tile, self.before)
            of_filter.baddbmm_(tiles.transpose(1, 2), of_product)
            of_tiles = torch.bmm(of_product, filters.transpose(1, 2))
            of_silu = torch.empty_like(before_silu)
            _from_tiles(
                of_tiles.numpy(), to_tile.T.contiguous().numpy(), self.step, self.before,
                of_silu.numpy(),
            )  # fmt: skip
            of_input[part] = torch.ops.aten.silu_backward(of_silu, before_silu)
        return of_input, torch.einsum("kw,kcf->wcf", to_filter, of_filter)


@cache
def transforms(width: int) -> tuple[Tensor, Tensor, Tensor]:
    """Matrices of Winograd's algorithm for filters of a width, at most 7.

    Returns
    -------
    to_filter
        ``(products, width)``: what a filter is multiplied by.
    to_tile
        ``(products, products)``: what as many neighbouring positions are multiplied by.
    from_tile
        ``(positions, products)``: what products are multiplied by to get the convolution.

    Notes
    -----
    Polynomials are multiplied by their values at some points, one of them infinity (Toom and Cook);
    transposed, that is a convolution.
    """
    n_out = min(4, WIDEST + 2 - width) if width > 1 else 1
    points = POINTS[: n_out + width - 2]
    n = len(points) + 1
    to_filter, to_tile, from_tile = np.zeros((n, width)), np.zeros((n, n)), np.zeros((n_out, n))
    for k, point in enumerate(points):
        others = [other for other in points if other != point]
        scale = math.prod(point - other for other in others)
        to_filter[k] = [float(point**j / scale) for j in range(width)]
        to_tile[k, : n - 1] = _coefficients(others)
        from_tile[:, k] = [float(point**i) for i in range(n_out)]
    to_filter[-1, -1] = from_tile[-1, -1] = 1
    to_tile[-1] = _coefficients(points)
    first, second, third = (
        torch.from_numpy(matrix.astype(np.float32)) for matrix in (to_filter, to_tile, from_tile)
    )
    return first, second, third


def _coefficients(roots: Sequence[Fraction]) -> list[float]:
    """Of the polynomial with these roots, the constant first."""
    found = [Fraction(1)]
    for root in roots:
        shifted, scaled = [Fraction(0), *found], [*(root * value for value in found), Fraction(0)]
        found = [one - other for one, other in zip(shifted, scaled, strict=True)]
    return [float(value) for value in found]


@numba.njit(parallel=True, cache=True, fastmath={"reassoc", "contract"})
def _to_tiles(rows, matrix, step, before, tiles):
    """Multiply neighbouring rows, from one tile to the next `step` on, by a matrix."""
    n, length, channels = rows.shape
    n_tiles = tiles.shape[1] // n
    for b in numba.prange(n):
        for t in range(n_tiles):
            for k in range(len(matrix)):
                to = tiles[k, b * n_tiles + t]
                to[:] = 0
                for j in range(matrix.shape[1]):
                    i, factor = t * step - before + j, matrix[k, j]
                    if factor != 0 and 0 <= i < length:
                        for c in range(channels):
                            to[c] += factor * rows[b, i, c]


@numba.njit(parallel=True, cache=True, fastmath={"reassoc", "contract"})
def _from_tiles(tiles, matrix, step, before, rows):
    """Multiply tiles by a matrix, and add the results up where they overlap."""
    n, length, channels = rows.shape
    n_tiles = tiles.shape[1] // n
    for b in numba.prange(n):
        rows[b] = 0
        for t in range(n_tiles):
            for j in range(len(matrix)):
                i = t * step - before + j
                if 0 <= i < length:
                    for k in range(matrix.shape[1]):
                        factor = matrix[j, k]
                        if factor != 0:
                            for c in range(channels):
                                rows[b, i, c] += factor * tiles[k, b * n_tiles + t, c]


@numba.njit(parallel=True, cache=True, fastmath={"reassoc", "contract"})
def _pool(x, sign, pool, left, pooled, where, sums):
    """Take maxima and their places, and each sequence's sums of values and of squares."""
    n, length, channels = x.shape
    for b in numba.prange(n):
        sums[b] = 0
        for i in range(length):
            for c in range(channels):
                value = x[b, i, c]
                sums[b, 0, c] += value
                sums[b, 1, c] += value * value
        for j in range(pooled.shape[1]):
            start = j * pool - left
            first = max(start, 0)
            for c in range(channels):
                pooled[b, j, c] = x[b, first, c]
                where[b, j, c] = first - start
            for i in range(first + 1, min(start + pool, length)):
                place = np.uint8(i - start)
                for c in range(channels):
                    value, best = x[b, i, c], pooled[b, j, c]
                    higher = value * sign[c] > best * sign[c]
                    pooled[b, j, c] = value if higher else best
                    where[b, j, c] = place if higher else where[b, j, c]


@numba.njit(parallel=True, cache=True)
def _pick(x, where, pool, left, pooled):
    """Take the values at the places of maxima."""
    for b in numba.prange(len(where)):
        for j in range(where.shape[1]):
            for c in range(where.shape[2]):
                pooled[b, j, c] = x[b, j * pool - left + where[b, j, c], c]


@numba.njit(parallel=True, cache=True, fastmath={"reassoc", "contract"})
def _gradient_sums(grad, pooled, mean, sums):
    """Add up each sequence's gradients, and gradients times values less their mean."""
    for b in numba.prange(len(grad)):
        sums[b] = 0
        for j in range(grad.shape[1]):
            for c in range(grad.shape[2]):
                sums[b, 0, c] += grad[b, j, c]
                sums[b, 1, c] += grad[b, j, c] * (pooled[b, j, c] - mean[c])


@numba.njit(parallel=True, cache=True, fastmath={"reassoc", "contract"})
def _spread(grad, x, where, scale, slope, constant, pool, left, out):
    """Lead gradients back through pooling and normalisation."""
    n, length, channels = out.shape
    for b in numba.prange(n):
        for j in range(grad.shape[1]):
            start = j * pool - left
            for i in range(max(start, 0), min(start + pool, length)):
                place = np.uint8(i - start)
                for c in range(channels):
                    own = scale[c] * grad[b, j, c] if where[b, j, c] == place else np.float32(0)
                    if x is not None:
                        own += constant[c] + slope[c] * x[b, i, c]
                    out[b, i, c] = own
