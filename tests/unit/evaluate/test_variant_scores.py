"""Predicted effects of variants against measured ones."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cisgrammar.common.errors import InputError
from cisgrammar.evaluate.variant_scores import match_measured, score_effects


def predicted(*rows):
    columns = ["chrom", "position", "ref", "alt", "label", "effect"]
    return pd.DataFrame(rows, columns=columns)


def measured(*rows, columns=("chrom", "position", "ref", "alt", "effect")):
    return pd.DataFrame(rows, columns=list(columns))


EFFECTS = predicted(
    ("chr1", 10, "A", "G", "01", 0.5),
    ("chr1", 10, "A", "G", "01", -0.7),  # of another gene
    ("chr1", 10, "A", "G", "NA", 0.2),
    ("chr1", 20, "C", "T", "01", 0.1),
)


def test_the_largest_effect_of_a_variant_counts_in_each_label():
    found = match_measured(EFFECTS, measured(("chr1", 10, "A", "G", 1.0)))
    assert found.set_index("label")["predicted"].to_dict() == {"01": -0.7, "NA": 0.2}
    assert (found["measured"] == 1).all()


def test_alleles_the_other_way_round_turn_the_sign():
    found = match_measured(EFFECTS, measured(("chr1", 20, "T", "C", 2.0)))
    assert found["measured"].tolist() == [-2.0]


def test_a_variant_measured_in_one_cell_type_is_compared_there():
    columns = ("chrom", "position", "ref", "alt", "effect", "label")
    found = match_measured(EFFECTS, measured(("chr1", 10, "A", "G", 1, "NA"), columns=columns))
    assert found["label"].tolist() == ["NA"]


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (measured(("chr1", 10, 1.0), columns=("chrom", "position", "effect")), "ref, alt"),
        (measured(("chr1", 1, "A", "G"), columns=("chrom", "position", "ref", "alt")), "neither"),
        (measured(*[("chr1", 10, "A", "G", 1.0)] * 2), "chr1 10 A G"),
        (measured(("1", 10, "A", "G", 1.0)), "none of 1 .*measured: 1 10 A G"),
        (
            measured(
                ("chr1", 10, "A", "G", 2), columns=("chrom", "position", "ref", "alt", "causal")
            ),
            "2 in `causal`",
        ),
    ],
)
def test_what_cannot_be_compared_is_told(table, words):
    with pytest.raises(InputError, match=words):
        match_measured(EFFECTS, table)


def test_a_table_that_is_none_of_effects_is_told():
    with pytest.raises(InputError, match="predicted effects lack the columns label"):
        match_measured(EFFECTS.drop(columns="label"), measured(("chr1", 10, "A", "G", 1.0)))


def test_scores_by_hand():
    matched = pd.DataFrame(
        {
            "label": "A",
            "predicted": [1, 2, -3, 0.5],
            "measured": [1, 2, -3, -0.5],
            "causal": [1, 1, 0, 0],
        }
    )
    scores = score_effects(matched, n_bootstrap=50).set_index("score")
    assert scores.loc["sign", "value"] == 0.75
    assert scores.loc["sign", "chance"] == 0.5
    # sizes 3, 2, 1, 0.5 of which the second and third are causal: precision 1/2 and 2/3
    assert scores.loc["auprc", "value"] == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert scores.loc["auroc", "value"] == 0.5
    assert scores.loc["auprc", "chance"] == 0.5
    assert scores.loc["spearman", "value"] == pytest.approx(1)
    assert (scores["low"] <= scores["value"]).all() and (scores["value"] <= scores["high"]).all()


def test_effects_of_zero_have_no_sign_to_be_right():
    matched = pd.DataFrame({"label": "A", "predicted": [1.0, 1, 1, 1], "measured": [0.0, 1, 1, -1]})
    scores = score_effects(matched, n_bootstrap=10).set_index("score")
    assert scores.loc["sign", "n"] == 3
    assert scores.loc["sign", "value"] == pytest.approx(2 / 3)


def test_too_few_variants_are_not_scored():
    matched = pd.DataFrame({"label": "A", "predicted": [1.0], "measured": [1.0]})
    assert score_effects(matched).empty


@given(st.lists(st.floats(-5, 5), min_size=6, max_size=20), st.floats(0.1, 10))
def test_scores_ignore_the_scale_of_predictions(values, scale):
    true = np.linspace(-1, 1, len(values))
    table = pd.DataFrame({"label": "A", "predicted": values, "measured": true, "causal": true > 0})
    first, second = (
        score_effects(table.assign(predicted=table["predicted"] * by), n_bootstrap=0)
        for by in (1, scale)
    )
    np.testing.assert_allclose(first["value"], second["value"], atol=1e-6)
