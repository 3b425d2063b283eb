import numpy as np
import pandas as pd
import pytest
from plots_checks import assert_legible, saved_bytes, shown_texts

from cisgrammar.motifs.meme import Motif
from cisgrammar.plots import influence, style
from cisgrammar.plots.heatmaps import Heatmap, tree


def table(rows, columns):
    values = np.random.default_rng(0).normal(size=(rows, columns))
    return pd.DataFrame(
        values,
        index=pd.Index([f"{i % 10}_{i}" for i in range(rows)], name="motif"),
        columns=[f"A rather long cell type name {j}" for j in range(columns)],
    )


def motifs(names, width=12):
    matrix = np.random.default_rng(0).dirichlet(np.ones(4) * 0.2, width).T
    return [Motif(name, matrix) for name in names]


@pytest.mark.parametrize("rows, columns", [(1, 1), (2, 5), (40, 5), (40, 60)])
def test_influence_heatmap_is_legible_and_fits_the_page(rows, columns):
    z = table(rows, columns)
    figure = influence.influence_heatmap(z, motifs(z.index), z * 0.01, n_top=30)
    texts = shown_texts(figure)
    assert sum(text in set(z.index) for text in texts) == min(rows, 30)
    assert sum(text.startswith("A rather long") for text in texts) == columns
    label = "Influence (z-score)" if columns > 1 else "Influence (log10 counts)"
    assert label in texts and "Mean influence\n(log10 counts)" in texts
    assert_legible(figure)
    width, height = figure.get_size_inches() / style.MM
    assert width <= style.TWO_COLUMNS + 1e-6 and height <= 247


def test_rows_shown_are_those_that_differ_most_between_cell_types():
    z = table(5, 4)
    raw = z.mul([1, 5, 2, 4, 3], axis=0)
    spread = raw.std(axis=1)
    texts = shown_texts(influence.influence_heatmap(z, [], raw, n_top=2))
    shown = {name for name in z.index if name in texts}
    assert shown == set(spread.nlargest(2).index)


def test_alike_rows_and_columns_come_together():
    values = pd.DataFrame(np.kron([[1, -1], [-1, 1]], np.ones((3, 3))))
    mixed = values.iloc[[0, 3, 1, 4, 2, 5], [0, 3, 1, 4, 2, 5]]
    ordered = Heatmap(mixed, "value").groups[0].rows.to_numpy()
    assert (np.diff(ordered, axis=0) != 0).any(axis=1).sum() == 1
    assert (np.diff(ordered, axis=1) != 0).any(axis=0).sum() == 1


def test_rows_set_aside_come_last_and_grey():
    values = table(8, 4)
    heatmap = Heatmap(values, "value", set_aside=frozenset(values.index[::2]))
    figure = heatmap.draw()
    assert [(len(group.rows), group.grey) for group in heatmap.groups] == [(4, False), (4, True)]
    assert set(heatmap.groups[1].rows.index) == set(values.index[::2])
    assert "Greys" in {mesh.get_cmap().name for mesh in heatmap.page.collections}
    assert_legible(figure)


def test_missing_values_are_drawn_grey(tmp_path):
    values = table(4, 4)
    values.iloc[1, 2] = np.nan
    first, second = (saved_bytes(Heatmap(values, "value").draw(), tmp_path / name) for name in "ab")
    assert first == second


def test_colours_are_centred_on_zero():
    values = table(6, 6) + 10
    heatmap = Heatmap(values, "value")
    heatmap.draw()
    mesh = heatmap.page.collections[0]
    assert mesh.norm.vmin == -mesh.norm.vmax


@pytest.mark.parametrize("limit", [1.7, 0.0123, 8.3e-12])
def test_the_numbers_of_the_scale_are_whole(limit):
    assert_legible(Heatmap(table(3, 3), "Effect", limit=limit).draw())


def test_no_tree_below_three():
    assert tree(table(2, 5)) is None
    assert sorted(tree(table(7, 5))["leaves"]) == list(range(7))


def test_empty_table_is_an_error():
    with pytest.raises(ValueError, match="influence_heatmap: nothing to draw"):
        influence.influence_heatmap(table(0, 3), [])
