"""The reading of a layer: facets, dictionary and syntax of its neurons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cisgrammar.common.progress import progress
from cisgrammar.interpret.neurons.choice import chosen_neurons, with_random_weights
from cisgrammar.interpret.neurons.demixing import DemixingSettings, demix
from cisgrammar.interpret.neurons.dictionary import Entry, annotate, build_dictionary
from cisgrammar.interpret.neurons.facets import Facet
from cisgrammar.interpret.neurons.network import Network
from cisgrammar.interpret.neurons.sampling import Samples, SamplingSettings, sample_layer
from cisgrammar.interpret.neurons.segments import Segment, segments_of
from cisgrammar.interpret.neurons.syntax import Node, Site, sites_of, syntax_tree

CONTROL_NEURONS = 64  # of a network with random weights


@dataclass(frozen=True)
class Reading:
    """What is read of the neurons of a layer.

    Parameters
    ----------
    samples
        Of the layer.
    facets, sites, trees
        Of each neuron that is read; a tree where a facet shows several motifs.
    segments, entries
        Of all of them.
    """

    samples: Samples
    facets: dict[int, list[Facet]]
    sites: dict[int, list[list[Site]]]
    trees: dict[int, Node]
    segments: list[Segment]
    entries: list[Entry]


def read_layer(
    network: Network, samples: Samples, neurons: Sequence[int], demixing: DemixingSettings
) -> Reading:
    """Demix the neurons of a layer, and read their motifs and how they go together."""
    depth = samples.depth
    facets = {
        neuron: demix(
            network,
            depth,
            neuron,
            samples.archives[neuron],
            float(samples.thresholds[neuron]),
            demixing,
            related=samples.how == "search",
        )
        for neuron in progress(neurons, f"layer {depth}, neurons demixed")
    }
    facets = {neuron: its for neuron, its in facets.items() if its}
    segments = [each for neuron, its in facets.items() for each in segments_of(neuron, its)]
    entries = build_dictionary(segments, demixing.seed)
    named = annotate(segments, entries, demixing.seed)
    sites = {n: sites_of(n, len(its), segments, named) for n, its in facets.items()}
    found = {neuron: syntax_tree(its, sites[neuron]) for neuron, its in facets.items()}
    trees = {neuron: tree for neuron, tree in found.items() if tree is not None}
    return Reading(samples, facets, sites, trees, segments, entries)


def read_layers(
    network: Network, samples: Mapping[int, Samples], most: int, demixing: DemixingSettings
) -> dict[int, Reading]:
    """Read layers, of each at most so many neurons."""
    return {
        depth: read_layer(network, its, chosen_neurons(network, its, most), demixing)
        for depth, its in samples.items()
    }


def base_composition(codes: np.ndarray) -> np.ndarray:
    """Give the shares of A, C, G and T in sequences, N left out: ``(4,)``."""
    counts = np.bincount(np.ravel(codes), minlength=4)[:4]
    return counts / counts.sum()


def random_readings(
    network: Network,
    depths: Sequence[int],
    sampling: SamplingSettings,
    demixing: DemixingSettings,
    most: int,
) -> dict[int, Reading]:
    """Read the same layers of the network with the weights of each filter shuffled."""
    other = Network(with_random_weights(network.layers, demixing.seed), network.device)
    below: Samples | None = None
    found = {}
    for depth in range(1, max(depths) + 1):
        below = sample_layer(other, depth, sampling, below)
        if depth in depths:
            neurons = chosen_neurons(other, below, min(most, CONTROL_NEURONS))
            found[depth] = read_layer(other, below, neurons, demixing)
    return found
