import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import QuadMesh

from cisgrammar.motifs.meme import Motif
from cisgrammar.plots.positions import family_positions


def made(n_families=2, types=("B cell", "T cell"), bins=4):
    rng = np.random.default_rng(0)
    rows = [
        (f"F{f}", k, 100 * k - 200, 100 * k - 100, name, rng.normal(), 0.1, rng.normal())
        for f in range(n_families)
        for k in range(bins)
        for name in types
    ]
    names = ["family", "bin", "start", "end", "cell_type", "effect", "effect_se", "influence"]
    families = pd.DataFrame({"family": [f"F{f}" for f in range(n_families)], "example": "0_1"})
    return pd.DataFrame(rows, columns=names), families


def cells_of(figure, shape):
    """Give the values of the heat maps of a shape."""
    drawn = [each for axes in figure.axes for each in axes.collections]
    values = [each.get_array() for each in drawn if isinstance(each, QuadMesh)]
    return [each for each in values if each.shape == shape]


def test_a_panel_for_each_family_with_cell_types_down_and_bins_along():
    table, families = made()
    motif = Motif("0_1", np.full((4, 6), 0.25), n_sites=10)
    figure = family_positions(table, families, [motif])
    assert len(cells_of(figure, (2, 4))) == 2
    text = {label.get_text() for axes in figure.axes for label in axes.texts}
    assert {"F0", "F1", "Middle of the motif, bases from the TSS"} <= text


def test_what_is_within_two_standard_errors_of_0_is_left_white():
    table, families = made(n_families=1)
    table["effect"], table["effect_se"] = 1.0, 0.1
    table.loc[0, "effect_se"] = 0.6
    (cells,) = cells_of(family_positions(table, families), (2, 4))
    assert np.ma.getmaskarray(cells).sum() == 1
    table["effect_se"] = np.nan  # one fold: nothing is known against it
    (cells,) = cells_of(family_positions(table, families), (2, 4))
    assert not np.ma.getmaskarray(cells).any()


def test_the_strongest_families_are_drawn():
    table, families = made(n_families=5)
    table.loc[table["family"] == "F3", "effect"] *= 100
    text = {
        label.get_text()
        for axes in family_positions(table, families, n_top=1).axes
        for label in axes.texts
    }
    assert "F3" in text and not {"F0", "F1", "F2", "F4"} & text


def test_many_cell_types_and_one_bin_of_one_type_are_drawn():
    family_positions(*made(n_families=13, types=[f"type {i}" for i in range(60)], bins=10))
    family_positions(*made(n_families=1, types=["only"], bins=1))


def test_nothing_to_draw_is_said():
    table, families = made()
    with pytest.raises(ValueError, match="family_positions"):
        family_positions(table[:0], families)
