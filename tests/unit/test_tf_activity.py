"""A model that was trained on a motif says so when the motif is put into sequences."""

import numpy as np
import pytest
import torch
from made_accessibility import trained

from cisgrammar.controls import shuffle_dinucleotides
from cisgrammar.motifs.meme import Motif
from cisgrammar.seeds import derive_seed
from cisgrammar.sequence import encode
from cisgrammar.tf_activity import activity_against, draw_from, insertion_effects, standardise


def motif(name, consensus):
    matrix = np.full((4, len(consensus)), 0.0)
    matrix[encode(consensus), np.arange(len(consensus))] = 1
    return Motif(name, matrix)


MOTIFS = [motif("planted", "GATTACA"), motif("other", "CCCGGG")]


@pytest.fixture(scope="module")
def case():
    split, model = trained()
    return model, split.codes.numpy()


def test_activity_is_high_where_the_motif_opens_peaks(case):
    effects = insertion_effects(*case, MOTIFS, n_backgrounds=200, seed=1)
    assert effects.shape == (30, 2) and effects.dtype == np.float32
    likes = np.arange(30) < 15
    assert effects[likes, 0].min() > 0.05 and effects[~likes, 0].max() < 0
    assert np.abs(effects[:, 1]).mean() < np.abs(effects[:, 0]).mean() / 3
    table = activity_against(standardise(effects), np.stack([likes, likes], axis=1), "ab")
    assert table.loc[0, "r"] > 0.95


@pytest.mark.parametrize("of_logits", [False, True])
def test_effects_are_what_whole_sequences_give(case, of_logits):
    model, codes = case
    found = insertion_effects(
        model, codes, MOTIFS[:1], n_backgrounds=150, of_logits=of_logits, seed=4
    )
    rng = np.random.default_rng(derive_seed(4, "backgrounds"))
    chosen = np.sort(rng.choice(len(codes), 150, replace=False))
    before = shuffle_dinucleotides(codes[chosen], 4)
    after = before.copy()
    after[:, 16:23] = encode("GATTACA")

    @torch.no_grad()
    def accessibility(sequences):
        embedding = model.embed(torch.from_numpy(sequences))
        logits = embedding @ model.head.weight.T
        return (logits if of_logits else torch.sigmoid(logits)).numpy()

    expected = (accessibility(after) - accessibility(before)).mean(axis=0)
    np.testing.assert_allclose(found[:, 0], expected, rtol=1e-4, atol=1e-5)


def test_same_seed_same_activity(case):
    one, same, other = (
        insertion_effects(*case, MOTIFS, n_backgrounds=50, seed=s) for s in (1, 1, 2)
    )
    assert (one == same).all() and (one != other).any()


def test_draws_follow_probabilities():
    ppm = np.array([[0.7, 0], [0.1, 0], [0.1, 0], [0.1, 1]])
    drawn = draw_from(ppm, 4000, np.random.default_rng(1))
    assert np.bincount(drawn[:, 0]) / 4000 == pytest.approx(ppm[:, 0], abs=0.03)
    assert (drawn[:, 1] == 3).all()


def test_standardised_by_hand():
    z = standardise(np.array([[1.0, 5], [3, 5]]))
    assert z.tolist() == [[-1, 0], [1, 0]]
