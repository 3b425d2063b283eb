"""Demixing: the sequences of one neuron, parted into those that show one pattern each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

from cisgrammar.common.seeds import derive_seed
from cisgrammar.interpret.neurons.archive import Archive
from cisgrammar.interpret.neurons.facets import Facet, facets_of, purity
from cisgrammar.interpret.neurons.network import Network
from cisgrammar.interpret.neurons.routing import routes
from cisgrammar.models.conv_layers import field

PURE = 0.95  # decoupling at which no finer parting is tried, as published
SAME = 0.9  # correlation of the patterns of facets that may be one
ROUNDS, UNMOVED = 20, 0.001  # of refinement; share of sequences that may move at its end
PARTINGS = 3  # rounds of parting groups in two, sequences moving after each
PARTED = 1.0  # nats of fit for each sequence of the smaller part; a certain base says 1.4
SMOOTHING = 10.0  # sequences of even composition that patterns are smoothed with
TAIL = 3.0  # standard deviations below the mean fit to a pattern
ALIKE = 0.8  # cosine of a sequence's weighed bases and the mean of its group's
STEEPNESS = 0.3  # power of what a base is worth, so that the strongest few do not decide alone
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
        Smaller groups are not facets.
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
    related: bool = False,
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
    related
        Whether sequences descend from each other, as those of a search do. Families of relatives
        look like patterns, so groups of such sequences are not parted further. Instead those are
        left out that resemble no group in the bases that matter to the neuron.

    Returns
    -------
    Facets, that of the highest activation first; none of a neuron with too few sequences.

    Notes
    -----
    Wei et al. (2023), "Decoupling": partings get finer until the consensus of each facet excites
    the neuron nearly as much as its best sequence. They stop by the mean of each neuron's best
    facet over a layer, and the others may stay mixed; so may a facet of two patterns of which one
    is the more frequent. Here the mean of all facets by size decides for each neuron, and of
    the partings that are pure (:data:`PURE`), by routing, the one that describes the sequences best
    for its number of facets.
    """
    if not len(archive):
        return []
    settings = replace(settings, min_sequences=min(settings.min_sequences, len(archive)))
    found = []
    weighed = None
    if related and settings.method == "routing":
        weighed = weighed_bases(network, depth, neuron, archive.codes)
    for labels in _partings(network, depth, neuron, archive, settings):
        labels = _without_small(labels, settings)
        if settings.method == "routing":
            with threadpool_limits(1):  # BLAS adds in another order on another number of threads
                if weighed is None:
                    labels = settled(archive.codes, labels, settings)
                else:
                    labels = alike(weighed, refined(archive.codes, labels, settings), settings)
        facets = facets_of(network, depth, neuron, archive, labels, threshold, settings.n_bins)
        if settings.method == "routing":
            facets = merged(network, depth, neuron, archive, facets, threshold, settings.n_bins)
        if facets:
            found.append((purity(facets) >= PURE, -description_length(archive, facets), facets))
        if settings.method == "kmeans" and found and found[-1][0]:
            break
    return max(found, key=_by_purity_and_length)[2] if found else []


def _by_purity_and_length(parting: tuple[bool, float, list[Facet]]) -> tuple[bool, float]:
    return parting[:2]


def description_length(archive: Archive, facets: Sequence[Facet]) -> float:
    """Weigh how well patterns fit all sequences against how many patterns there are (BIC, half).

    Parameters
    ----------
    archive
        Sequences, those that belong to no facet too.
    facets
        Of one parting.
    """
    spelt = _spelt(archive.codes)
    logs = np.stack([log_pattern(spelt[facet.rows]) for facet in facets])
    shares = np.log([len(facet.rows) / len(archive) for facet in facets])
    fit = float((spelt @ logs.T + shares).max(axis=1).sum())
    return 0.5 * len(facets) * 3 * archive.codes.shape[1] * float(np.log(len(archive))) - fit


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


