"""Mean expression of populations, against sums by hand."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from cisgrammar.cells.populations import count_populations, log_targets, mean_expression
from cisgrammar.common.errors import InputError

LEVELS = {
    "all_cells": ["all"] * 5,
    "class": ["a", "a", "a", "b", "01"],
    "type": ["a1", "a1", "NA", "b1", "unlabelled"],
}


def test_small_populations_and_cells_without_label_are_left_out_and_listed():
    kept, dropped = count_populations(LEVELS, 2, "unlabelled")
    assert list(kept.index) == ["all_cells/all", "class/a", "type/a1"]
    assert kept["n_cells"].tolist() == [5, 3, 2]
    assert kept["parent"].tolist() == ["", "all_cells/all", "class/a"]
    assert dropped["label"].tolist() == ["01", "b", "NA", "b1", "unlabelled"]


def test_labels_are_the_text_they_are():
    kept, dropped = count_populations(LEVELS, 1, "unlabelled")
    assert {"class/01", "type/NA"} <= set(kept.index)
    assert dropped.to_numpy().tolist() == [["type", "unlabelled", 1]]


def test_a_level_without_a_large_population_is_told():
    with pytest.raises(InputError, match="of the 3 labels in `class` none has 4 cells"):
        count_populations(LEVELS, 4, "unlabelled")


def test_means_are_of_cells_scaled_to_one_sum():
    counts = sp.csr_matrix(np.array([[1, 1, 2], [0, 0, 5], [0, 0, 0], [3, 1, 0], [1, 0, 1]]))
    kept, _ = count_populations({"type": ["a", "a", "a", "b", "b"]}, 2, "unlabelled")
    found = mean_expression(counts, {"type": ["a", "a", "a", "b", "b"]}, kept, 100)
    by_hand = [[25 / 3, 25 / 3, 150 / 3], [(75 + 50) / 2, 25 / 2, 50 / 2]]
    assert found == pytest.approx(np.array(by_hand))
    raw = mean_expression(counts, {"type": ["a", "a", "a", "b", "b"]}, kept, None)
    assert raw == pytest.approx(np.array([[1 / 3, 1 / 3, 7 / 3], [2, 0.5, 0.5]]))


MEANS = np.array([[0, 100, 0.01], [1, 0, 10]])


@pytest.mark.parametrize(
    "how, logs",
    [
        ({}, [[-4, 2, -2], [0, -4, 1]]),
        ({"floor": -5.0}, [[-5, 2, -2], [0, -5, 1]]),
        ({"zeros": "lowest"}, [[-2, 2, -2], [0, 0, 1]]),
        ({"zeros": "pseudocount", "pseudocount": 0.1}, np.log10(MEANS + 0.1)),
    ],
)
def test_zeros_become_what_was_asked_for(how, logs):
    found = log_targets(MEANS, ["a", "b"], **how)
    assert found.dtype == np.float32
    assert found == pytest.approx(np.array(logs), abs=1e-6)


def test_a_constant_population_is_told():
    with pytest.raises(InputError, match=r"1 populations have the same expression .*type/b"):
        log_targets(np.array([[1, 2.0], [3, 3]]), ["type/a", "type/b"])


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_the_mean_of_all_cells_is_that_of_their_populations(seed):
    """Weighted by their sizes, whatever the labels."""
    rng = np.random.default_rng(seed)
    counts = sp.csr_matrix(rng.poisson(1, (12, 4)))
    levels = {"all_cells": ["all"] * 12, "type": rng.choice(["x", "y", "z"], 12)}
    kept, _ = count_populations(levels, 1, "unlabelled")
    means = pd.DataFrame(mean_expression(counts, levels, kept, 1e4), index=kept.index)
    types = kept["level"] == "type"
    weighted = kept.loc[types, "n_cells"].to_numpy() @ means[types.to_numpy()].to_numpy() / 12
    assert weighted == pytest.approx(means.loc["all_cells/all"].to_numpy())
