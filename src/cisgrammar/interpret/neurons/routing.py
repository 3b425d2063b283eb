"""Routing: by which positions of pools a neuron's activation comes, exactly and without a k."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from cisgrammar.interpret.neurons.network import Network

GROUPS = 3  # of taps that may move freely, at most


def routes(network: Network, depth: int, neuron: int, codes: np.ndarray) -> Iterator[np.ndarray]:
    """Part a neuron's sequences by the way their activation takes, more and more finely.

    Parameters
    ----------
    network, depth, neuron
        Which.
    codes
        uint8 ``(n, length)``.

    Yields
    ------
    Numbers of groups, int ``(n,)``: first by the winning place in each pool; then also by the
    strongest tap and its channel; then by these of the two, and of the three, strongest taps,
    which may move on their own.

    Notes
    -----
    A pool lets one position through, so the gradient of a neuron says by which it was reached.
    What a position gives is its gradient times its value. Wei et al. (2023) cluster the values
    instead (see :func:`cisgrammar.interpret.neurons.demixing.cluster`).
    """
    places, gains, channels = _ways(network, depth, neuron, codes)
    width = gains.shape[1]
    joint = places.sum(axis=1)  # over taps: (n, pools, places)
    yield _numbered(_winning(joint))
    strongest = gains.argmax(axis=1)
    rows = np.arange(len(codes))
    keys = [_winning(joint), strongest[:, None], channels[rows, strongest][:, None]]
    yield _numbered(np.concatenate(keys, axis=1))
    for groups in range(2, min(GROUPS, width) + 1):
        taps = np.sort(np.argsort(-gains.mean(axis=0), kind="stable")[:groups])
        own = [_winning(places[:, tap]) for tap in taps]
        yield _numbered(np.concatenate(own, axis=1))


def _ways(
    network: Network, depth: int, neuron: int, codes: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give what comes by each tap, in all and by each place of each pool below.

    Returns
    -------
    places
        ``(n, taps, pools, places)``, places of smaller pools filled up with 0.
    gains
        ``(n, taps)``.
    channels
        The channel that gives the most at each tap, ``(n, taps)``.
    """
    pools = [layer.pool_step for layer in network.layers[: depth - 1] if layer.is_pooled]
    width, widest = network.layers[depth - 1].width, max(pools, default=1)
    places = np.zeros((len(codes), width, len(pools), widest), np.float32)
    gains = np.zeros((len(codes), width), np.float32)
    channels = np.zeros((len(codes), width), int)
    for batch in network.batches(len(codes), depth):
        kept: list[Tensor] = []
        bases = network.one_hot(codes[batch]).requires_grad_(True)
        taps = network.taps(bases, depth, neuron, kept)  # (n, channels, taps)
        gains[batch] = taps.detach().clamp(min=0).sum(dim=1).cpu().numpy()
        channels[batch] = taps.detach().argmax(dim=1).cpu().numpy()
        for tap in range(width if kept else 0):
            slopes = torch.autograd.grad(
                taps[..., tap].clamp(min=0).sum(), kept, retain_graph=tap < width - 1
            )
            for i, (slope, its) in enumerate(zip(slopes, kept, strict=True)):
                given = (slope * its).detach().clamp(min=0).sum(dim=1)  # (n, positions)
                for place in range(pools[i]):
                    total = given[:, place :: pools[i]].sum(dim=1)
                    places[batch, tap, i, place] = total.cpu().numpy()
    return places, gains, channels


def _winning(places: np.ndarray) -> np.ndarray:
    """Give the winning place in each pool: ``(n, pools)``."""
    return places.argmax(axis=-1)


def _numbered(keys: np.ndarray) -> np.ndarray:
    """Give equal rows one number: int ``(n,)``."""
    if not keys.shape[1]:
        return np.zeros(len(keys), int)
    return np.unique(keys, axis=0, return_inverse=True)[1].reshape(-1)
