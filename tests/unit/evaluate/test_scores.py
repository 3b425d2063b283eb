import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cisgrammar.common.statistics import centre_both, centre_genes, pearson
from cisgrammar.evaluate.scores import scores, scores_by, summarise

OBSERVED = np.array([[1, 2, 3], [4, 4, 4], [0, 2, 1]], dtype=np.float32)
PREDICTED = np.array([[2, 4, 6], [1, 2, 3], [5, 5, 5]], dtype=np.float32)


@pytest.mark.parametrize(
    "x, y, r",
    [
        ([1, 2, 3], [2, 4, 6], 1),
        ([1, 2, 3], [3, 2, 1], -1),
        ([1, 2, 3, 4], [1, -1, -1, 1], 0),
        ([0, 0, 1], [0, 1, 1], 0.5),
        ([1, 1, 1], [1, 2, 3], np.nan),
        ([0.1, 0.1, 0.1], [0.3, 0.3, 0.3], np.nan),
        ([7], [3], np.nan),
    ],
)
def test_pearson_by_hand(x, y, r):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_allclose(pearson(np.array(x), np.array(y)), r, atol=1e-12)


def test_pearson_along_axes():
    np.testing.assert_allclose(pearson(OBSERVED, PREDICTED, axis=1), [1, np.nan, np.nan])
    expected = [np.corrcoef(OBSERVED[:, i], PREDICTED[:, i])[0, 1] for i in range(3)]
    np.testing.assert_allclose(pearson(OBSERVED, PREDICTED, axis=0), expected)


@given(st.integers(0, 2**31), st.integers(3, 50), st.floats(1e-12, 1e12), st.floats(-100, 100))
def test_pearson_does_not_depend_on_scale(seed, n, scale, offset):
    x, y = np.random.default_rng(seed).normal(size=(2, n))
    expected = np.corrcoef(x, y)[0, 1]
    assert pearson(x * scale, (y + offset) * scale) == pytest.approx(expected, abs=1e-6)
    assert pearson(x, y) == pytest.approx(pearson(y, x))
    assert abs(pearson(x, x)) <= 1


def test_centring_by_hand():
    assert centre_genes(OBSERVED).tolist() == [[-1, 0, 1], [0, 0, 0], [-1, 1, 0]]


def test_centring_both_by_hand():
    # gene means 2, 4; target means 2, 3, 4; grand mean 3
    values = np.array([[1, 2, 3], [3, 4, 5]])
    assert (centre_both(values) == 0).all()
    values[0, 0] += 6  # 6 * (1 - 1/2) * (1 - 1/3), and so on
    assert centre_both(values) == pytest.approx(np.array([[2, -1, -1], [-2, 1, 1]]))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_centring_both_leaves_nothing_of_genes_and_pools(dtype):
    rng = np.random.default_rng(1)
    additive = (rng.normal(3, 1, (50, 1)) + rng.normal(size=(1, 8))).astype(dtype)
    assert (centre_both(additive) == 0).all()
    values = rng.normal(size=(50, 8))
    assert centre_both(values + additive) == pytest.approx(centre_both(values), abs=1e-5)
    assert centre_both(values).mean(axis=0) == pytest.approx(0)
    assert centre_both(values).mean(axis=1) == pytest.approx(0)


def test_the_doubly_centred_score_by_hand():
    observed = np.array([[9.0, 0, 0], [0, 0, 0]])  # (3 -1.5 -1.5) and its negative
    predicted = np.array([[1.0, 0, 0], [0, 1, 0]])  # (.5 -.5 0) and its negative
    r = 2 * (1.5 + 0.75) / np.sqrt(2 * 13.5 * 2 * 0.5)
    assert scores(observed, predicted)["doubly_centred_r"] == pytest.approx(r)
    assert scores(observed, -predicted)["doubly_centred_r"] == pytest.approx(-r)


def test_a_gene_mean_plus_a_pool_mean_scores_nothing():
    observed = np.random.default_rng(2).normal(size=(40, 6)).astype(np.float32)
    gene, pool = observed.mean(axis=1, keepdims=True), observed.mean(axis=0)
    for predicted in (gene + pool, np.tile(pool, (40, 1)), np.tile(gene, 6), 0 * observed):
        assert scores(observed, predicted)["doubly_centred_r"] == 0
    assert np.isnan(scores(gene + pool, observed)["doubly_centred_r"])
    assert np.isnan(scores(gene, observed[:, :1])["doubly_centred_r"])  # a single target


