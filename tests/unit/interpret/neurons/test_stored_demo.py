"""The first demonstration of NeuronMotif, against what its authors stored."""

import h5py
import numpy as np
import pytest
from made_inputs import SHARED, real

from cisgrammar.interpret.neurons.demixing import DemixingSettings, cluster, demix
from cisgrammar.interpret.neurons.facets import facets_of, weighted_ppm
from cisgrammar.interpret.neurons.network import Network
from cisgrammar.interpret.neurons.sampling import SamplingSettings, sample_layer
from cisgrammar.models.network_files import read_network

FOLDER = SHARED / "neuronmotif"
LAYERS = """layers:
  - {convolution: conv1d_1, activation: relu, pool: 2}
  - {convolution: conv1d_2, activation: sigmoid}
"""


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    description = tmp_path_factory.mktemp("demo") / "layers.yaml"
    description.write_text(LAYERS)
    return Network(read_network(real(FOLDER / "demo1.weight.hdf5"), description))


@pytest.fixture(scope="module")
def samples(network):
    first = sample_layer(network, 1, SamplingSettings())
    return first, sample_layer(network, 2, SamplingSettings(), first)


def stored(layer, neuron):
    with h5py.File(real(FOLDER / f"demo1_layer{layer}_neuron{neuron}.ppm.h5")) as file:
        return {key: item[...] for key, item in file.items()}


def test_as_many_sequences_are_active(samples):
    first, second = samples
    assert [archive.n_active for archive in first.archives] == [899, 903, 435]
    assert [archive.n_active for archive in second.archives] == [1323]
    assert second.archives[0].highest == pytest.approx(9.0164, abs=1e-4)


@pytest.mark.parametrize("neuron", range(3))
def test_patterns_of_the_first_layer(samples, neuron):
    archive, theirs = samples[0].archives[neuron], stored(1, neuron)
    assert np.allclose(archive.values, np.sort(theirs["act0"])[::-1], atol=2e-6)
    ours = weighted_ppm(archive.codes, archive.values, n_bins=50)
    assert np.abs(ours.T - theirs["ppm0"]).max() < 1e-8


def test_clusters_as_published(network, samples):
    archive, theirs = samples[1].archives[0], stored(2, 0)
    facets = facets_of(network, 2, 0, archive, cluster(network, 2, archive), n_bins=50)
    assert [len(facet.rows) for facet in facets] == [779, 544]
    consensus = ["".join("ACGT"[i] for i in facet.ppm.argmax(axis=0)) for facet in facets]
    assert consensus == ["CAGGTGGT", "GCAGGTGA"]
    assert [facet.decoupling for facet in facets] == pytest.approx([1, 0.908], abs=5e-4)
    for k, facet in enumerate(facets):
        assert np.corrcoef(facet.ppm.T.ravel(), theirs[f"ppm{k}"].ravel())[0, 1] > 0.999


def test_routing_finds_the_same_patterns(network, samples):
    facets = demix(network, 2, 0, samples[1].archives[0], 0.0, DemixingSettings(n_bins=50))
    consensus = {"".join("ACGT"[i] for i in facet.ppm.argmax(axis=0)) for facet in facets}
    assert {"CAGGTGGT", "GCAGGTGA"} <= consensus


@pytest.mark.parametrize("seed", range(5))
def test_the_search_alone_finds_the_highest(network, samples, seed):
    found = sample_layer(network, 2, SamplingSettings(exact=False, seed=seed), samples[0])
    assert found.how == "search"
    assert found.archives[0].highest >= 0.99 * samples[1].archives[0].highest


def test_branch_and_bound_finds_the_highest_of_the_first_layer(network, samples):
    found = sample_layer(network, 1, SamplingSettings(exact=False))
    for ours, theirs in zip(found.archives, samples[0].archives, strict=True):
        assert ours.highest == pytest.approx(theirs.highest, abs=1e-5)
