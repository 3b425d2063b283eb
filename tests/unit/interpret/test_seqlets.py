"""Seqlets: what stands out of shuffled sequences, and the motifs that it is like."""

import numpy as np
import pytest

from cisgrammar.genome.sequence import encode, one_hot, reverse_complement
from cisgrammar.interpret.seqlets import as_motif, find_seqlets, name_seqlets
from cisgrammar.motifs.meme import Motif

WORDS = {"one": "GATTACAGG", "two": "CCGTGACTC", "three": "TTTGCGCAA", "four": "ACGTCATAC"}


def made(signs=(1, -1), noise=0.01, seed=0):
    """Two sequences: one bears a word at 30, the other one on its reverse strand at 70."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 4, (2, 100), dtype=np.uint8)
    scores = rng.normal(0, noise, (2, 100))
    codes[0, 30:39] = encode(WORDS["one"])
    codes[1, 70:79] = reverse_complement(encode(WORDS["two"]))
    scores[0, 30:39], scores[1, 70:79] = signs[0], signs[1]
    return codes, scores, rng.normal(0, noise, (50, 100))


def test_what_stands_out_is_found_with_its_sign_and_its_ends():
    _, scores, chance = made()
    found = find_seqlets(scores, chance)
    assert found[["row", "start", "end"]].to_numpy().tolist() == [[0, 30, 39], [1, 70, 79]]
    np.testing.assert_allclose(found["contribution"], [9, -9], atol=0.2)
    assert found["p"].tolist() == pytest.approx([1 / 51] * 2)


def test_of_shuffled_sequences_few_have_a_seqlet():
    rng = np.random.default_rng(1)
    found = find_seqlets(rng.normal(size=(400, 100)), rng.normal(size=(400, 100)))
    assert 0 < found["row"].nunique() <= 40


def test_no_larger_than_chance_is_no_seqlet():
    _, scores, chance = made()
    chance[:, 10:20] = 2.0
    assert find_seqlets(scores, chance).empty


def test_what_was_not_asked_is_no_seqlet():
    _, scores, chance = made()
    scores[:, :60], chance[:, :60] = np.nan, np.nan
    assert find_seqlets(scores, chance)["row"].tolist() == [1]


def test_short_and_silent_sequences_have_none():
    assert find_seqlets(np.ones((2, 5)), np.zeros((2, 5))).empty
    assert find_seqlets(np.zeros((2, 50)), np.zeros((2, 50))).empty


def test_seqlets_do_not_overlap():
    scores = np.zeros((1, 100))
    scores[0, 20:65] = 1
    found = find_seqlets(scores, np.full((20, 100), 0.01)).sort_values("start")
    assert (found["start"].to_numpy()[1:] >= found["end"].to_numpy()[:-1]).all()


def test_a_seqlet_is_the_motif_that_it_spells_on_its_strand():
    codes, scores, chance = made()
    noise = np.random.default_rng(2).dirichlet([1] * 4, (80, 9)).transpose(0, 2, 1)
    motifs = [Motif(f"noise{i}", matrix) for i, matrix in enumerate(noise)]
    motifs += [Motif(name, 0.04 + 0.84 * one_hot(encode(word))) for name, word in WORDS.items()]
    named = name_seqlets(find_seqlets(scores, chance), scores, codes, motifs)
    columns = ["motif", "motif_strand", "motif_start", "motif_end"]
    assert named[columns].to_numpy().tolist() == [["one", "+", 30, 39], ["two", "-", 70, 79]]
    assert (named["motif_q"] < 0.05).all()


def test_without_motifs_nothing_is_named():
    codes, scores, chance = made()
    named = name_seqlets(find_seqlets(scores, chance), scores, codes, [])
    assert len(named) == 2 and named["motif"].isna().all()


def test_a_base_that_contributes_nothing_may_be_any():
    motif = as_motif(np.array([2.0, 1.0, 0.0, -1.0]), encode("ACGT"), "x")
    expected = np.full((4, 4), 0.25)
    expected[:, 0] = [1, 0, 0, 0]
    expected[:, 1] = [0.125, 0.625, 0.125, 0.125]
    np.testing.assert_allclose(motif.matrix, expected)
