import numpy as np
import pandas as pd
import pytest

from cisgrammar.plots.links import (
    ENTRIES,
    WAYS,
    link_activities,
    link_methods,
    links_by_distance,
    links_held_out,
)

LINKS = pd.DataFrame(
    {
        "distance": np.linspace(-900, 900, 30),
        "call": ["", "weak", "strong"] * 10,
        "best_cell_type": ["a", "b", "01"] * 10,
    }
)


def test_pairs_that_were_called_are_counted_by_cell_type():
    figure = links_by_distance(LINKS, 1000)
    bars = figure.axes[1].patches
    assert [bar.get_width() for bar in bars] == [10, 10]  # of 01 and b; a has no calls
    assert [text.get_text() for text in figure.axes[1].get_yticklabels()] == ["01", "b"]


def test_a_map_of_links_is_drawn_even_of_none():
    rng = np.random.default_rng(1)
    table = pd.DataFrame(rng.normal(size=(12, 3)), columns=["a", "b", "c"])
    assert link_activities(table).axes[0].images
    assert link_activities(table.iloc[:0]).axes[0].texts[0].get_text() == "no pair was called"


def test_methods_have_a_row_each_and_an_interval():
    methods = list(ENTRIES)[:4]
    scores = pd.DataFrame({"method": methods, "by_truth": "planted", "distance_window": "all"})
    for area in ("auprc", "auroc"):
        scores[area] = [0.5, 0.4, 0.3, 0.2]
        scores[f"{area}_low"], scores[f"{area}_high"] = scores[area] - 0.1, scores[area] + 0.1
    scores["pairs"], scores["links"] = 100, 10
    figure = link_methods(scores)
    labels = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert labels == [ENTRIES[name] for name in methods]
    with pytest.raises(ValueError, match="empty"):
        link_methods(scores.iloc[:0])


def test_each_way_to_predict_has_a_box():
    held_out = pd.DataFrame(np.random.default_rng(1).random((9, 4)), columns=list(WAYS))
    labels = [text.get_text() for text in links_held_out(held_out).axes[0].get_yticklabels()]
    assert [label.partition(":")[0] for label in labels] == list(WAYS.values())
