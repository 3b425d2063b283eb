"""Which sequences excite the neurons of a layer: of all, of the best, of peaks, or searched."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np

from cisgrammar.common.errors import InputError
from cisgrammar.common.seeds import derive_seed
from cisgrammar.genome.sequence import N
from cisgrammar.interpret.neurons.archive import Archive, collect
from cisgrammar.interpret.neurons.network import Network
from cisgrammar.interpret.neurons.search import search
from cisgrammar.models.conv_layers import answers_above_zero

EXACT = 10  # bases up to which every sequence is asked
CHUNK = 4**8
BACKGROUND = 20_000  # random sequences, of which a threshold is a quantile
DRAWS = 40_000  # of a wide first layer, for answers below the best
_TEMPERATURES = np.linspace(0, 4, 9)  # in units of the spread of a filter's score
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class SamplingSettings:
    """How the sequences of a layer are found.

    Parameters
    ----------
    sequences
        To keep of each neuron.
    generations
        Of the search, at most.
    children
        New sequences of each neuron in a generation.
    quantile
        Of random sequences: the threshold where 0 is none.
    exact
        Ask every sequence where there are few enough; for tests of the search it is False.
    seed
        Of all that is drawn.
    """

    sequences: int = 4000
    generations: int = 80
    children: int = 24
    quantile: float = 0.99
    exact: bool = True
    seed: int = 1


@dataclass(frozen=True)
class Samples:
    """What excites the neurons of a layer.

    Parameters
    ----------
    depth, length
        Number of the layer, and bases that its neurons read.
    thresholds
        Of each neuron, float32 ``(filters,)``.
    archives
        Of each neuron; empty where nothing excites it.
    how
        ``all`` sequences were asked; the ``best`` are known; by ``search``; or from ``peaks``.
    """

    depth: int
    length: int
    thresholds: np.ndarray
    archives: list[Archive]
    how: str

    @property
    def maxima(self) -> np.ndarray:
        """Highest activation found of each neuron above its threshold, at least 0."""
        highest = [each.values[0] if len(each) else -np.inf for each in self.archives]
        return np.maximum(np.array(highest) - self.thresholds, 0)


def sample_layer(
    network: Network,
    depth: int,
    settings: SamplingSettings,
    below: Samples | None = None,
    neurons: np.ndarray | None = None,
) -> Samples:
    """Find sequences that excite each neuron of a layer, from the weights alone.

    Parameters
    ----------
    network, depth
        Which layer.
    settings
        How many, and how long to search.
    below
        Samples of the layer below, of which seeds are made; none for the first layer.
    neurons
        Those that are searched for; all by default. The others have what comes by.
    """
    thresholds = thresholds_of(network, depth, settings)
    length = network.length(depth)
    if length <= EXACT and settings.exact:
        archives, how = _of_all(network, depth, thresholds, settings), "all"
    elif depth == 1:
        archives, how = _of_filters(network, thresholds, settings), "best"
    else:
        seeds = (below.archives, below.maxima) if below is not None else None
        archives = search(
            network,
            depth,
            thresholds,
            seeds=seeds,
            neurons=neurons,
            most=settings.sequences,
            generations=settings.generations,
            children=settings.children,
            seed=derive_seed(settings.seed, "search", depth),
        )
        how = "search"
    return Samples(depth, length, thresholds, archives, how)


def require_active(samples: Samples, settings: SamplingSettings) -> None:
    """Count the neurons that nothing excites.

    Raises
    ------
    InputError
        If these are all.
    """
    silent = sum(not len(each) for each in samples.archives)
    if silent == len(samples.archives):
        raise InputError(
            f"layer {samples.depth}: none of its {silent} neurons is ever active above its "
            "threshold. Its weights may be untrained or its normalisation wrong (is `batch_norm` "
            f"described as it is?), or `neurons.generations` ({settings.generations}) is too small."
        )
    logger.info(
        "layer %d, %d bases, by %s: %d of %d neurons are active, %d are never",
        *(samples.depth, samples.length, samples.how, len(samples.archives) - silent),
        *(len(samples.archives), silent),
    )


def thresholds_of(network: Network, depth: int, settings: SamplingSettings) -> np.ndarray:
    """Give each neuron's threshold: 0, or a quantile of random sequences where 0 means nothing."""
    if answers_above_zero(network.layers, depth):
        return np.zeros(network.filters(depth), np.float32)
    rng = np.random.default_rng(derive_seed(settings.seed, "background", depth))
    n = min(BACKGROUND, max(2000, 4_000_000 // network.length(depth)))
    codes = rng.integers(0, 4, (n, network.length(depth)), dtype=np.uint8)
    return np.quantile(network.read(codes, depth), settings.quantile, axis=0).astype(np.float32)


def words(first: int, end: int, length: int) -> np.ndarray:
    """Spell the sequences of a length with these numbers in alphabetical order, uint8."""
    places = 2 * np.arange(length - 1, -1, -1)
    return ((np.arange(first, end)[:, None] >> places) & 3).astype(np.uint8)


def _of_all(
    network: Network, depth: int, thresholds: np.ndarray, settings: SamplingSettings
) -> list[Archive]:
    """Ask every sequence there is."""
    length, filters = network.length(depth), network.filters(depth)
    found: list[list[tuple[np.ndarray, np.ndarray]]] = [[] for _ in range(filters)]
    for first in range(0, 4**length, CHUNK):
        end = min(first + CHUNK, 4**length)
        values = network.read(words(first, end, length), depth)
        for neuron in range(filters):
            rows = np.flatnonzero(values[:, neuron] > thresholds[neuron])
            found[neuron].append((rows.astype(np.int32) + first, values[rows, neuron]))
    archives = []
    for neuron, parts in enumerate(found):
        numbers, values = (np.concatenate(column) for column in zip(*parts, strict=True))
        places = 2 * np.arange(length - 1, -1, -1)
        codes = ((numbers[:, None] >> places) & 3).astype(np.uint8)
        rng = np.random.default_rng(derive_seed(settings.seed, "all", depth, neuron))
        archives.append(collect(codes, values, thresholds[neuron], settings.sequences, rng))
    return archives


def best_words(scores: np.ndarray, most: int) -> np.ndarray:
    """Find the sequences of the highest sums of scores, exactly, by branch and bound.

    Parameters
    ----------
    scores
        Of each base at each position, ``(4, width)``.
    most
        How many.

    Returns
    -------
    uint8 ``(n, width)``, the highest first.

    Notes
    -----
    Beginnings of words are lengthened base by base. One with the bound ``b`` (its score and the
    highest that can follow) has a word of that score, so no more than ``most`` beginnings have
    bounds that reach the last of the words that are wanted: to keep the highest bounds is exact.
    """
    after = np.append(np.cumsum(scores.max(axis=0)[::-1])[::-1][1:], 0.0)
    codes, sums = np.zeros((1, 0), np.uint8), np.zeros(1)
    for position in range(scores.shape[1]):
        longer = (sums[:, None] + scores[:, position]).ravel()
        kept = np.argsort(-(longer + after[position]), kind="stable")[:most]
        codes = np.column_stack([codes[kept // 4], (kept % 4).astype(np.uint8)])
        sums = longer[kept]
    return codes


def _of_filters(
    network: Network, thresholds: np.ndarray, settings: SamplingSettings
) -> list[Archive]:
    """Take the best of a wide first layer, and draws that answer less, from hotter to colder."""
    layer, archives = network.layers[0], []
    gained = network.base_scores()
    for neuron in range(layer.filters):
        rng = np.random.default_rng(derive_seed(settings.seed, "draws", neuron))
        scores = gained[neuron]  # (4, width)
        spread = max(float(scores.std(axis=0).mean()), 1e-12)
        drawn = [best_words(scores, settings.sequences // 4)]
        for heat in _TEMPERATURES:
            chance = np.exp((scores - scores.max(axis=0)) * heat / spread)
            chance = np.cumsum(chance / chance.sum(axis=0), axis=0)
            uniform = rng.random((DRAWS // len(_TEMPERATURES), 1, layer.width))
            drawn.append((uniform > chance[:3]).sum(axis=1).astype(np.uint8))
        codes = np.concatenate(drawn)
        values = scores[codes, np.arange(layer.width)].sum(axis=1) + layer.bias[neuron]
        archives.append(
            collect(codes, values.astype(np.float32), thresholds[neuron], settings.sequences, rng)
        )
    return archives


def sample_sequences(
    network: Network, depth: int, codes: np.ndarray, settings: SamplingSettings
) -> Samples:
    """Take the windows of given sequences, such as peaks, that excite each neuron.

    Parameters
    ----------
    network, depth
        Which layer.
    codes
        uint8 ``(n, length)``.
    settings
        How many to keep; the threshold, where 0 is none, is the quantile of random sequences.

    Raises
    ------
    InputError
        If the sequences are shorter than the neurons' field.
    """
    length, step = network.length(depth), network.step(depth)
    if codes.shape[1] < length:
        raise InputError(
            f"layer {depth}: its neurons read {length} bases, but sequences have "
            f"{codes.shape[1]}. Sample from the model (`neurons.sample_from: model`), or take "
            "lower layers."
        )
    thresholds = thresholds_of(network, depth, settings)
    found: list[list[tuple[np.ndarray, np.ndarray]]] = [[] for _ in thresholds]
    for rows, values in network.scan(codes, depth):
        for neuron, threshold in enumerate(thresholds):
            sequence, position = np.nonzero(values[:, neuron] > threshold)
            windows = (position * step)[:, None] + np.arange(length)
            taken = codes[rows][sequence[:, None], windows]
            known = (taken < N).all(axis=1)
            found[neuron].append((taken[known], values[sequence, neuron, position][known]))
    archives = []
    for neuron, parts in enumerate(found):
        windows, its = (np.concatenate(column) for column in zip(*parts, strict=True))
        rng = np.random.default_rng(derive_seed(settings.seed, "peaks", depth, neuron))
        archives.append(collect(windows, its, thresholds[neuron], settings.sequences, rng))
    return Samples(depth, length, thresholds, archives, "peaks")
