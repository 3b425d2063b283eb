"""How long the layers of a network with two convolutions are; imports no torch, for the config."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

POOL_PADDING = 1  # positions before and after the first pooling


def layer_lengths(length: int, network: Mapping[str, Any]) -> tuple[int, int, int, int]:
    """Count the positions after each layer.

    Parameters
    ----------
    length
        Bases of a sequence.
    network
        ``width`` and ``pool`` of the first convolution, ``second_width`` and ``second_pool``.

    Returns
    -------
    After the first convolution, its pooling, the second convolution and its pooling. A negative
    number is 0: nothing is left.

    Examples
    --------
    >>> published = {"width": 6, "pool": 30, "second_width": 9, "second_pool": 10}
    >>> layer_lengths(10_500, published)
    (10499, 350, 350, 35)
    """
    first = length + 2 * padding(network["width"]) - network["width"] + 1
    pooled = (first + 2 * POOL_PADDING - network["pool"]) // network["pool"] + 1
    second = pooled + 2 * padding(network["second_width"]) - network["second_width"] + 1
    last = (second - network["second_pool"]) // network["second_pool"] + 1
    return max(first, 0), max(pooled, 0), max(second, 0), max(last, 0)


def padding(width: int) -> int:
    """Count the zeros at either end of what a convolution reads, as published: 2 for 6, 4 for 9."""
    return (width - 1) // 2


def shortest_window(network: Mapping[str, Any]) -> int:
    """Find the fewest bases of which pooling leaves a position.

    Examples
    --------
    >>> shortest_window({"width": 6, "pool": 30, "second_width": 9, "second_pool": 10})
    299
    """
    length = 1
    while layer_lengths(length, network)[-1] < 1:
        length += 1
    return length
