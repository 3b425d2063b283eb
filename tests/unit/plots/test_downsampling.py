import pandas as pd
import pytest
from plots_checks import assert_legible, shown_texts

from cisgrammar.plots.downsampling import downsampling


def test_measures_stand_over_the_share_of_open_entries():
    rows = [
        (share, name, value)
        for share in (1.0, 0.5, 0.1)
        for name, value in (("open_share", 0.2 * share), ("ari", share), ("empty_cells", 0))
    ]
    figure = downsampling(pd.DataFrame(rows, columns=["share", "measure", "value"]))
    (panel,) = figure.axes
    x, y = panel.lines[0].get_data()
    assert list(x) == pytest.approx([2, 10, 20]) and list(y) == [0.1, 0.5, 1.0]
    assert_legible(figure)
    assert {"2%", "20%"} <= set(shown_texts(figure))


def test_small_differences_look_small():
    rows = [(1, "open_share", 0.2), (1, "ari", 0.5), (0.5, "open_share", 0.1), (0.5, "ari", 0.501)]
    figure = downsampling(pd.DataFrame(rows, columns=["share", "measure", "value"]))
    low, high = figure.axes[0].get_ylim()
    assert high - low == pytest.approx(0.1) and (low + high) / 2 == pytest.approx(0.5005)


def test_nothing_to_draw():
    with pytest.raises(ValueError, match="empty"):
        downsampling(pd.DataFrame(columns=["share", "measure", "value"]))
