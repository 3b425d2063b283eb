"""Real sequences: counts and places of facets, and what a neuron feeds."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import torch
from made_networks import FIRST, SECOND, detector, on_top

from cisgrammar.genome.sequence import decode, encode
from cisgrammar.interpret.neurons.demixing import DemixingSettings
from cisgrammar.interpret.neurons.network import Network, stacks_of
from cisgrammar.interpret.neurons.peaks import effects_of_layers, locate, write_sites
from cisgrammar.interpret.neurons.reading import base_composition, read_layer
from cisgrammar.interpret.neurons.sampling import SamplingSettings, sample_layer
from cisgrammar.models.scover import Scover

NETWORK = Network(on_top(detector(FIRST, SECOND, least=0.8), {(0, 0): 1.0, (1, 0): 1.0}, 1, -0.5))


@pytest.fixture(scope="module")
def reading():
    below = None
    for depth in (1, 2):
        below = sample_layer(NETWORK, depth, SamplingSettings(seed=1), below)
    return read_layer(NETWORK, below, [0], DemixingSettings(min_sequences=2))


@pytest.fixture(scope="module")
def dataset():
    """Ten sequences; three with the first motif at base 20, two with the second at base 5."""
    codes = np.tile(np.arange(4, dtype=np.uint8), (10, 10))
    codes[:3, 20:27], codes[3:5, 5:12] = encode(FIRST), encode(SECOND)
    strand = ["+", "-"] * 5
    var = pd.DataFrame({"chrom": "chr1", "start": np.arange(10) * 100, "strand": strand})
    var.index = [f"peak{i}" for i in range(10)]
    obs = pd.DataFrame({"cell_type": ["A", "A", "B"]}, index=list("xyz"))
    return ad.AnnData(np.zeros((3, 10), np.float32), obs, var, varm={"codes": codes})


def test_sequences_of_each_facet_are_counted(reading, dataset):
    thresholds = {2: reading.samples.thresholds}
    counts, _ = locate(NETWORK, {2: reading.facets}, thresholds, dataset, 100)
    words = ["".join("ACGT"[i] for i in f.ppm.argmax(axis=0)) for f in reading.facets[0]]
    found = dict(zip(words, counts["n_sequences"], strict=True))
    assert found == {FIRST: 3, SECOND: 2}
    assert counts["share"].sum() == pytest.approx(0.5)


def test_sites_are_where_the_motif_is_on_either_strand(reading, dataset, tmp_path):
    thresholds = {2: reading.samples.thresholds}
    _, sites = locate(NETWORK, {2: reading.facets}, thresholds, dataset, 100)
    places = set(zip(sites["start"], sites["end"], sites["strand"], strict=True))
    # of 40 bases the window from 20 to 27 is, on the other strand, that from 13 to 20
    assert places == {
        (20, 27, "+"),
        (113, 120, "-"),
        (220, 227, "+"),
        (328, 335, "-"),
        (405, 412, "+"),
    }
    write_sites(sites, tmp_path / "sites.bed")
    lines = (tmp_path / "sites.bed").read_text().splitlines()
    assert len(lines) == 5 and lines[0].split("\t")[3].startswith("L2_0_")


def test_layers_that_read_more_than_a_sequence_have_no_sites(reading, dataset):
    short = dataset.copy()
    short.varm["codes"] = dataset.varm["codes"][:, :6].copy()
    counts, sites = locate(NETWORK, {2: reading.facets}, {2: reading.samples.thresholds}, short, 9)
    assert counts.empty and sites.empty


def test_a_motif_moves_the_targets_that_its_filter_feeds(dataset):
    model = Scover(3, 1, 7)
    with torch.no_grad():
        model.motifs.weight.copy_(torch.from_numpy(detector(FIRST).weight))
        model.head.weight.copy_(torch.tensor([[1.0], [1.0], [-1.0]]))
        model.head.bias.zero_()
    network = Network(stacks_of(model)["scover"])
    samples = sample_layer(network, 1, SamplingSettings())
    reading = read_layer(network, samples, [0], DemixingSettings())
    table = effects_of_layers(model.eval(), dataset, {1: reading.facets}, 1)
    change = table.set_index("cell_type")["change"]
    assert change["A"] > 1 and change["B"] == pytest.approx(-change["A"], rel=1e-4)
    assert effects_of_layers(None, dataset, {1: reading.facets}, 1).empty


def test_composition_leaves_unknown_bases_out():
    shares = base_composition(np.array([[0, 0, 1, 4], [2, 3, 3, 3]], np.uint8))
    assert shares == pytest.approx([2 / 7, 1 / 7, 1 / 7, 3 / 7])
    assert decode(np.array([0, 4], np.uint8)) == "AN"
