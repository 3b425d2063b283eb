import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import stats

from cisgrammar.interpret.motif_space import (
    activations,
    carriers,
    co_occurrence,
    combinations,
    embed_sequences,
    family_scores,
    nearest,
    only_trusted,
)

CODES = np.arange(5, dtype=np.uint8)[:, None]
SCANNERS = {
    0: lambda codes: codes * np.array([[1.0, -1]]),
    3: lambda codes: codes + np.array([[-2.0]]),
}


def test_activations_are_elu_of_all_folds_whatever_the_block():
    found, names = activations(CODES, SCANNERS)
    assert names == ["0_0", "0_1", "3_0"]
    x = np.arange(5.0)
    expected = np.stack([x, np.expm1(-x), np.where(x > 2, x - 2, np.expm1(x - 2))], axis=1)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert found.dtype == np.float32
    assert np.array_equal(found, activations(CODES, SCANNERS, block=2)[0])


def test_no_sequences_are_refused():
    with pytest.raises(ValueError, match="no sequences"):
        activations(CODES[:0], SCANNERS)


def test_scores_of_families_are_sums_of_their_filters():
    activated, names = np.array([[1.0, 2, 4], [0, 1, 0]], np.float32), ["0_0", "0_1", "3_0"]
    assignments = pd.DataFrame({"motif": ["3_0", "0_0"], "family": ["A", "A"]})
    families = pd.DataFrame({"family": ["B", "A"], "tfs": ""})
    sequences = pd.DataFrame(index=["g1", "g2"])
    scores = family_scores(activated, names, assignments, families, sequences)
    assert scores.X.tolist() == [[0, 5], [0, 0]]
    assert scores.var_names.tolist() == ["B", "A"] and scores.obs_names.tolist() == ["g1", "g2"]


def made_scores():
    values = np.array([[4.0, 1, 0], [3.1, 0, 0], [3, 2, 0], [0, 2, 0], [4, 2, -1]])
    return AnnData(
        values, pd.DataFrame(index=list("vwxyz")), pd.DataFrame(index=["A", "B", "none"])
    )


def test_carriers_exceed_their_share_of_the_maximum():
    carried = carriers(made_scores())
    assert carried["A"].tolist() == [True, True, False, False, True]  # 3 is just 75% of 4
    assert carried["B"].tolist() == [False, False, True, True, True]
    assert not carried["none"].any()


def test_combinations_by_hand():
    table = combinations(carriers(made_scores()))
    assert table.to_numpy().tolist() == [["A", 1, 2], ["B", 1, 2], ["A & B", 2, 1]]
    assert len(combinations(carriers(made_scores()), n_top=1)) == 1


def test_only_families_that_come_back_and_agree_are_combined():
    scores = made_scores()
    scores.var["reproducible"] = [name == "A" for name in scores.var_names]
    consistent = pd.DataFrame({"consistent": True}, index=scores.var_names)
    table = combinations(carriers(only_trusted(scores, consistent)))
    assert table.to_numpy().tolist() == [["A", 1, 3]]
    consistent["consistent"] = False
    carried = carriers(only_trusted(scores, consistent))
    assert combinations(carried).empty and co_occurrence(carried).empty


def test_pairs_are_tested():
    rng = np.random.default_rng(0)
    base = rng.random(200) < 0.3
    carried = pd.DataFrame({"a": base, "b": base ^ (rng.random(200) < 0.05), "c": ~base})
    table = co_occurrence(carried).set_index(["first", "second"])
    assert table.index.tolist() == [("a", "b"), ("a", "c"), ("b", "c")]
    ab = table.loc[("a", "b")]
    both = (carried["a"] & carried["b"]).sum()
    assert ab["n_both"] == both and ab["log2_ratio"] > 1
    assert ab["expected"] == pytest.approx(base.sum() * carried["b"].sum() / 200)
    upper = stats.hypergeom(200, base.sum(), carried["b"].sum()).sf(both - 1)
    assert ab["p"] == pytest.approx(2 * upper, abs=0)
    assert table.loc[("a", "c"), "n_both"] == 0 and table.loc[("a", "c"), "log2_ratio"] < -3
    assert co_occurrence(carried[["a"]]).empty


def test_map_separates_what_differs_and_repeats():
    rng = np.random.default_rng(0)
    activated = rng.normal(size=(120, 30)).astype(np.float32)
    activated[:60, :10] += 8
    layout = embed_sequences(activated, seed=1)
    assert layout.shape == (120, 2) and layout.dtype == np.float32
    centres = layout[:60].mean(axis=0), layout[60:].mean(axis=0)
    spread = max(layout[:60].std(axis=0).max(), layout[60:].std(axis=0).max())
    assert np.linalg.norm(centres[0] - centres[1]) > 2 * spread
    assert np.array_equal(layout, embed_sequences(activated, seed=1))
    with pytest.raises(ValueError, match="too few"):
        embed_sequences(activated[:3], seed=1)


def test_the_nearest_point_of_each_is_itself_at_distance_zero():
    points = np.random.default_rng(0).normal(size=(300, 20)).astype(np.float32)
    points[7] = points[3]
    rows, distances = nearest(points, 5)
    others = np.delete(np.arange(300), [3, 7])
    assert np.array_equal(rows[others, 0], others)
    assert (distances[:, 0] == 0).all()
    assert distances[3, 1] == 0 and set(rows[3, :2]) == {3, 7}
    assert (np.diff(distances, axis=1) >= -1e-5).all()
    apart = np.sqrt(((points[:, None] - points) ** 2).sum(axis=2))
    assert np.allclose(distances, np.sort(apart, axis=1)[:, :5], atol=1e-5)