@pytest.mark.parametrize("value", [0.1, 1 / 3, 1e-7, 12345.678])
def test_genes_that_do_not_vary_centre_to_nothing(value):
    same = np.full((5, 7), value) * np.arange(1, 6)[:, None]
    assert (centre_genes(same) == 0).all()
    noise = np.random.default_rng(1).normal(size=(5, 7))
    assert np.isnan(scores(noise, same)["centred_r"])
    assert np.isnan(scores(noise, same)["mean_gene_r"])
    assert np.isfinite(scores(noise, same)["r"])


def test_scores_by_hand():
    found = scores(OBSERVED, PREDICTED)
    assert found["n_genes"] == 3
    flat = np.corrcoef(OBSERVED.ravel(), PREDICTED.ravel())[0, 1]
    assert found["r"] == pytest.approx(flat)
    assert found["r2"] == pytest.approx(flat**2)
    # centred: (-1 0 1, 0 0 0, -1 1 0) with (-2 0 2, -1 0 1, 0 0 0): 4 / sqrt(4 * 10)
    assert found["centred_r"] == pytest.approx(4 / np.sqrt(40))
    assert found["mean_gene_r"] == pytest.approx(1)  # genes 2 and 3 do not vary on one side
    columns = [np.corrcoef(OBSERVED[:, i], PREDICTED[:, i])[0, 1] for i in range(3)]
    assert found["mean_pool_r"] == pytest.approx(np.mean(columns))
    assert found["mse"] == pytest.approx((1 + 4 + 9 + 9 + 4 + 1 + 25 + 9 + 16) / 9)


def test_perfect_and_useless_predictions():
    perfect = scores(OBSERVED, OBSERVED)
    assert perfect["r"] == perfect["centred_r"] == pytest.approx(1)
    assert perfect["doubly_centred_r"] == pytest.approx(1)
    assert perfect["mse"] == 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        useless = scores(OBSERVED, np.zeros_like(OBSERVED))
    assert all(np.isnan(useless[key]) for key in ("r", "r2", "centred_r", "mean_gene_r"))


def test_gene_means_do_not_change_the_centred_score():
    rng = np.random.default_rng(1)
    observed, predicted = rng.normal(size=(2, 20, 6))
    shifted = scores(observed + rng.normal(size=(20, 1)) * 9, predicted + rng.normal(size=(20, 1)))
    assert shifted["centred_r"] == pytest.approx(scores(observed, predicted)["centred_r"])


def test_scores_of_each():
    genes = scores_by(OBSERVED, PREDICTED, pd.Index(["a", "b", "c"]), axis=1)
    assert genes["name"].tolist() == ["a", "b", "c"]
    np.testing.assert_allclose(genes["r"], [1, np.nan, np.nan])
    np.testing.assert_allclose(genes["mse"], [14 / 3, 14 / 3, 50 / 3])
    pools = scores_by(OBSERVED, PREDICTED, pd.Index(["x", "y", "z"]), axis=0)
    np.testing.assert_allclose(pools["mse"], [35 / 3, 17 / 3, 26 / 3])


def test_summary_has_folds_mean_and_pooled():
    rows = [{"n_genes": 10, "r": 0.1, "r2": 0.01}, {"n_genes": 11, "r": 0.3, "r2": 0.09}]
    table = summarise(rows, {"n_genes": 21, "r": 0.5, "r2": 0.25})
    assert table["fold"].tolist() == ["0", "1", "mean", "pooled"]
    assert table["r2"].tolist() == pytest.approx([0.01, 0.09, 0.05, 0.25])
    assert table["r2"][2] != table["r"][2] ** 2  # the mean of squares, as published
    assert table["n_genes"].tolist() == [10, 11, 10, 21]


def test_a_fold_without_a_score_is_left_out_of_the_mean():
    rows = [{"n_genes": 10, "r": 0.1}, {"n_genes": 10, "r": float("nan")}]
    assert summarise(rows, {"n_genes": 20, "r": 0.2})["r"][2] == pytest.approx(0.1)


def test_classes_have_an_area_under_the_curve_and_numbers_have_none():
    observed = np.array([[0, 1], [1, 1], [1, 1]], dtype=np.float32)
    predicted = np.array([[0.2, 0.3], [0.1, 0.4], [0.9, 0.5]])
    assert scores(observed, predicted)["mean_auroc"] == pytest.approx(0.5)  # one class: left out
    assert "mean_auroc" not in scores(observed * 2, predicted)
