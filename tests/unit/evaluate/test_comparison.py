import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import roc_auc_score

from cisgrammar.common.costs import Cost
from cisgrammar.common.statistics import auroc
from cisgrammar.evaluate.comparison import (
    all_differences,
    in_order,
    paired_differences,
    score_row,
    verdict,
)


def long_table(**r2_by_method):
    return pd.concat(
        [
            pd.DataFrame({"method": method, "fold": range(len(values)), "r2": values})
            for method, values in r2_by_method.items()
        ],
        ignore_index=True,
    )


@settings(deadline=None)
@given(arrays(np.int8, 12, elements=st.integers(0, 1)), arrays(np.int8, 12))
def test_auroc_is_that_of_scikit_learn(observed, predicted):
    if len(set(observed)) == 1:
        assert np.isnan(auroc(observed[:, None], predicted[:, None])).all()
    else:
        expected = roc_auc_score(observed, predicted)
        assert auroc(observed[:, None], predicted[:, None]) == pytest.approx([expected])


def test_a_row_of_the_table():
    observed = np.array([[0, 1], [1, 0], [0, 1], [1, 0]], dtype=np.float32)
    row = score_row("ridge", 3, observed, observed * 0.5 + 0.2)
    assert row.loc[0, ["method", "fold"]].tolist() == ["ridge", 3]
    assert row.loc[0, "r2"] == pytest.approx(1)
    assert row.loc[0, "mean_auroc"] == 1
    assert "mean_auroc" not in score_row("ridge", 3, observed * 2, observed)


def test_differences_by_hand():
    table = long_table(scover=[0.2, 0.3, 0.4, 0.5, 0.6, 0.7], ridge=[0.1, 0.1, 0.1, 0.1, 0.1, 0.1])
    result = paired_differences(table, "scover", seed=0)
    row = result.iloc[0]
    assert (row["method"], row["n_folds"]) == ("ridge", 6)
    assert (row["mean"], row["difference"]) == pytest.approx((0.1, 0.35))
    assert row["p_value"] == pytest.approx(2 / 2**6)
    assert 0.1 < row["low"] < 0.25 < 0.45 < row["high"] < 0.6


def test_only_folds_that_both_have_are_compared():
    table = long_table(scover=[0.2, 0.4, 0.9], ridge=[0.1, 0.1])
    row = paired_differences(table, "scover", seed=0).iloc[0]
    assert (row["n_folds"], row["difference"]) == (2, pytest.approx(0.2))


def test_a_score_that_does_not_exist_counts_as_none():
    table = long_table(scover=[0.2, 0.4], mean=[np.nan, np.nan])
    row = paired_differences(table, "scover", seed=0).iloc[0]
    assert (row["n_folds"], row["mean"], row["difference"]) == (2, 0, pytest.approx(0.3))


@pytest.mark.parametrize("n_folds", [1, 2])
def test_few_folds_and_equal_scores_are_borne(n_folds):
    table = long_table(scover=[0.2] * n_folds, ridge=[0.2] * n_folds)
    row = paired_differences(table, "scover", seed=0).iloc[0]
    assert row[["difference", "low", "high", "p_value"]].tolist() == [0, 0, 0, 1]


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    covered = 0
    for seed in range(60):
        scores = {"scover": rng.normal(0.3, 0.05, 10), "ridge": rng.normal(0.2, 0.05, 10)}
        row = paired_differences(long_table(**scores), "scover", seed).iloc[0]
        covered += row["low"] < 0.1 < row["high"]
    assert 48 <= covered <= 60


def test_differences_repeat_themselves():
    rng = np.random.default_rng(0)
    table = long_table(scover=rng.random(8), ridge=rng.random(8), mean=rng.random(8))
    once = paired_differences(table, "scover", seed=1)
    pd.testing.assert_frame_equal(paired_differences(table, "scover", seed=1), once)
    assert once["method"].tolist() == ["ridge", "mean"]
    assert (paired_differences(table, "scover", seed=2)["low"] != once["low"]).all()


@pytest.mark.parametrize(
    "table, message",
    [
        (long_table(ridge=[0.1]), "no row of scover"),
        (pd.concat([long_table(scover=[0.1])] * 2), "two rows"),
    ],
)
def test_a_table_that_makes_no_sense_is_refused(table, message):
    with pytest.raises(ValueError, match=message):
        paired_differences(table, "scover", seed=0)


