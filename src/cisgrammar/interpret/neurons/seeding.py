"""Where a search begins: what excites the layer below, put where a neuron looks for it."""

from __future__ import annotations

import numpy as np

from cisgrammar.interpret.neurons.archive import Archive
from cisgrammar.interpret.neurons.network import Network
from cisgrammar.models.conv_layers import field

BEST = 200  # of an archive, that are pasted


def random_codes(rng: np.random.Generator, n: int, length: int) -> np.ndarray:
    """Draw sequences of even base composition: uint8 ``(n, length)``."""
    return rng.integers(0, 4, (n, length), dtype=np.uint8)


def pasted(
    network: Network,
    depth: int,
    neuron: int,
    below: tuple[list[Archive], np.ndarray],
    n: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Make seeds of one neuron: at each tap, what excites a channel that it likes.

    Parameters
    ----------
    network, depth, neuron
        Which.
    below
        Archives and maxima of the layer below.
    n
        Seeds.
    rng
        Draws the channel at each tap, by its weight times its maximum; one of the channel's best
        sequences; and its place within the pool.

    Returns
    -------
    uint8 ``(n, length)``, random where nothing is pasted.

    Notes
    -----
    Wei et al. (2023), "Sampling". The original weighs channels by a table of maxima in the wrong
    order, and pastes the argmax of facets instead of sequences.
    """
    archives, maxima = below
    length, inner = network.length(depth), network.length(depth - 1)
    codes = random_codes(rng, n, length)
    layer, lower = network.layers[depth - 1], network.layers[depth - 2]
    liked = np.maximum(layer.weight[neuron], 0) * maxima[:, None]  # (channels, taps)
    apart = field(network.layers, depth).step
    in_pool = field(network.layers, depth - 1).step * lower.stride
    columns = np.arange(inner)
    for tap in rng.permutation(layer.width):
        weights = liked[:, tap]
        if weights.sum() <= 0:
            continue
        channels = rng.choice(len(weights), n, p=weights / weights.sum())
        starts = tap * layer.dilation * apart + rng.integers(0, lower.pool, n) * in_pool
        for channel in np.unique(channels):
            rows = np.flatnonzero(channels == channel)
            best = archives[channel].codes[:BEST]
            chosen = best[rng.integers(len(best), size=len(rows))]
            codes[rows[:, None], starts[rows, None] + columns] = chosen
    return codes
