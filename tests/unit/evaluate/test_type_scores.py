"""Models against each other on cell types x sequences."""

import numpy as np
import pytest

from cisgrammar.evaluate.type_scores import BETWEEN, WITHIN, score_types

RNG = np.random.default_rng(0)
OBSERVED = RNG.normal(size=(60, 3)) + RNG.normal(size=(60, 1)) * 3


def scores(predicted, n_bootstrap=0):
    table = score_types(OBSERVED, predicted, n_bootstrap=n_bootstrap)
    return table.set_index(["score", "model"])


def test_scores_are_correlations_of_what_they_say():
    values = OBSERVED + RNG.normal(size=OBSERVED.shape)
    table = scores({"a": values})
    each = [np.corrcoef(OBSERVED[:, i], values[:, i])[0, 1] for i in range(3)]
    assert table.loc[(WITHIN, "a"), "value"] == pytest.approx(np.mean(each))

    def centred(x):
        x = x - x.mean(axis=1, keepdims=True)
        return (x - x.mean(axis=0)).ravel()

    expected = np.corrcoef(centred(OBSERVED), centred(values))[0, 1]
    assert table.loc[(BETWEEN, "a"), "value"] == pytest.approx(expected)


def test_a_prediction_that_is_the_same_in_all_types_knows_nothing_between_them():
    same = np.repeat(OBSERVED.mean(axis=1, keepdims=True), 3, axis=1)
    table = scores({"same": same, "true": OBSERVED})
    assert table.loc[(WITHIN, "same"), "value"] > 0.8
    assert np.isnan(table.loc[(BETWEEN, "same"), "value"])
    assert table.loc[(BETWEEN, "true"), "value"] == pytest.approx(1)


def test_the_unit_of_a_prediction_does_not_matter():
    table = scores({"a": OBSERVED, "b": OBSERVED * [1, 5, 100] + 7})
    assert table.loc[(WITHIN, "b"), "value"] == pytest.approx(1)


def test_intervals_of_differences_are_paired():
    noise = RNG.normal(size=OBSERVED.shape)
    table = scores({"a": OBSERVED + noise, "b": OBSERVED + 1.01 * noise}, n_bootstrap=200)
    a, b = table.loc[(WITHIN, "a")], table.loc[(WITHIN, "b")]
    assert a["low"] < a["value"] < a["high"]
    assert a["behind"] == 0
    assert 0 < b["behind_low"] < b["behind"] < b["behind_high"]
    assert b["behind_high"] - b["behind_low"] < (b["high"] - b["low"]) / 5


def test_the_same_seed_gives_the_same_draws():
    first, second = (scores({"a": OBSERVED + 1 / (1 + OBSERVED**2)}, 50) for _ in range(2))
    assert first.equals(second)
