import numpy as np
import pandas as pd
import pytest
from plots_checks import assert_legible, saved_bytes, shown_texts

from cisgrammar.plots.denoising import accessibility_against_expression, denoised_heatmap


@pytest.fixture
def case():
    rng = np.random.default_rng(1)
    types = pd.Series(rng.choice(["T cell", "B cell", "monocyte of a long name"], 60))
    level = rng.uniform(0.1, 0.9, (3, 40))[pd.Categorical(types).codes]
    return (rng.random((60, 40)) < level).astype(np.uint8), level, types


def test_both_sides_show_the_same_cells_and_peaks(case):
    raw, denoised, types = case
    figure = denoised_heatmap(raw, denoised, types)
    left, right = (axes.images[0].get_array() for axes in figure.axes[:2])
    rows = np.argsort(types.to_numpy(), kind="stable")
    assert left.shape == right.shape == (60, 40)
    assert sorted(left.sum(axis=0)) == sorted(raw.sum(axis=0))
    np.testing.assert_array_equal(left.sum(axis=1), raw[rows].sum(axis=1))
    # the order of peaks is one: where a peak is open more, it is so on the right side too
    place = [np.flatnonzero((column == raw[rows].T).all(axis=1))[0] for column in left.T]
    z = (denoised - denoised.mean(axis=0)) / denoised.std(axis=0)
    np.testing.assert_allclose(right, z[np.ix_(rows, place)], atol=1e-9)
    assert_legible(figure)
    assert {"Cell type", "T cell", "60 cells", "40 peaks"} <= set(shown_texts(figure))
    low, middle, high = figure.axes[2].get_yticks()  # of the scale
    assert low == -high and middle == 0


def test_same_bytes(case, tmp_path):
    assert saved_bytes(denoised_heatmap(*case), tmp_path / "a") == saved_bytes(
        denoised_heatmap(*case), tmp_path / "b"
    )


def test_nothing_to_draw(case):
    with pytest.raises(ValueError, match="empty"):
        denoised_heatmap(np.zeros((0, 3)), np.zeros((0, 3)), pd.Series([], dtype=str))


def test_agreement_shows_medians_and_bears_missing_values():
    rng = np.random.default_rng(1)
    cells = pd.DataFrame({"r_raw": rng.normal(0.2, 0.05, 80), "cell_type": ["a", "b"] * 40})
    cells["r_denoised"] = cells["r_raw"] + 0.1
    genes = cells[["r_raw", "r_denoised"]].copy()
    genes.iloc[0, 1] = np.nan
    figure = accessibility_against_expression(cells, genes)
    assert_legible(figure)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    medians = [f"{cells[c].median():.2f}" for c in ("r_raw", "r_denoised")]
    assert titles[0] == f"Over genes, 80 cells\nmedian {medians[0]} to {medians[1]}"
    with pytest.raises(ValueError, match="empty"):
        accessibility_against_expression(cells[:0], genes)