def test_the_verdict_in_words():
    table = long_table(
        scover=[0.20, 0.22],
        ridge=[0.10, 0.10],
        kmer_ridge=[0.15, 0.17],
        shuffled_nucleotides=[0.05, 0.05],
        permuted_pools=[0.25, 0.25],
        without_GATA=[0.19, 0.19],
    )
    assert verdict(table, "scover", paired_differences(table, "scover", seed=0)) == (
        "scover explains 21.0% of the variance of held-out sequences (mean over 2 folds), "
        "5.0 points more than the best baseline, k-mer ridge "
        "(95% interval of the difference 5.0 to 5.0, p = 0.5). "
        "It falls by 16.0 when nucleotides are shuffled, "
        "rises by 4.0 when pools are permuted within each sequence."
    )


def test_the_verdict_says_when_a_baseline_wins():
    table = long_table(scover=[0.1, 0.1], ridge=[0.2, 0.3])
    text = verdict(table, "scover", paired_differences(table, "scover", seed=0))
    assert "15.0 points less than the best baseline, ridge regression on motif hits" in text


def test_the_verdict_without_anything_to_compare_with():
    table = long_table(scover=[0.1])
    assert verdict(table, "scover", paired_differences(table, "scover", seed=0)) == (
        "scover explains 10.0% of the variance of held-out sequences (one fold)."
    )


def test_cost_is_that_of_the_block():
    with Cost() as large:
        time.sleep(0.05)
        _ = np.ones(40_000_000).sum()
    with Cost() as small:
        pass
    assert 0.05 <= large.seconds < 5
    assert small.seconds < large.seconds
    assert small.memory_mb <= large.memory_mb
    assert large.memory_mb > 300
    assert large.row("ridge", 2).columns.tolist() == ["method", "fold", "seconds", "memory_mb"]


def test_the_verdict_on_classes_has_the_area_under_the_curve():
    table = long_table(scover=[0.4], gc=[0.1], kmer_logistic=[0.3])
    table["mean_auroc"] = [0.94, 0.7, 0.96]
    assert "interval" not in verdict(table, "scover", paired_differences(table, "scover", seed=0))
    text = verdict(table, "scover", paired_differences(table, "scover", seed=0))
    assert text.endswith(
        "Its area under the ROC curve is 0.940; "
        "that of k-mer logistic regression, the best baseline, is 0.960."
    )


def test_tables_are_stacked_by_method_then_fold():
    folds = [
        pd.DataFrame({"fold": fold, "r2": [0.1, 0.2], "method": ["mean", "gc"]}) for fold in (1, 0)
    ]
    table = in_order([pd.DataFrame({"method": ["scover"], "fold": [0], "mse": [1.0]}), *folds])
    assert table.columns.tolist() == ["method", "fold", "mse", "r2"]
    rows = list(zip(table["method"], table["fold"], strict=True))
    assert rows == [("scover", 0), ("mean", 0), ("mean", 1), ("gc", 0), ("gc", 1)]


def test_differences_of_every_score_there_is():
    table = long_table(scover=[0.2, 0.4], mean=[0.1, 0.1]).assign(
        centred_r=0.5, doubly_centred_r=[0.5, 0.3, 0, 0]
    )
    result = all_differences(table, "scover", seed=0)
    assert result[["score", "method"]].to_numpy().tolist() == [
        ["r2", "mean"],
        ["centred_r", "mean"],
        ["doubly_centred_r", "mean"],
    ]
    assert result["difference"].tolist() == pytest.approx([0.2, 0, 0.4])


def test_the_verdict_of_a_single_target_says_nothing_of_differences():
    table = long_table(scover=[0.4], ridge=[0.3]).assign(doubly_centred_r=np.nan)
    text = verdict(table, "scover", paired_differences(table, "scover", seed=0))
    assert "differs" not in text


def test_the_verdict_says_who_predicts_best_what_differs_between_pools():
    table = long_table(scover=[0.4, 0.4], ridge=[0.3, 0.3], mean=[0.1, 0.1])
    table["centred_r"] = 0.9
    table["doubly_centred_r"] = [0.2, 0.2, 0.29, 0.31, 0, 0]
    text = verdict(table, "scover", paired_differences(table, "scover", seed=0))
    assert text.endswith(
        "What differs between cells (means of genes and of pools subtracted) it predicts with an r "
        "of 0.200; "
        "that of ridge regression on motif hits, the best baseline, is 0.300."
    )