def settled(codes: np.ndarray, labels: np.ndarray, settings: DemixingSettings) -> np.ndarray:
    """Move sequences between groups and part groups, until patterns describe the sequences.

    Parameters
    ----------
    codes, labels
        As for :func:`refined` and :func:`divided`.
    settings
        Of both.

    Returns
    -------
    Labels; -1 where a sequence fits no pattern.
    """
    for _ in range(PARTINGS):
        before = labels
        labels = refined(codes, divided(codes, labels, settings), settings)
        if (labels == before).all():
            break
    return labels


def refined(codes: np.ndarray, labels: np.ndarray, settings: DemixingSettings) -> np.ndarray:
    """Give each sequence to the group whose pattern it fits best, until nothing moves.

    Parameters
    ----------
    codes
        uint8 ``(n, length)``.
    labels
        Groups to begin with; below 0 is none.
    settings
        Groups that get smaller than ``min_sequences`` are given up.

    Returns
    -------
    Labels; -1 where a sequence fits no pattern nearly as well as those that it stands for do.
    """
    spelt = _spelt(codes)
    for _ in range(ROUNDS):
        names, sizes = np.unique(labels[labels >= 0], return_counts=True)
        names = names[sizes >= settings.min_sequences]
        if not len(names):
            break
        logs = np.stack([log_pattern(spelt[labels == name]) for name in names])
        fits = spelt @ logs.T
        best = fits.argmax(axis=1)
        moved = np.where(fits.max(axis=1) >= _expected(logs)[best], names[best], -1)
        if (moved != labels).mean() < UNMOVED:
            return moved
        labels = moved
    return labels


def weighed_bases(network: Network, depth: int, neuron: int, codes: np.ndarray) -> np.ndarray:
    """Weigh the bases of sequences by what the neuron's gradient says they are worth.

    Parameters
    ----------
    network, depth, neuron
        Which.
    codes
        uint8 ``(n, length)``.

    Returns
    -------
    float32 ``(n, 4 x length)``, each row of length 1; 0 where the base is worth no more than the
    mean of all four, so that what a sequence has from its ancestors, or by chance, does not count.
    """
    slopes = np.empty((len(codes), 4, codes.shape[1]), np.float32)
    for batch in network.batches(len(codes), depth):
        bases = network.one_hot(codes[batch]).requires_grad_(True)
        own = network.values(bases, depth)[:, neuron, 0]
        slopes[batch] = torch.autograd.grad(own.sum(), bases)[0].cpu().numpy()
    worth = np.take_along_axis(slopes, codes[:, None].astype(int), axis=1)[:, 0]
    worth = np.maximum(worth - slopes.mean(axis=1), 0) ** STEEPNESS
    return _of_length_1(_spelt(codes) * np.tile(worth, (1, 4)))


def alike(weighed: np.ndarray, labels: np.ndarray, settings: DemixingSettings) -> np.ndarray:
    """Give each sequence to the group that it resembles most in the bases that matter.

    Parameters
    ----------
    weighed
        From :func:`weighed_bases`, or other rows of length 1.
    labels
        Groups to begin with; below 0 is none.
    settings
        Groups that get smaller than ``min_sequences`` are given up.

    Returns
    -------
    Labels; -1 where a sequence resembles no group (:data:`ALIKE`). Those to begin with, if no
    group would be left.
    """
    first = labels
    for _ in range(ROUNDS):
        names, sizes = np.unique(labels[labels >= 0], return_counts=True)
        names = names[sizes >= settings.min_sequences]
        if not len(names):
            return first
        means = np.stack([weighed[labels == name].mean(axis=0) for name in names])
        cosines = weighed @ _of_length_1(means).T
        before = labels
        labels = np.where(cosines.max(axis=1) >= ALIKE, names[cosines.argmax(axis=1)], -1)
        if (labels != before).mean() < UNMOVED:
            break
    return labels


def _of_length_1(rows: np.ndarray) -> np.ndarray:
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)


