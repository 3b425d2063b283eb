import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from plots_checks import assert_legible, shown_texts
from scipy.sparse import csr_matrix

from cisgrammar.plots.tf_activity import (
    activity_heatmap,
    activity_maps,
    best_expressed,
    expression_panels,
    row_names,
)

IDS = [f"MA{i:04d}.1" for i in range(8)]


@pytest.fixture
def case():
    rng = np.random.default_rng(1)
    table = pd.DataFrame(rng.normal(size=(8, 5)), index=IDS, columns=list("ABCDE"))
    motifs = pd.DataFrame({"name": ["TFA", "TFB"] + ["SAME"] * 2 + ["FOS::JUN", "X", "Y", "Z"]})
    motifs["sd"] = rng.uniform(0.1, 1, 8)
    logos = {name: np.full((4, 8), 0.25) for name in IDS}
    return table, motifs.set_index(pd.Index(IDS)), logos


def test_motifs_of_one_name_keep_their_ids(case):
    assert row_names(case[1]).tolist()[1:4] == ["TFB", "SAME (MA0002.1)", "SAME (MA0003.1)"]


def test_heatmap_names_motifs_and_their_correlation(case):
    r = pd.Series({IDS[0]: 0.5, IDS[1]: -0.25})
    figure = activity_heatmap(*case, r)
    assert_legible(figure)
    assert {"TFA (r 0.50)", "TFB (r −0.25)", "FOS::JUN"} <= set(shown_texts(figure))
    with pytest.raises(ValueError, match="empty"):
        activity_heatmap(case[0][:0], *case[1:])


def test_rounding_has_no_colour(case):
    table, motifs, logos = case
    texts = shown_texts(activity_heatmap(1e-8 * table[["A"]], motifs, logos))
    assert "0.1" in texts and not any("e−" in text for text in texts)


def test_maps_put_expression_below_activity():
    rng = np.random.default_rng(1)
    points = rng.normal(size=(50, 2))
    activity = pd.DataFrame(rng.normal(size=(50, 5)), columns=list("ABCDE"))
    labels = [f"{name} expression" for name in "ABCDE"]
    expression = pd.DataFrame(rng.poisson(1, (50, 5)) * 1.0, columns=labels)
    figure = activity_maps(points, activity, expression)
    titles = [axes.get_title() for axes in figure.axes if axes.get_title()]
    assert titles == [f"{name} activity" for name in "ABCDE"] + labels
    assert_legible(figure)
    assert len([axes for axes in activity_maps(points, activity).axes if axes.get_title()]) == 5


def test_the_tf_that_goes_with_its_motif_most():
    tests = pd.DataFrame(
        {
            "motif": ["a", "a", "b"], "tf": ["one", "two", "three"], "gene": ["1", "2", "3"],
            "r": [0.2, -0.6, np.nan],
        }
    )  # fmt: skip
    best = best_expressed(tests)
    assert best.index.tolist() == ["a"] and best.loc["a", "tf"] == "two"


def test_panels_of_expression_are_in_the_order_asked_for():
    counts = AnnData(
        np.array([[9.0, 0, 1], [0, 1, 0], [1, 1, 1]]),
        pd.DataFrame(index=["c2", "c0", "c1"]),
        pd.DataFrame(index=["g0", "g1", "g2"]),
    )
    counts.X = csr_matrix(counts.X)
    best = pd.DataFrame({"tf": ["Y", "X"], "gene": ["g2", "g0"]}, index=["m1", "m0"])
    panels = expression_panels(counts, pd.Index(["c0", "c2"]), best)
    assert panels.columns.tolist() == ["Y expression", "X expression"]
    assert panels.loc["c0"].tolist() == [0, 0]
    assert panels.loc["c2", "X expression"] > panels.loc["c2", "Y expression"] > 0
