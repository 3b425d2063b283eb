import numpy as np
import pandas as pd
import pytest

from cisgrammar.evaluate.filter_removal import NO_MATCH, filter_subsets, predict_with_filters
from cisgrammar.motifs import families


def test_the_word_for_no_match_is_that_of_the_table():
    assert families.NO_MATCH == NO_MATCH


def test_subsets_of_filters():
    """Filter 1 matches nothing, filter 4 became no motif, filter 3 has no cluster."""
    filters = pd.DataFrame(
        {
            "filter": [0, 1, 2, 3],
            "family": ["GATA", "unknown/GCGC", "GATA", "ETS"],
            "status": ["family", "no match", "family", "no cluster"],
        }
    )
    subsets = filter_subsets(filters, 5, ["GATA", "unknown/GCGC", "of another fold"])
    assert {name: keep.tolist() for name, keep in subsets.items()} == {
        "only_aligned": [True, False, True, True, False],
        "only_non_aligned": [False, True, False, False, True],
        "without_GATA": [False, True, False, True, True],
        "without_unknown/GCGC": [True, False, True, True, True],
        "without_of another fold": [True] * 5,
    }


@pytest.mark.parametrize(
    "fill, expected", [(0, [[3], [5]]), (np.array([9, 5]), [[3 + 15], [5 + 15]])]
)
def test_prediction_without_a_filter_by_hand(fill, expected):
    """The head is 2 x first + 3 x second + 1; the second filter is taken away."""
    activations, weight, bias = np.array([[1, 10], [2, 20]]), np.array([[2, 3]]), np.array([1])
    predicted = predict_with_filters(activations, weight, bias, np.array([True, False]), fill)
    assert predicted.tolist() == expected


def test_prediction_with_all_filters_is_the_model():
    rng = np.random.default_rng(0)
    activations, weight, bias = rng.normal(size=(5, 4)), rng.normal(size=(3, 4)), rng.normal(size=3)
    predicted = predict_with_filters(activations, weight, bias, np.ones(4, bool))
    assert predicted == pytest.approx(activations @ weight.T + bias)