def divided(codes: np.ndarray, labels: np.ndarray, settings: DemixingSettings) -> np.ndarray:
    """Part groups in two, wherever two patterns describe their sequences better than one.

    Sequences of rare patterns gather in groups that are none of them, and :func:`refined` leaves
    them there.

    Parameters
    ----------
    codes
        uint8 ``(n, length)``.
    labels
        Groups; below 0 is none.
    settings
        Each of the two needs ``min_sequences``; at ``most_facets`` groups no more are parted, and
        those that gain the most are parted first.

    Returns
    -------
    Labels, those of the groups that were parted among them.
    """
    spelt, labels = _spelt(codes), labels.copy()
    names = np.unique(labels[labels >= 0])
    least = settings.min_sequences
    halves = {name: _halves(spelt[labels == name], least) for name in names}
    while halves and len(halves) < settings.most_facets:
        name = max(halves, key=lambda each: halves[each][0])
        gain, second = halves[name]
        if gain <= 0:
            break
        new = max(halves) + 1
        labels[np.flatnonzero(labels == name)[second]] = new
        for each in (name, new):
            halves[each] = _halves(spelt[labels == each], least)
    return labels


def _halves(spelt: np.ndarray, least: int) -> tuple[float, np.ndarray]:
    """Part sequences in two: what the description gains (BIC, half), and which are the second."""
    n, columns = spelt.shape
    none = 0.0, np.zeros(n, bool)
    if n < 2 * least:
        return none
    second = _first_axis(spelt - spelt.mean(axis=0)) > 0
    for _ in range(ROUNDS):
        sizes = np.array([n - second.sum(), second.sum()])
        if sizes.min() < least:
            return none
        logs = np.stack([log_pattern(spelt[~second]), log_pattern(spelt[second])])
        fits = spelt @ logs.T
        before, second = second, fits[:, 1] > fits[:, 0]
        if (second == before).all():
            break
    if not least <= second.sum() <= n - least:
        return none
    apart = fits.max(axis=1).sum() + float((sizes * np.log(sizes / n)).sum())
    together = float((spelt @ log_pattern(spelt)).sum())
    gain = apart - together
    if gain < PARTED * min(second.sum(), n - second.sum()):
        return none
    return gain - 0.5 * 0.75 * columns * float(np.log(n)), second


def _first_axis(centred: np.ndarray) -> np.ndarray:
    """Place rows along their first principal axis, by power iteration from the farthest row."""
    axis = centred[(centred**2).sum(axis=1).argmax()]
    for _ in range(ROUNDS):
        axis = (centred @ axis) @ centred
        axis = axis / max(float(np.linalg.norm(axis)), 1e-12)
    return centred @ axis


def _spelt(codes: np.ndarray) -> np.ndarray:
    """Write codes as float32 ``(n, 4 x length)``, base by base."""
    n, length = codes.shape
    spelt = np.zeros((n, 4 * length), np.float32)
    spelt[np.arange(n)[:, None], codes.astype(int) * length + np.arange(length)] = 1
    return spelt


def log_pattern(spelt: np.ndarray) -> np.ndarray:
    """Take logarithms of the base frequencies of some sequences, smoothed: ``(4 x length,)``."""
    return np.log((spelt.sum(axis=0) + SMOOTHING / 4) / (len(spelt) + SMOOTHING))


def _expected(logs: np.ndarray) -> np.ndarray:
    """Give the fit that a pattern's own sequences hardly ever miss: ``(patterns,)``."""
    logs = logs.reshape(len(logs), 4, -1).astype(np.float64)
    p = np.exp(logs)
    mean = (p * logs).sum(axis=1)
    variance = (p * logs**2).sum(axis=1) - mean**2
    return mean.sum(axis=1) - TAIL * np.sqrt(variance.sum(axis=1))


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
    Wei et al. (2023), "Layer-wise demixing", sequences weighted by activation; there in
    mini-batches, which make the result a matter of chance, here on all at once.
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
    flat = network.below_pools(codes, depth)
    return [np.maximum(each, 0) for each in flat] if rectified else flat
