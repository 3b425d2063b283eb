"""A model that was trained on a motif says so when the motif is put into sequences."""

import numpy as np
import pandas as pd
import pytest
import torch
from anndata import AnnData
from made_accessibility import trained
from scipy import sparse, stats

from cisgrammar.common.errors import InputError
from cisgrammar.common.seeds import derive_seed
from cisgrammar.genome.sequence import encode
from cisgrammar.genome.shuffling import shuffle_dinucleotides
from cisgrammar.interpret.tf_activity import (
    activity_against,
    activity_against_expression,
    as_activity,
    draw_from,
    insertion_effects,
    rank_distinct,
    standardise,
    that_fit,
)
from cisgrammar.motifs.databases import Database, choose_motifs
from cisgrammar.motifs.meme import Motif


def motif(name, consensus):
    matrix = np.full((4, len(consensus)), 0.0)
    matrix[encode(consensus), np.arange(len(consensus))] = 1
    return Motif(name, matrix)


MOTIFS = [motif("planted", "GATTACA"), motif("other", "CCCGGG")]


@pytest.fixture(scope="module")
def case():
    split, model = trained()
    return model, split.inputs.codes.numpy()


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


@pytest.mark.parametrize("of_logits", [False, True])
def test_a_motif_has_the_same_activity_whichever_others_are_tried(case, of_logits):
    vague = [Motif(f"v{i}", np.full((4, 5 + i % 3), 0.25)) for i in range(20)]
    settings = {"n_backgrounds": 120, "of_logits": of_logits, "seed": 2}
    together = insertion_effects(*case, vague, **settings)
    for number in (0, 7, 19):
        alone = insertion_effects(*case, [vague[number]], **settings)
        np.testing.assert_allclose(alone[:, 0], together[:, number], rtol=1e-3, atol=1e-6)


DATABASE = Database(
    "made",
    [motif("M1", "GATTACA"), motif("M2", "CCC"), motif("M3", "GGGG")],
    pd.DataFrame(
        {"motif": ["M1", "M2", "M3"], "name": ["One", "A::B", "Three"], "tfs": ["One", "A;B", ""]}
    ),
)


def test_motifs_by_id_name_or_tf():
    kept = choose_motifs(DATABASE, ["m3", "b"])
    assert kept.table["motif"].tolist() == [m.name for m in kept.motifs] == ["M2", "M3"]
    assert choose_motifs(DATABASE, []) == DATABASE


def test_an_unknown_motif_is_told():
    with pytest.raises(InputError, match=r"made has the id, name or TF nobody, Thre\."):
        choose_motifs(DATABASE, ["nobody", "M1", "Thre"])


def test_motifs_that_are_too_wide_are_left_out_and_told(caplog):
    assert that_fit(DATABASE, 4).table["motif"].tolist() == ["M2", "M3"]
    assert "1 motifs wider than 4 bases" in caplog.text


def activity_of(values, tfs):
    obs = pd.DataFrame({"cell_type": np.repeat(list("abcd"), len(values) // 4)})
    obs.index = [f"cell{i}" for i in range(len(values))]
    motifs = pd.DataFrame({"tfs": tfs}, index=[f"M{i}" for i in range(len(tfs))])
    return as_activity(values, obs, motifs)


def test_activity_against_expression_by_hand():
    rng = np.random.default_rng(1)
    values = rng.normal(size=(40, 3)).astype(np.float32)
    activity = activity_of(values, ["Tf1;Tf2", "Tf3", ""])
    logs = np.stack([values[:, 0] + rng.normal(0, 1, 40), np.zeros(40)], axis=1)
    genes = pd.DataFrame({"gene_name": ["TF1", "TF2"]}, index=["g1", "g2"])
    table = activity_against_expression(activity, sparse.csr_matrix(logs), genes)
    assert table["gene"].tolist() == ["g1", "g2", None, None]
    r, p = stats.pearsonr(values[:, 0], logs[:, 0])
    assert table.loc[0, ["r", "p", "fdr"]].tolist() == pytest.approx([r, p, p], rel=1e-4)
    by_type = [part.reshape(4, 10).mean(axis=1) for part in (values[:, 0], logs[:, 0])]
    assert table.loc[0, "r_of_types"] == pytest.approx(stats.pearsonr(*by_type)[0], rel=1e-4)
    assert table["r"].isna().tolist() == [False, True, True, True]
    assert table["note"].tolist() == ["", "not expressed", "not among the genes", "no known TF"]


def test_without_expression_every_row_says_so():
    activity = activity_of(np.ones((8, 2), np.float32), ["A", "B"])
    table = activity_against_expression(activity, sparse.csr_matrix((8, 0)), pd.DataFrame())
    assert table["r"].isna().all() and set(table["note"]) == {"no expression"}


def test_effects_can_be_had_back():
    values = np.random.default_rng(1).normal(3, 2, (8, 2)).astype(np.float32)
    activity = activity_of(values, ["A", "B"])
    back = activity.X * activity.var["sd"].to_numpy() + activity.var["mean"].to_numpy()
    np.testing.assert_allclose(back, values, rtol=1e-5)


def test_of_motifs_that_go_together_the_strongest_is_ranked():
    rng = np.random.default_rng(1)
    base = rng.normal(size=(400, 2))
    values = np.stack([base[:, 0], 3 * base[:, 0], -base[:, 0] / 2, 2 * base[:, 1]], axis=1)
    activity = activity_of(values.astype(np.float32), list("ABCD"))
    assert rank_distinct(activity, 9).tolist() == pytest.approx([np.nan, 1, 3, 2], nan_ok=True)
    assert np.isfinite(rank_distinct(activity, 2)).sum() == 2
    among = np.array([True, False, True, False])
    assert rank_distinct(activity, 9, among).tolist() == pytest.approx(
        [1, np.nan, 2, np.nan], nan_ok=True
    )
    assert np.isfinite(rank_distinct(activity, 9, least=0.5)).tolist() == [False, True, False, True]
    assert isinstance(activity, AnnData)
