"""Segments, dictionary and trees, on small cases that can be checked by hand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cisgrammar.genome.sequence import encode, one_hot, reverse_complement
from cisgrammar.interpret.neurons.archive import Archive
from cisgrammar.interpret.neurons.demixing import (
    DemixingSettings,
    alike,
    cluster,
    demix,
    divided,
    refined,
    settled,
    weighed_bases,
)
from cisgrammar.interpret.neurons.dictionary import annotate, build_dictionary
from cisgrammar.interpret.neurons.facets import Facet, weighted_ppm
from cisgrammar.interpret.neurons.network import Network
from cisgrammar.interpret.neurons.segments import informative, segments_of
from cisgrammar.interpret.neurons.syntax import Site, gap_range, sites_of, syntax_tree
from cisgrammar.models.conv_layers import ConvLayer
from cisgrammar.motifs.meme import consensus


def facet(text, n=500):
    ppm = np.stack([np.full(4, 0.25) if c == "." else one_hot(encode(c))[:, 0] for c in text], 1)
    return Facet(np.arange(n), ppm, 1.0, 1.0, 1.0)


def sites(*places):
    return [Site(word[:-1], word[-1], start, start + 5) for word, start in places]


def test_information_is_in_bits():
    """A column of entropy 1 nat is 0.56 bits, whatever "2 - entropy" of the two is."""
    assert informative(np.full(6, 0.55)) == []
    assert informative(np.full(6, 0.57)) == [(0, 6)]


def test_short_runs_are_no_motifs():
    assert segments_of(0, [facet("....ACG......")]) == []
    (segment,) = segments_of(0, [facet("...ACGTG.....")])
    assert (segment.start, segment.end) == (3, 8)


def test_an_entry_is_its_best_example_and_not_the_longest():
    """By chance neighbours, the longest segment of a motif resembles no known motif."""
    word = "GATAAGGCTTC"
    strong, weak = facet(f".....{word}.........."), facet(f"...AC{word}TTGACG....")
    weak = replace(weak, consensus_value=0.3, decoupling=0.3, maximum=0.5)
    segments = segments_of(0, [strong, weak])
    assert [segment.motif.width for segment in segments] == [11, 19]
    (entry,) = build_dictionary(segments)
    assert consensus(entry.motif.matrix) == word and len(entry.segments) == 2


def test_one_motif_on_two_strands_is_one_entry():
    word = "GATAAGGCTTC"
    other = "".join("ACGT"[i] for i in reverse_complement(encode(word)))
    segments = segments_of(0, [facet(f"...{word}..."), facet(f".{other}.....")])
    (entry,) = build_dictionary(segments)
    assert len(entry.segments) == 2
    named = annotate(segments, [entry])
    assert sorted(named["strand"]) == ["+", "-"]
    assert named["start"].tolist() == [segment.start for segment in segments]


def test_gaps_are_joined_from_the_narrowest():
    facets = [facet("A" * 60, n) for n in (50, 40)]
    found = [sites(("a+", 0), ("b+", 8), ("c-", 30)), sites(("a+", 1), ("b+", 9), ("c-", 35))]
    tree = syntax_tree(facets, found)
    assert tree.text == "((a+ [3] b+) [17..21] c-)"
    assert [node.kind for node in tree.joins()] == ["hard", "soft"]
    assert tree.weight == 90


def test_ties_of_the_width_go_to_the_shorter_gap():
    tree = syntax_tree([facet("A" * 60)], [sites(("a+", 0), ("b+", 25), ("c+", 32))])
    assert tree.text == "(a+ [20] (b+ [2] c+))"


def test_two_of_one_motif_are_a_pair():
    tree = syntax_tree([facet("A" * 60)], [sites(("a+", 0), ("a+", 25))])
    assert tree.text == "(a+ [20] a+)"


def test_one_place_is_not_two_motifs():
    """A long entry names two segments of its own: one site."""
    segments = segments_of(3, [facet("..GATAAGGCTTC..ACCGTTGCA...")])
    named = pd.DataFrame(
        {"entry": ["a", "a"], "strand": "+", "start": [0, 1], "end": [26, 27], "q": 0.0},
        index=[segment.motif.name for segment in segments],
    )
    assert [[site.start for site in its] for its in sites_of(3, 1, segments, named)] == [[0]]


def test_facets_of_one_motif_have_no_tree():
    assert syntax_tree([facet("A" * 9)], [sites(("a+", 0))]) is None
    assert syntax_tree([], []) is None


@given(st.lists(st.integers(-5, 60), min_size=1, max_size=8))
def test_ranges_hold_the_median(gaps):
    low, high = gap_range(np.array(gaps), np.ones(len(gaps)))
    assert min(gaps) <= low <= np.median(gaps) + 0.5 and high <= max(gaps)


@given(st.integers(0, 10**6))
def test_patterns_are_probabilities(seed):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 4, (rng.integers(1, 60), 7), dtype=np.uint8)
    ppm = weighted_ppm(codes, rng.random(len(codes)) + 0.01)
    assert np.allclose(ppm.sum(axis=0), 1) and (ppm >= 0).all()


def test_each_strength_weighs_alike_however_many_there_are():
    """One strong sequence holds more than a hundred weak ones: as much as it is stronger."""
    codes = np.array([[0]] * 100 + [[1]], np.uint8)
    ppm = weighted_ppm(codes, np.array([0.4] * 100 + [1.0]), n_bins=2)
    assert ppm[:, 0] == pytest.approx([0.4 / 1.4, 1 / 1.4, 0, 0])


def test_sequences_go_to_the_pattern_that_they_fit():
    rng = np.random.default_rng(1)
    codes = rng.integers(0, 4, (200, 20), dtype=np.uint8)
    codes[:100, 2:10], codes[100:, 11:19] = encode("GATAAGGC"), encode("CCATTGTC")
    truth = np.repeat([0, 1], 100)
    wrong = np.where(rng.random(200) < 0.25, 1 - truth, truth)
    labels = refined(codes, wrong, DemixingSettings())
    kept = labels >= 0
    assert kept.mean() > 0.95 and (labels[kept] == truth[kept]).all()


def planted(rng, n, *places):
    """Sequences with a word at each of some places, one base in ten of it changed."""
    codes = rng.integers(0, 4, (n, 30), dtype=np.uint8)
    for start in places:
        word = np.broadcast_to(encode("GATAAGGC"), (n, 8))
        noise = rng.integers(0, 4, word.shape)
        codes[:, start : start + 8] = np.where(rng.random(word.shape) < 0.9, word, noise)
    return codes


def test_rare_patterns_in_one_group_get_groups_of_their_own():
    rng = np.random.default_rng(1)
    codes = np.concatenate([planted(rng, n, 2, at) for n, at in ((300, 12), (60, 15), (40, 20))])
    truth = np.repeat([0, 1, 2], [300, 60, 40])
    together = np.zeros(len(codes), int)
    assert set(refined(codes, together, DemixingSettings())) <= {
        -1,
        0,
    }  # moving alone cannot part them
    labels = settled(codes, together, DemixingSettings())
    assert (labels >= 0).mean() > 0.97
    pairs = set(zip(labels[labels >= 0], truth[labels >= 0], strict=True))
    assert len(pairs) == 3


def test_families_of_a_search_are_no_facets_of_their_own():
    rng = np.random.default_rng(1)
    codes = np.concatenate([planted(rng, n, 2, at) for n, at in ((300, 12), (60, 20))])
    layer = ConvLayer(np.zeros((1, 4, 30), np.float32), np.ones(1, np.float32))
    given = Network([layer]), 1, 0, Archive(codes, np.ones(len(codes), np.float32), len(codes))
    assert len(demix(*given, 0.0, DemixingSettings())) == 2
    assert len(demix(*given, 0.0, DemixingSettings(), related=True)) == 1


def a_motif_at_10(n=100):
    """A neuron that answers to GATTACA at base 10 alone, and relatives that share other bases."""
    weight = np.zeros((1, 4, 30), np.float32)
    weight[0, :, 10:17] = one_hot(encode("GATTACA"))
    network = Network([ConvLayer(weight, np.array([-4.5], np.float32))])
    rng = np.random.default_rng(3)
    codes = np.tile(rng.integers(0, 4, 30, dtype=np.uint8), (n, 1))  # all from one ancestor
    codes[:, 10:17] = encode("GATTACA")
    return network, codes


def test_bases_weigh_what_the_neuron_loses_without_them():
    network, codes = a_motif_at_10(3)
    codes[1, 12] = encode("C")[0]  # the T is missing
    weighed = weighed_bases(network, 1, 0, codes).reshape(3, 4, 30)
    for row, matter in ((0, [*range(10, 17)]), (1, [10, 11, 13, 14, 15, 16])):
        assert np.flatnonzero(weighed[row].sum(axis=0)).tolist() == matter
        assert weighed[row].argmax(axis=0)[matter].tolist() == codes[row, matter].tolist()
    assert np.linalg.norm(weighed.reshape(3, -1), axis=1) == pytest.approx(1)


def test_relatives_that_share_no_base_that_matters_are_not_alike():
    network, codes = a_motif_at_10()
    codes[60:, 10:17] = np.random.default_rng(4).integers(0, 4, (40, 7))
    labels = np.zeros(100, int)
    assert (refined(codes, labels, DemixingSettings()) == 0).sum() > 60  # by all their bases
    left = alike(weighed_bases(network, 1, 0, codes), labels, DemixingSettings())
    assert (left[:60] == 0).all() and (left[60:] == -1).mean() > 0.9


def test_where_no_sequences_are_alike_groups_stay_what_they_were():
    rng = np.random.default_rng(5)
    codes = rng.integers(0, 4, (50, 30), dtype=np.uint8)
    network = Network([ConvLayer(np.ones((1, 4, 30), np.float32), np.ones(1, np.float32))])
    labels = np.repeat([0, 1], 25)
    weighed = weighed_bases(network, 1, 0, codes)
    assert alike(weighed, labels, DemixingSettings()).tolist() == labels.tolist()


def test_a_sequence_in_the_wrong_group_moves_to_the_one_that_it_resembles():
    rows = np.repeat(np.eye(4, dtype=np.float32)[:2], 30, axis=0)
    labels = np.repeat([0, 1], 30)
    labels[[3, 40]] = 1, 0
    assert alike(rows, labels, DemixingSettings()).tolist() == [0] * 30 + [1] * 30


@pytest.mark.parametrize("seed", range(5))
def test_a_pattern_of_every_strength_stays_one_group(seed):
    rng = np.random.default_rng(seed)
    codes = planted(rng, 400, 4)
    blurred = rng.random(codes.shape) < rng.uniform(0, 0.6, (400, 1))
    codes = np.where(blurred, rng.integers(0, 4, codes.shape, dtype=np.uint8), codes)
    labels = np.zeros(len(codes), int)
    assert (divided(codes, labels, DemixingSettings()) == 0).all()


def test_no_more_groups_are_made_than_wanted_and_none_too_small():
    rng = np.random.default_rng(2)
    codes = np.concatenate([planted(rng, 50, at) for at in (0, 6, 12, 18)])
    labels = np.zeros(len(codes), int)
    assert len(set(divided(codes, labels, DemixingSettings(most_facets=2)))) == 2
    assert len(set(divided(codes, labels, DemixingSettings(min_sequences=20)))) == 4
    assert len(set(divided(codes, labels, DemixingSettings(min_sequences=60)))) < 4


def test_few_sequences_are_one_cluster_and_none_no_facet():
    layer = ConvLayer(np.ones((1, 4, 3), np.float32), np.zeros(1, np.float32), pool=2)
    network = Network([layer, ConvLayer(np.ones((1, 1, 1), np.float32), np.zeros(1, np.float32))])
    codes = np.random.default_rng(1).integers(0, 4, (10, 4), dtype=np.uint8)
    archive = Archive(codes, np.ones(10, np.float32), 10)
    assert len(set(cluster(network, 2, archive))) == 1
    empty = Archive(codes[:0], np.ones(0, np.float32), 0)
    assert demix(network, 2, 0, empty, 0.0, DemixingSettings()) == []
