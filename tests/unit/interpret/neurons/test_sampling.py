"""Sampling: what is found, what it may cost, and that chance is the seed's alone."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from made_networks import FIRST, SECOND, detector, on_top

from cisgrammar.common.errors import InputError
from cisgrammar.genome.sequence import encode
from cisgrammar.interpret.neurons.archive import collect, hashes
from cisgrammar.interpret.neurons.choice import chosen_neurons
from cisgrammar.interpret.neurons.facets import Facet
from cisgrammar.interpret.neurons.files import (
    read_facets,
    read_samples,
    sample_layers,
    write_facets,
    write_samples,
)
from cisgrammar.interpret.neurons.network import Network
from cisgrammar.interpret.neurons.sampling import (
    SamplingSettings,
    best_words,
    sample_layer,
    sample_sequences,
    words,
)
from cisgrammar.models.conv_layers import ConvLayer, chosen_layers

SMALL = SamplingSettings(sequences=500, generations=20, seed=3)


def soft():
    return Network(on_top(detector(FIRST, SECOND), {(0, 0): 1.0, (1, 3): 1.0}, 4, -4.0, pool=4))


@given(st.integers(0, 10**6), st.integers(1, 5), st.integers(1, 40))
def test_branch_and_bound_gives_the_highest_sums(seed, width, most):
    scores = np.random.default_rng(seed).normal(size=(4, width))
    every = words(0, 4**width, width)
    sums = np.sort(scores[every, np.arange(width)].sum(axis=1))[::-1][:most]
    found = best_words(scores, most)
    assert np.allclose(scores[found, np.arange(width)].sum(axis=1), sums)


def test_windows_without_padding_are_the_network_far_from_its_ends():
    """A short window gives what the same network gives along a longer sequence."""
    network = soft()
    codes = np.random.default_rng(1).integers(0, 4, (5, 60), dtype=np.uint8)
    ((_, along),) = network.scan(codes, 2)
    length, step = network.length(2), network.step(2)
    for position in range(along.shape[2]):
        window = codes[:, position * step : position * step + length]
        assert np.allclose(network.read(window, 2), along[..., position], atol=1e-5)


def test_archives_hold_each_sequence_once_and_all_strengths():
    rng = np.random.default_rng(1)
    codes = rng.integers(0, 4, (5000, 20), dtype=np.uint8)
    values = rng.exponential(size=5000).astype(np.float32)
    archive = collect(np.tile(codes, (2, 1)), np.tile(values, 2), 0.5, 400, rng)
    assert len(archive) == 400
    assert archive.n_active == (values > 0.5).sum()
    assert len(np.unique(archive.codes, axis=0)) == 400
    assert archive.highest == values.max()
    counts = np.histogram(archive.values, 20, (0.5, float(values.max())))[0]
    full = np.histogram(values, 20, (0.5, float(values.max())))[0]
    assert (counts[full < 15] == full[full < 15]).all()


def test_hashes_tell_sequences_apart():
    every = words(0, 4**7, 7)
    assert len(np.unique(hashes(every))) == 4**7


def test_the_seed_decides_and_the_number_of_threads_does_not():
    network = soft()
    first = sample_layer(network, 1, SMALL)
    once = sample_layer(network, 2, SMALL, first)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        again = sample_layer(network, 2, SMALL, first)
    finally:
        torch.set_num_threads(before)
    assert np.array_equal(once.archives[0].codes, again.archives[0].codes)
    other = sample_layer(network, 2, SamplingSettings(500, 20, seed=4), first)
    assert not np.array_equal(once.archives[0].codes, other.archives[0].codes)


def test_a_run_that_was_stopped_goes_on_and_other_settings_begin_anew(tmp_path, caplog):
    network = soft()
    once = sample_layers(network, [1, 2], SMALL, tmp_path)
    (tmp_path / next(p.name for p in tmp_path.iterdir() if "layer2" in p.name)).unlink()
    with caplog.at_level("INFO"):
        again = sample_layers(network, [1, 2], SMALL, tmp_path)
    assert caplog.text.count("is there from a run that was stopped") == 1
    assert np.array_equal(once[2].archives[0].codes, again[2].archives[0].codes)
    caplog.clear()
    with caplog.at_level("INFO"):
        sample_layers(network, [1], SamplingSettings(400, 20, seed=3), tmp_path)
    assert "stopped" not in caplog.text


def test_samples_and_facets_come_back_from_disk(tmp_path):
    network = soft()
    samples = {1: sample_layer(network, 1, SMALL)}
    write_samples(samples, tmp_path / "samples.h5")
    back = read_samples(tmp_path / "samples.h5")[1]
    assert back.how == "all" and back.length == 7
    assert np.array_equal(back.archives[1].codes, samples[1].archives[1].codes)
    facet = Facet(np.arange(3), np.full((4, 5), 0.25), 2.0, 1.5, 0.75)
    write_facets({2: {0: [facet] * 11}}, tmp_path / "facets.h5")
    found = read_facets(tmp_path / "facets.h5")[2][0]
    assert len(found) == 11 and found[10].decoupling == 0.75
    (tmp_path / "facets.h5").write_bytes(b"cut")
    with pytest.raises(InputError, match="Delete it and run again"):
        read_facets(tmp_path / "facets.h5")


def test_windows_of_sequences_are_those_that_hold_the_motif():
    codes = np.random.default_rng(2).integers(0, 4, (30, 40), dtype=np.uint8)
    codes[3, 10:17] = encode(FIRST)
    codes[4, 12:19] = encode(FIRST)
    codes[4, 13] = 4  # a window with an N is no example
    network = Network([detector(FIRST, least=0.99)])
    samples = sample_sequences(network, 1, codes, SMALL)
    assert samples.how == "peaks"
    assert samples.archives[0].codes.tolist() == [encode(FIRST).tolist()]


def test_where_zero_says_nothing_the_threshold_is_a_quantile():
    layer = detector(FIRST)
    linear = ConvLayer(layer.weight, layer.bias, after="none")
    network = Network([linear])
    samples = sample_layer(network, 1, SamplingSettings(quantile=0.9))
    every = network.read(words(0, 4**7, 7), 1)[:, 0]
    assert (every > samples.thresholds[0]).mean() == pytest.approx(0.1, abs=0.03)


def test_never_active_neurons_are_left_out_and_a_silent_layer_is_an_error(tmp_path):
    layer = detector(FIRST, SECOND)
    silent = ConvLayer(layer.weight, np.array([layer.bias[0], -100], np.float32))
    network = Network([silent])
    samples = sample_layers(network, [1], SMALL, tmp_path)
    assert chosen_neurons(network, samples[1], 9) == [0]
    dead = Network([ConvLayer(layer.weight, np.full(2, -100, np.float32))])
    with pytest.raises(InputError, match="none of its 2 neurons is ever active"):
        sample_layers(dead, [1], SMALL, tmp_path)


def test_layers_that_are_not_there():
    with pytest.raises(InputError, match=r"names 3, but the network has 2 .* 1: 7, 2: 22"):
        chosen_layers(soft().layers, [1, 3], 112)
    with pytest.raises(InputError, match="no layer reads 5 bases or fewer"):
        chosen_layers(soft().layers, None, 5)
    assert chosen_layers(soft().layers, None, 10) == [1]
