"""How a prediction is followed back to bases: by gradients, or by DeepLIFT's differences.

Between activations and maxima a model is linear. So it leaves these two to one of the classes
here, and is otherwise written once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

Function = Callable[[Tensor], Tensor]
NEAR = 1e-5  # closer inputs than that are one: a quotient of differences would be rounding
LOWEST = (
    torch.finfo(torch.float32).min / 4
)  # where pools reach over an end; differences stay finite


class Rules(Protocol):
    """What a model leaves to the way in which it is followed back."""

    def activate(self, function: Function, x: Tensor) -> Tensor:
        """Apply a function to each number by itself."""

    def highest(self, x: Tensor) -> Tensor:
        """Take the maximum over the last axis."""


class Gradients:
    """Leave everything to ordinary gradients."""

    def activate(self, function: Function, x: Tensor) -> Tensor:
        """Apply a function to each number by itself."""
        return function(x)

    def highest(self, x: Tensor) -> Tensor:
        """Take the maximum over the last axis."""
        return x.max(dim=-1).values


class Rescale:
    """DeepLIFT's rescale rule: quotients of differences from references in place of gradients.

    Rows come in groups: a sequence, then its references. On the way back a reference's row holds
    the multipliers between it and the sequence, and the sequence's row 0.

    Parameters
    ----------
    n_references
        Of each sequence.

    Notes
    -----
    Shrikumar et al. (2017), "Learning important features through propagating activation
    differences", section 3.5.1. Of a maximum, all of the difference goes to the place of the
    larger of both maxima. There the inputs differ by at least as much, so that multipliers lie
    between 0 and 1 and contributions always sum to the difference of the outputs.
    """

    def __init__(self, n_references: int) -> None:
        self.rows = 1 + n_references

    def activate(self, function: Function, x: Tensor) -> Tensor:
        """Apply a function to each number by itself."""
        return _Activation.apply(x, function, self.rows)

    def highest(self, x: Tensor) -> Tensor:
        """Take the maximum over the last axis."""
        return _Highest.apply(x, self.rows)


def pool(rules: Rules, x: Tensor, size: int, left: int = 0, right: int = 0) -> Tensor:
    """Take the highest of every ``size`` positions, and drop what is left over at the end.

    Parameters
    ----------
    rules
        How maxima are followed back.
    x
        ``(rows, channels, length)``.
    size
        Positions in a pool.
    left, right
        Positions that pools reach over either end.
    """
    x = F.pad(x, (left, right), value=LOWEST)
    n = x.shape[2] // size
    return rules.highest(x[:, :, : n * size].unflatten(2, (n, size)))


class _Activation(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, function, rows):
        ctx.save_for_backward(x)
        ctx.function, ctx.rows = function, rows
        return function(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        inputs, outputs = (each.unflatten(0, (-1, ctx.rows)) for each in (x, ctx.function(x)))
        own, others = inputs[:, :1], inputs[:, 1:]
        distance = own - others
        slope = (outputs[:, :1] - outputs[:, 1:]) / distance
        near = distance.abs() < NEAR
        middle = ((own + others) / 2)[near]
        slope[near] = torch.func.vjp(ctx.function, middle)[1](torch.ones_like(middle))[0]
        return _of_references(grad.unflatten(0, (-1, ctx.rows))[:, 1:] * slope), None, None


class _Highest(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, rows):
        highest, places = x.max(dim=-1)
        inputs, groups, its = (each.unflatten(0, (-1, rows)) for each in (x, highest, places))
        own, others = groups[:, :1], groups[:, 1:]
        of_own = own >= others
        place = torch.where(of_own, its[:, :1], its[:, 1:])[..., None]
        distance = torch.where(
            of_own,
            own - inputs[:, 1:].gather(-1, place)[..., 0],
            inputs[:, :1].expand_as(inputs[:, 1:]).gather(-1, place)[..., 0] - others,
        )
        slope = torch.where(distance == 0, 1, (own - others) / distance)
        ctx.save_for_backward(slope, place)
        ctx.rows, ctx.size = rows, x.shape[-1]
        return highest

    @staticmethod
    def backward(ctx, grad):
        slope, place = ctx.saved_tensors
        moved = grad.unflatten(0, (-1, ctx.rows))[:, 1:] * slope
        spread = moved.new_zeros(*moved.shape, ctx.size)
        return _of_references(spread.scatter_(-1, place, moved[..., None])), None


def _of_references(grad: Tensor) -> Tensor:
    """Put a row of zeros, of the sequence, before each group of its references' rows."""
    return torch.cat([torch.zeros_like(grad[:, :1]), grad], dim=1).flatten(0, 1)
