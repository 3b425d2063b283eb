"""Mutations matter where the motif stands, in the cells that heed it."""

import numpy as np
import pytest
import torch
from made_accessibility import trained

from cisgrammar.genome.sequence import encode
from cisgrammar.interpret.mutagenesis import (
    importance,
    label_motifs,
    mean_weights,
    mutate,
    shuffled_importance,
)
from cisgrammar.motifs.fimo import hits
from cisgrammar.motifs.meme import Motif

GROUPS = ["yes"] * 15 + ["no"] * 15


@pytest.fixture(scope="module")
def case():
    _, model = trained()
    codes = np.random.default_rng(7).integers(0, 4, 40, dtype=np.uint8)
    codes[16:23] = encode("GATTACA")
    codes[3] = 4
    return model, codes


def test_importance_peaks_at_the_motif(case):
    model, codes = case
    weights, names = mean_weights(model, GROUPS)
    effects = mutate(model, codes, weights)
    assert names == ["no", "yes"] and effects.shape == (2, 4, 40)
    scores = importance(effects, codes)
    inside = np.zeros(40, bool)
    inside[16:23] = True
    assert scores[1, inside].mean() > 5 * np.abs(scores[1, ~inside]).mean()
    assert scores[0, inside].mean() < 0
    assert scores[:, 3].tolist() == [0, 0]


def test_effects_are_what_whole_sequences_give(case):
    model, codes = case
    effects = mutate(model, codes, mean_weights(model, GROUPS)[0], first=10, end=30)
    mutated = codes.copy()
    mutated[17] = 2
    with torch.no_grad():
        embedding = model.embed(torch.from_numpy(np.stack([codes, mutated])))
        logits = (embedding @ model.head.weight.T).numpy()
    change = logits[1] - logits[0]
    assert effects[1, 2, 7] == pytest.approx(change[:15].mean(), abs=1e-5)
    assert effects[0, 2, 7] == pytest.approx(change[15:].mean(), abs=1e-5)
    assert (effects[:, codes[10:30], np.arange(20)] == 0).all()


def test_importance_by_hand():
    effects = np.array([[[0.0, -1], [-2, 0], [-4, 3], [-2, 2]]])
    assert importance(effects, np.array([0, 1], dtype=np.uint8)).tolist() == [[2, -1]]


def test_bases_of_shuffled_sequences_matter_little(case):
    model, codes = case
    weights, _ = mean_weights(model, GROUPS)
    null = shuffled_importance(model, codes, weights, 10, 30, n_shuffles=4, seed=1)
    assert null.shape == (2, 4, 20)
    found = importance(mutate(model, codes, weights, 10, 30), codes[10:30])
    assert found[1, 6:13].mean() > np.quantile(np.abs(null[1]), 0.99)
    same = shuffled_importance(model, codes, weights, 10, 30, n_shuffles=4, seed=1)
    assert (null == same).all()


def label(scores, codes, motifs, **settings):
    found = hits(codes[None], ["region"], motifs, 1e-3)
    matrices = {motif.name: motif.matrix for motif in motifs}
    return label_motifs(scores, codes, found, matrices, seed=1, **settings)


def planted():
    strong = np.array([[0.97, 0.01, 0.01, 0.01]] * 4).T
    vague = np.array([[0.4, 0.2, 0.2, 0.2]] * 4).T
    rows = [np.roll(part, i, axis=0) for i, part in enumerate((strong, vague, strong))]
    motif = Motif("m", np.concatenate(rows, axis=1)[:, :12])
    rng = np.random.default_rng(1)
    codes = rng.integers(0, 4, 80, dtype=np.uint8)
    codes[10:22] = codes[50:62] = motif.matrix.argmax(axis=0)
    scores = rng.normal(0, 0.1, 80)
    scores[10:22] += motif.matrix.max(axis=0)
    return motif, codes, scores


def test_labels_name_the_motif_that_importance_follows():
    """The motif stands twice; only one of the two is important, as its information is."""
    motif, codes, scores = planted()
    table = label(scores, codes, [motif])
    assert table.loc[0, ["start", "end", "strand"]].tolist() == [10, 22, "+"]
    assert table.loc[0, "p"] < 0.02 and table.loc[0, "r"] > 0.8
    assert table.loc[0, "importance"] == pytest.approx(scores[10:22].mean())
    assert table.loc[0, "r"] == pytest.approx(
        np.corrcoef(scores[10:22], motif.matrix.max(axis=0))[0, 1]
    )
    assert table.loc[table["start"] == 50, "p"].item() > 0.05
    assert (table["q"] >= table["p"]).all() and table["p"].is_monotonic_increasing


def test_a_site_that_closes_is_named_too():
    motif, codes, scores = planted()
    opening, closing = label(scores, codes, [motif]), label(-scores, codes, [motif])
    assert closing.loc[0, "importance"] == -opening.loc[0, "importance"] < 0
    assert closing.loc[0, "r"] == pytest.approx(opening.loc[0, "r"])


def test_hits_of_little_importance_are_not_tested():
    motif, codes, scores = planted()
    table = label(scores, codes, [motif], least=0.5)
    assert table.loc[0, "start"] == 10 and (table["start"] != 50).all()
    everything = label(scores, codes, [motif])
    assert 50 in everything["start"].tolist() and len(everything) > len(table)


def test_the_other_strand_is_read_backwards():
    motif, codes, scores = planted()
    turned = Motif("m", motif.matrix[::-1, ::-1])
    forward, backward = label(scores, codes, [motif]), label(scores, codes, [turned])
    assert backward.loc[0, "strand"] == "-"
    assert backward.loc[0, "r"] == pytest.approx(forward.loc[0, "r"])


def test_no_hit_is_an_empty_table():
    motif = Motif("m", np.eye(4)[:, [0] * 12])
    table = label(np.ones(30), np.full(30, 1, dtype=np.uint8), [motif])
    assert table.empty and "q" in table
