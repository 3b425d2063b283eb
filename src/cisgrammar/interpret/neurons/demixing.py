"""Demixing: the sequences of one neuron, parted into those that show one pattern each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

from cisgrammar.common.seeds import derive_seed
from cisgrammar.interpret.neurons.archive import Archive
from cisgrammar.interpret.neurons.facets import Facet, facets_of, purity, weighted_ppm
from cisgrammar.interpret.neurons.network import Network
from cisgrammar.interpret.neurons.routing import routes
from cisgrammar.models.conv_layers import field

PURE = 0.95  # decoupling at which no finer parting is tried, as published
SAME = 0.9  # correlation of the patterns of facets that may be one
MERGED = 0.95  # of the lower decoupling of two, which their union keeps if they are one


@dataclass(frozen=True)
class DemixingSettings:
    """How sequences are parted.

    Parameters
    ----------
    method
        ``routing``: by the way the activation takes through the pools. ``kmeans``: by the maps
        below each pool, as published.
    most_facets
        Of a neuron: a bound of how finely sequences are parted.
    min_sequences
        Smaller groups are no facets.
    rectified
        k-means of maps without what is negative.
    n_bins
        Of activation, in patterns.
    seed
        Of k-means.
    """

    method: Literal["routing", "kmeans"] = "routing"
    most_facets: int = 64
    min_sequences: int = 20
    rectified: bool = False
    n_bins: int = 20
    seed: int = 1


def demix(
    network: Network,
    depth: int,
    neuron: int,
    archive: Archive,
    threshold: float,
    settings: DemixingSettings,
) -> list[Facet]:
    """Part a neuron's sequences, as finely as it takes for facets to be pure.

    Parameters
    ----------
    network, depth, neuron
        Which.
    archive
        Its sequences.
    threshold
        Of its activation.
    settings
        How.

    Returns
    -------
    Facets, that of the highest activation first; none of a neuron with too few sequences.

    Notes
    -----
    Wei et al. (2023), "Decoupling". Partings get finer until the facets' mean decoupling, by
    size, is :data:`PURE`; if none gets there the purest is taken. The published stop is the mean
    of each neuron's best facet, over a layer, with no bound; there the others may stay mixed.
    """
    if not len(archive):
        return []
    settings = replace(settings, min_sequences=min(settings.min_sequences, len(archive)))
    best: list[Facet] = []
    score = -1.0
    for labels in _partings(network, depth, neuron, archive, settings):
        labels = _without_small(labels, settings)
        facets = facets_of(network, depth, neuron, archive, labels, threshold, settings.n_bins)
        if settings.method == "routing":
            facets = merged(network, depth, neuron, archive, facets, threshold, settings.n_bins)
        covered = sum(len(facet.rows) for facet in facets) / len(archive)
        if purity(facets) * covered > score:
            best, score = facets, purity(facets) * covered
        if purity(facets) >= PURE and covered > 0.5:
            break
    return best


def _partings(
    network: Network, depth: int, neuron: int, archive: Archive, settings: DemixingSettings
) -> Iterator[np.ndarray]:
    """Yield finer and finer partings."""
    if settings.method == "routing":
        yield from routes(network, depth, neuron, archive.codes)
        return
    for power in (1, 2, 3):
        if power > 1 and field(network.layers, depth).facets ** power > settings.most_facets:
            return
        yield cluster(network, depth, archive, power, settings.rectified, settings.seed)


def _without_small(labels: np.ndarray, settings: DemixingSettings) -> np.ndarray:
    """Leave groups out that have too few sequences, and all but the largest of too many."""
    names, numbers, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    order = np.argsort(-sizes, kind="stable")[: settings.most_facets]
    kept = np.full(len(names), -1)
    large = order[sizes[order] >= settings.min_sequences]
    kept[large] = np.arange(len(large))
    return np.where(labels < 0, -1, kept[numbers])


def merged(
    network: Network,
    depth: int,
    neuron: int,
    archive: Archive,
    facets: list[Facet],
    threshold: float,
    n_bins: int,
) -> list[Facet]:
    """Join facets that are one pattern: alike, and as pure together as apart.

    Parameters
    ----------
    network, depth, neuron, archive, threshold, n_bins
        As for :func:`cisgrammar.interpret.neurons.facets.facets_of`.
    facets
        Of one parting.
    """
    facets = list(facets)
    while len(facets) > 1:
        likeness = np.corrcoef([facet.ppm.ravel() - 0.25 for facet in facets])
        np.fill_diagonal(likeness, -1)
        joined = None
        for flat in np.argsort(-likeness, axis=None, kind="stable"):
            i, j = sorted(divmod(int(flat), len(facets)))
            if likeness[i, j] < SAME:
                break
            labels = np.full(len(archive), -1)
            labels[np.concatenate([facets[i].rows, facets[j].rows])] = 0
            (union,) = facets_of(network, depth, neuron, archive, labels, threshold, n_bins)
            if union.decoupling >= MERGED * min(facets[i].decoupling, facets[j].decoupling, 1):
                joined = i, j, union
                break
        if joined is None:
            break
        i, j, union = joined
        facets = [facet for k, facet in enumerate(facets) if k not in (i, j)] + [union]
    return sorted(facets, key=lambda facet: -facet.maximum)


def cluster(
    network: Network,
    depth: int,
    archive: Archive,
    power: int = 1,
    rectified: bool = False,
    seed: int = 0,
    least: int = 50,
) -> np.ndarray:
    """Part sequences by k-means of the maps below each pool, the highest pool first.

    Parameters
    ----------
    network, depth
        Which layer.
    archive
        Sequences of one of its neurons.
    power
        Groups that move freely: k is the pool's size to this power.
    rectified
        Whether what is negative counts as 0, as it does for the network.
    seed
        Of k-means.
    least
        Smaller clusters are not parted further.

    Returns
    -------
    Numbers of clusters, ``(n,)``.

    Notes
    -----
    Wei et al. (2023), "Layer-wise demixing", sequences weighted by activation; there in mini-batches,
    which make the result a matter of chance, here on all at once.
    """
    maps = _maps(network, depth, archive.codes, rectified)
    pools = [layer.pool for layer in network.layers[: depth - 1] if layer.is_pooled]
    labels = np.zeros(len(archive), int)
    for below, pool in zip(reversed(maps), reversed(pools), strict=True):
        finer = np.zeros_like(labels)
        for label in np.unique(labels):
            rows = np.flatnonzero(labels == label)
            k = pool**power
            if len(rows) < max(least, k):
                finer[rows] = finer.max() + 1
                continue
            means = KMeans(k, random_state=derive_seed(seed, "demix"), n_init=4)
            with threadpool_limits(1):
                its = means.fit_predict(below[rows], sample_weight=archive.values[rows])
            finer[rows] = finer.max() + 1 + its
        labels = finer
    return labels


def _maps(network: Network, depth: int, codes: np.ndarray, rectified: bool) -> list[np.ndarray]:
    """Give what each pool reads, flattened, the lowest first: float32 ``(n, numbers)``."""
    return [
        np.maximum(flat, 0) if rectified else flat
        for flat in network.below_pools(codes, depth)
    ]


def pattern(archive: Archive, threshold: float, n_bins: int = 20) -> np.ndarray:
    """Average all sequences of a neuron, whatever they show: ``(4, length)``."""
    return weighted_ppm(archive.codes, archive.values, threshold, n_bins)
