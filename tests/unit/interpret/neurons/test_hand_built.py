"""Networks written by hand, of which it is known what their neurons answer to."""

import functools

import numpy as np
import pytest
from made_networks import FIRST, SECOND, detector, on_top

from cisgrammar.interpret.neurons.choice import with_random_weights
from cisgrammar.interpret.neurons.demixing import DemixingSettings
from cisgrammar.interpret.neurons.network import Network
from cisgrammar.interpret.neurons.proof import spacing_curves, truth_table, words_of
from cisgrammar.interpret.neurons.reading import read_layer
from cisgrammar.interpret.neurons.sampling import SamplingSettings, sample_layer

BOTH = {(0, 0): 1.0, (1, 0): 1.0}
NETWORKS = {
    "alternatives": on_top(detector(FIRST, SECOND), BOTH, 1, -1.0),
    "shifted": on_top(detector(FIRST), {(0, 0): 1.0}, 1, -1.0, pool=4),
    "hard": on_top(detector(FIRST, SECOND), {(0, 0): 1.0, (1, 10): 1.0}, 11, -4.0),
    "soft": on_top(detector(FIRST, SECOND), {(0, 0): 1.0, (1, 3): 1.0}, 4, -4.0, pool=4),
    "one": on_top(detector(FIRST), {(0, 2): 1.0}, 5, -1.0),
}


@functools.cache
def read(name):
    network, below = Network(NETWORKS[name]), None
    for depth in (1, 2):
        below = sample_layer(network, depth, SamplingSettings(seed=1), below)
    return network, read_layer(network, below, [0], DemixingSettings(seed=1))


def spelled(facet):
    letters = np.array(list("ACGT"))[facet.ppm.argmax(axis=0)]
    return "".join(np.where(facet.ppm.max(axis=0) > 0.45, letters, "."))


@pytest.mark.parametrize("name", NETWORKS)
def test_facets_are_the_patterns_that_were_written(name):
    _, reading = read(name)
    found = {spelled(facet).strip(".") for facet in reading.facets[0]}
    expected = {"alternatives": 2, "shifted": 4, "hard": 1, "soft": 16, "one": 1}
    assert len(reading.facets[0]) == expected[name]
    if name == "alternatives":
        assert found == {FIRST, SECOND}
    elif name == "hard":
        assert found == {f"{FIRST}...{SECOND}"}
    elif name != "soft":
        assert found == {FIRST}
    assert all(facet.decoupling > 0.95 for facet in reading.facets[0])


@pytest.mark.parametrize("name", NETWORKS)
def test_motifs_stand_where_they_were_put(name):
    _, reading = read(name)
    starts = {
        "alternatives": {FIRST: {0}, SECOND: {0}},
        "shifted": {FIRST: {0, 1, 2, 3}},
        "hard": {FIRST: {0}, SECOND: {10}},
        "soft": {FIRST: {0, 1, 2, 3}, SECOND: {12, 13, 14, 15}},
        "one": {FIRST: {2}},
    }[name]
    motifs = {entry.name: entry.motif.matrix for entry in reading.entries}
    letters = {k: "".join("ACGT"[i] for i in m.argmax(axis=0)) for k, m in motifs.items()}
    found = {word: set() for word in starts}
    for sites in reading.sites[0]:
        for site in sites:
            assert site.strand == "+"
            found[letters[site.entry]].add(site.start)
    assert found == starts


@pytest.mark.parametrize("name, gaps", [("hard", (3, 3)), ("soft", (2, 8))])
def test_gaps_are_those_of_the_weights(name, gaps):
    _, reading = read(name)
    assert reading.trees[0].gaps == gaps
    assert reading.trees[0].kind == name


@pytest.mark.parametrize("name", ["alternatives", "shifted", "one"])
def test_networks_without_a_pair_have_no_tree(name):
    assert not read(name)[1].trees


@pytest.mark.parametrize("name, link", [("alternatives", "OR"), ("hard", "AND"), ("soft", "AND")])
def test_the_network_itself_says_what_links_motifs(name, link):
    network, reading = read(name)
    table = truth_table(network, 2, 0, reading.facets[0], reading.sites[0], 0.0)
    assert table["link"].tolist() == [link]


@pytest.mark.parametrize("name", ["hard", "soft"])
def test_curves_of_spacing_fall_outside_the_gaps_and_in_the_other_order(name):
    network, reading = read(name)
    words = words_of(reading.facets[0], reading.sites[0])
    table = spacing_curves(network, 2, 0, reading.trees[0], words)
    pair = table[table["arrangement"] == "pair"]
    inside, outside = pair[pair["expected"]], pair[~pair["expected"]]
    assert inside["activation"].min() > outside["activation"].max() + 0.5
    swapped = table.loc[table["arrangement"] == "swapped", "activation"]
    assert swapped.max() < inside["activation"].min() - 0.5


def test_exclusive_motifs_are_told_from_alternatives():
    """Each motif excites the neuron, and both together do not: a third filter sees the pair."""
    layers = on_top(detector(FIRST, SECOND), {(0, 0): 1.0, (1, 10): 1.0}, 11, -1.0)
    pair = np.zeros((3, 2, 11), np.float32)
    pair[0, 0, 0] = pair[1, 1, 10] = pair[2, 0, 0] = pair[2, 1, 10] = 1
    layers[1] = type(layers[1])(pair, np.array([0, 0, -5.0], np.float32))
    top = np.array([[[1.0], [1.0], [-4.0]]], np.float32)
    network = Network([*layers, type(layers[1])(top, np.array([-1.0], np.float32))])
    below = None
    for depth in (1, 2, 3):
        below = sample_layer(network, depth, SamplingSettings(seed=1), below)
    reading = read_layer(network, below, [0], DemixingSettings(seed=1))
    table = truth_table(network, 3, 0, reading.facets[0], reading.sites[0], 0.0)
    assert "XOR" in table["link"].tolist()


def test_shuffled_weights_are_the_same_numbers_in_another_order():
    layers = NETWORKS["soft"]
    shuffled = with_random_weights(layers, 1)
    for layer, other in zip(layers, shuffled, strict=True):
        ours, its = (each.weight.reshape(each.filters, -1) for each in (layer, other))
        assert np.array_equal(np.sort(ours, axis=1), np.sort(its, axis=1))
        assert not np.array_equal(ours, its)
