"""What a stack of convolutions is made of, how much sequence its neurons read; imports no torch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cisgrammar.common.errors import InputError

# What follows a neuron. Those that turn at 0 make a value above 0 an answer.
TURN_AT_ZERO = ("relu", "elu", "sigmoid", "tanh")
ACTIVATIONS = (*TURN_AT_ZERO, "none", "exponential", "softplus", "silu", "gelu", "gelu_sigmoid")


@dataclass(frozen=True, eq=False)
class ConvLayer:
    """One convolution, with all that lies between it and the next one.

    Its neurons are its filters, read after the convolution with its bias and before all else.

    Parameters
    ----------
    weight
        float32 ``(filters, channels, width)``; a normalisation right after the convolution is
        folded into it and into the bias.
    bias
        float32 ``(filters,)``.
    before
        Activation of what the convolution reads: one of :data:`ACTIVATIONS`. scBasset has it
        there, for the bases too.
    after
        Activation that follows the convolution.
    scale, shift
        A normalisation after that activation, ``(filters,)``; None for none.
    pool
        Positions of which the highest goes on; 1 for no pooling.
    pool_stride
        From one pool to the next; as long as a pool where None.
    stride, dilation
        Of the convolution.
    """

    weight: np.ndarray
    bias: np.ndarray
    before: str = "none"
    after: str = "relu"
    scale: np.ndarray | None = None
    shift: np.ndarray | None = None
    pool: int = 1
    pool_stride: int | None = None
    stride: int = 1
    dilation: int = 1

    @property
    def filters(self) -> int:
        """Number of its neurons."""
        return self.weight.shape[0]

    @property
    def width(self) -> int:
        """Positions that it reads."""
        return self.weight.shape[2]

    @property
    def pool_step(self) -> int:
        """Positions from one pool to the next."""
        return self.pool if self.pool_stride is None else self.pool_stride

    @property
    def is_pooled(self) -> bool:
        """Whether positions are pooled, or passed over, after it."""
        return self.pool > 1 or self.pool_step > 1


@dataclass(frozen=True)
class Field:
    """What a neuron of a layer reads.

    Parameters
    ----------
    length
        Bases.
    step
        Bases from one position of the layer to the next, before its own stride.
    facets
        Ways in which the pools below can shift one pattern, if all of it moves together.
    """

    length: int
    step: int
    facets: int


def field(layers: Sequence[ConvLayer], depth: int) -> Field:
    """Measure what the neurons of a layer read.

    Parameters
    ----------
    layers
        From the one that reads DNA upwards.
    depth
        Number of the layer, from 1.

    Examples
    --------
    Basset (Kelley et al. 2016): widths 19, 11 and 7, pools of 3, 4 and 4.

    >>> shapes = [(4, 19, 3), (300, 11, 4), (200, 7, 4)]
    >>> basset = [ConvLayer(np.zeros((1, c, w)), np.zeros(1), pool=p) for c, w, p in shapes]
    >>> [(f.length, f.facets) for f in (field(basset, depth) for depth in (1, 2, 3))]
    [(19, 1), (51, 3), (132, 12)]
    """
    length, step = 1, 1
    for i, layer in enumerate(layers[:depth]):
        length += (layer.width - 1) * layer.dilation * step
        if i < depth - 1:
            step *= layer.stride
            length += (layer.pool - 1) * step
            step *= layer.pool_step
    return Field(length, step, math.prod(layer.pool for layer in layers[: depth - 1]))


def chosen_layers(
    layers: Sequence[ConvLayer], asked: Sequence[int] | None, longest: int
) -> list[int]:
    """List the layers to read, by number from 1: those asked for, or all up to a field's length.

    Raises
    ------
    InputError
        If the network has no such layer, or the field of none is short enough.
    """
    fields = [field(layers, depth).length for depth in range(1, len(layers) + 1)]
    lengths = ", ".join(f"{depth}: {n}" for depth, n in enumerate(fields, start=1))
    if asked is None:
        chosen = [depth for depth, n in enumerate(fields, start=1) if n <= longest]
        if not chosen:
            raise InputError(
                f"neurons: no layer reads {longest} bases or fewer (`neurons.longest_field`); "
                f"bases by layer: {lengths}. Raise it, or name `neurons.layers`."
            )
        return chosen
    if absent := sorted(set(asked) - set(range(1, len(layers) + 1))):
        raise InputError(
            f"neurons: key `neurons.layers` names {', '.join(map(str, absent))}, but the network "
            f"has {len(layers)} convolutions; bases by layer: {lengths}."
        )
    return sorted(set(asked))


def answers_above_zero(layers: Sequence[ConvLayer], depth: int) -> bool:
    """Say whether 0 parts a layer's answers from silence, by the activation that follows it."""
    after = layers[depth - 1].after
    if after == "none" and depth < len(layers):
        after = layers[depth].before
    return after in TURN_AT_ZERO


def fold_norm(
    weight: np.ndarray,
    bias: np.ndarray | None,
    norm: Sequence[np.ndarray],
    epsilon: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Fold a normalisation into the convolution before it.

    Parameters
    ----------
    weight, bias
        ``(filters, channels, width)`` and ``(filters,)``; no bias is 0.
    norm
        Its gain, offset, running mean and running variance, ``(filters,)`` each.
    epsilon
        Added to the variance.

    Returns
    -------
    Weight ``(filters, channels, width)`` and bias ``(filters,)``, float32.
    """
    gain, offset, mean, variance = norm
    scale = gain / np.sqrt(variance.astype(np.float64) + epsilon)
    before = np.zeros(len(weight)) if bias is None else bias
    folded = offset + (before - mean) * scale
    return (weight * scale[:, None, None]).astype(np.float32), folded.astype(np.float32)
