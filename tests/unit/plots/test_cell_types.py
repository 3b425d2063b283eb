import numpy as np
import pandas as pd
import pytest

from cisgrammar.common.files import write_table
from cisgrammar.plots.cell_types import (
    asked_order,
    cell_type_colours,
    cell_type_table,
    present_types,
)
from cisgrammar.plots.families import family_heatmap
from cisgrammar.plots.influence import influence_heatmap
from cisgrammar.plots.kmers import kmer_heatmap
from cisgrammar.plots.links import link_activities
from cisgrammar.plots.maps import category_map
from cisgrammar.plots.style import PALETTE
from cisgrammar.plots.tf_activity import activity_heatmap


def test_types_stand_in_the_order_of_the_table_with_its_colours(tmp_path):
    write_table(cell_type_table(["B", "01", "NA", "B"]), tmp_path / "cell_types.tsv")
    colours = cell_type_colours(tmp_path / "cell_types.tsv")
    assert list(colours.items()) == list(zip(["01", "B", "NA"], PALETTE[:3], strict=True))


def test_named_types_come_first_and_colours_stay(tmp_path):
    """A name that no cell has is passed over: the checks have told of it."""
    table = cell_type_table(["B", "01", "NA", "B"], ["NA", "gone", "B"])
    write_table(table, tmp_path / "cell_types.tsv")
    colours = cell_type_colours(tmp_path / "cell_types.tsv")
    assert colours == {"NA": PALETTE[2], "B": PALETTE[1], "01": PALETTE[0]}
    assert list(colours) == asked_order(tmp_path / "cell_types.tsv") == ["NA", "B", "01"]
    write_table(cell_type_table(["B", "A"]), tmp_path / "cell_types.tsv")
    assert asked_order(tmp_path / "cell_types.tsv") == []


def columns_of(figure):
    """Read column names from left to right: the texts that stand on end."""
    texts = [text for axes in figure.axes for text in axes.texts if text.get_rotation() == 90]
    return [text.get_text() for text in sorted(texts, key=lambda text: text.get_position()[0])]


VALUES = pd.DataFrame(
    np.random.default_rng(0).normal(size=(5, 4)), index=list("vwxyz"), columns=list("abcd")
)
FAMILIES = pd.DataFrame(
    {"family": list("vwxyz"), "reproducibility": 1, "reproducible": True, "example": "0_0"}
)
MOTIFS = pd.DataFrame({"name": list("vwxyz"), "sd": 1.0}, index=list("vwxyz"))
KMERS = VALUES.reset_index(names="kmer").assign(part="differences", start=0, end=9, folds=1.0)
KMERS = KMERS.assign(strength=1.0, motif="m", tf="t", motif_p=0.1)
KMERS = KMERS[[*KMERS.columns.difference(VALUES.columns, sort=False), *VALUES.columns]]
FLAT = {name: np.full((4, 6), 0.25) for name in VALUES.index}
HEATMAPS = {
    "influence": lambda order: influence_heatmap(VALUES, [], VALUES, order=order),
    "families": lambda order: family_heatmap(VALUES, FAMILIES, order=order),
    "activity": lambda order: activity_heatmap(VALUES, MOTIFS, FLAT, order=order),
    "kmers": lambda order: kmer_heatmap(KMERS, order=order),
}


@pytest.mark.parametrize("kind", HEATMAPS)
def test_heat_maps_keep_the_order_that_is_asked_for(kind):
    order = ["c", "a", "none such", "d", "b"]
    assert columns_of(HEATMAPS[kind](order))[-4:] == ["c", "a", "d", "b"]
    assert sorted(columns_of(HEATMAPS[kind](()))[-4:]) == list("abcd")


def test_links_and_maps_keep_it_too():
    figure = link_activities(VALUES, ["d", "c", "b", "a"])
    assert [text.get_text() for text in figure.axes[0].get_xticklabels()] == list("dcba")
    points = np.random.default_rng(0).normal(size=(4, 2))
    labels = pd.Series(list("abcd"), name="cell_type")
    figure, _ = category_map(points, labels, dict.fromkeys("dbca", "#000000"))
    legend = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert [text for text in legend if len(text) == 1] == list("dbca")


def test_types_that_are_absent_take_no_colour_of_others():
    colours = {"b": "red", "a": "green", "c": "blue"}
    assert present_types(["c", None, "b", "c"], colours) == {"b": "red", "c": "blue"}
    assert list(present_types(["c", "b"], None)) == ["b", "c"]
