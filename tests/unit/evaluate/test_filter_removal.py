import numpy as np
import pandas as pd
import pytest
import torch
from anndata import AnnData

from cisgrammar.evaluate.filter_removal import (
    NO_MATCH,
    filter_subsets,
    known_families,
    predict_with_filters,
    score_subsets,
)
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
    "fill, expected", [(0, [[3], [5]]), (np.array([[9], [5]]), [[3 + 15], [5 + 15]])]
)
def test_prediction_without_a_filter_by_hand(fill, expected):
    """The head is 2 x first + 3 x second + 1; the second filter is taken away."""
    activations = np.array([[1, 10], [2, 20]])[:, :, None]  # one bin
    weight, bias = np.array([[2, 3]])[:, :, None], np.array([1])
    predicted = predict_with_filters(activations, weight, bias, np.array([True, False]), fill)
    assert predicted.tolist() == expected


def test_prediction_with_all_filters_is_the_model():
    rng = np.random.default_rng(0)
    activations, weight = rng.normal(size=(5, 4, 2)), rng.normal(size=(3, 4, 2))
    bias = rng.normal(size=3)
    predicted = predict_with_filters(activations, weight, bias, np.ones(4, bool))
    assert predicted == pytest.approx(np.einsum("bfk,tfk->bt", activations, weight) + bias)


def test_families_that_match_something_are_removed_one_by_one():
    families = pd.DataFrame(
        {
            "family": ["SP", "GATA", "unknown/GC", "ETS"],
            "reproducible": [True, True, True, False],
            "status": ["family", "no cluster", "no match", "family"],
        }
    )
    assert known_families(families) == ["GATA", "SP"]


class TwoFilters:
    """The head adds up two filters in two bins: the number of A, and the number of T."""

    head = torch.nn.Linear(2, 3)  # both bins count alike

    def head_weights(self):
        return self.head.weight[:, :, None].expand(-1, -1, 2)

    def activations(self, codes):
        halves = codes.unflatten(1, (2, 2))
        return torch.stack([(halves == base).sum(dim=2).float() for base in (0, 3)], dim=1)


@pytest.mark.parametrize("fill, value", [("zero", 0.0), ("mean", 2.0)])
def test_subsets_are_scored_on_the_test_part(fill, value):
    model = TwoFilters()
    weight, bias = (p.detach().numpy() for p in (model.head.weight, model.head.bias))
    codes = np.array([[0, 0, 0, 3], [3, 3, 3, 0], [0, 0, 3, 3], [0, 1, 1, 3]], np.uint8)
    folds = pd.DataFrame(
        {"sequence": list("abcd"), "fold0": ["train", "train", "test", "test"], "chrom": "1"}
    )
    counts = np.array([[2, 2], [1, 1]])
    observed = np.where([True, False], counts, value) @ weight.T + bias
    targets = np.vstack([np.zeros((2, 3)), observed]).T
    dataset = AnnData(targets, var=pd.DataFrame(index=list("abcd")), varm={"codes": codes})
    filters = pd.DataFrame(
        {"fold": [0, 0, 1], "filter": [0, 1, 0], "family": ["A", "T", "T"], "status": "family"}
    )
    table = score_subsets(model, dataset, folds, 0, filters, ["A", "T"], fill)
    methods = ["only_aligned", "only_non_aligned", "without_A", "without_T"]
    assert table["method"].tolist() == methods and set(table["fold"]) == {0}
    assert table.set_index("method").loc["without_T", "r2"] == pytest.approx(1, abs=1e-5)
