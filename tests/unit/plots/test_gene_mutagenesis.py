import numpy as np
import pandas as pd
import pytest
from plots_checks import assert_legible, shown_texts

from cisgrammar.plots.gene_mutagenesis import binned, effect_profile, gene_effects


@pytest.fixture
def profile():
    position = np.arange(-700, 300)
    rng = np.random.default_rng(1)
    tables = [
        pd.DataFrame(
            {
                "level": level, "population": population, "position": position,
                "mean_effect": size * np.exp(-np.abs(position) / 100) + rng.random(1000) / 50,
            }
        )
        for level, population, size in [("tissue", "a", 0.1), ("NA", "b", 0.3), ("NA", "c", 0.1)]
    ]  # fmt: skip
    return pd.concat(tables, ignore_index=True)


def test_profile_has_a_curve_for_each_level(profile):
    figure = effect_profile(profile)
    assert_legible(figure)
    assert {"tissue", "NA"} <= set(shown_texts(figure))
    curve = figure.axes[0].lines[2]
    assert curve.get_ydata().max() == pytest.approx(0.2, abs=0.02)  # of two populations
    assert abs(curve.get_xdata()[curve.get_ydata().argmax()]) < 10


def test_neighbours_are_averaged_but_not_across_the_tss():
    position, value = binned(np.arange(-5, 7), np.arange(12.0), 4)
    assert position.tolist() == [-4.5, -2, 1, 4, 6]
    assert value.tolist() == [0.5, 3, 6, 9, 11]
    position, value = binned(np.arange(-2, 2), np.arange(4.0), 100)
    assert value.tolist() == [0, 1, 2, 3]


def test_effects_of_a_gene_are_drawn_for_both_populations_and_their_difference():
    rng = np.random.default_rng(1)
    effects = rng.normal(size=(2, 400)) / 10
    comparison = pd.DataFrame(
        {
            "gene": "g", "population": "type/a cell type with a long name, " * 4,
            "other": "type/B", "position": np.arange(-300, 100), "effect": effects[0],
            "other_effect": effects[1], "difference": effects[0] - effects[1],
        }
    )  # fmt: skip
    figure = gene_effects(comparison)
    assert_legible(figure)
    assert {"type/B", "Difference"} <= set(shown_texts(figure))
    segments = figure.axes[1].collections[0].get_segments()
    heights = [segment[:, 1].sum() for segment in segments]
    np.testing.assert_allclose(heights, effects[1])
