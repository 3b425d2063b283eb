import numpy as np
import pandas as pd
import pytest
from plots_checks import assert_legible, saved_bytes, shown_texts

from cisgrammar.plots import gene_sets, motif_space, style


def membership(families, sequences=300, share=0.2):
    drawn = np.random.default_rng(0).random((sequences, families)) < share
    return pd.DataFrame(drawn, columns=[f"Family/{i}" for i in range(families)])


def test_intersections_match_hand_count():
    table = pd.DataFrame({"a": [1, 1, 0, 1, 0], "b": [0, 0, 1, 1, 0]}, dtype=bool)
    counts = motif_space.intersections(table)
    assert counts.to_dict("list") == {
        "a": [True, False, True],
        "b": [False, True, True],
        "n": [2, 1, 1],
    }


@pytest.mark.parametrize("families", [1, 13, 45])
def test_upset_is_legible(families, tmp_path):
    figure = motif_space.upset(membership(families, share=min(0.2, 2 / families)))
    texts = shown_texts(figure)
    drawn = sum(text.startswith("Family/") for text in texts)
    note = f"{families - drawn} families are in none of these combinations"
    assert drawn == families or any(note in text for text in texts)
    assert "Sequences with\nexactly these" in texts
    assert_legible(figure)
    assert figure.get_size_inches()[0] / style.MM <= style.TWO_COLUMNS + 1e-6


def test_upset_has_the_same_bytes_each_time(tmp_path):
    first, second = (
        saved_bytes(motif_space.upset(membership(4)), tmp_path / name) for name in "ab"
    )
    assert first == second


def test_upset_leaves_out_a_family_that_is_nearly_everywhere():
    texts = shown_texts(motif_space.upset(membership(4).assign(everywhere=True)))
    assert "everywhere" not in texts
    assert any("without 1 that are in over 90% of them" in text for text in texts)


def test_upset_leaves_out_families_of_no_combination_that_is_drawn():
    table = membership(3).assign(rare=False)
    table.loc[table.index[0], "rare"] = True
    texts = shown_texts(motif_space.upset(table, n_top=2))
    assert "rare" not in texts
    assert any("in none of these combinations" in text for text in texts)


def test_upset_without_any_member_is_an_error():
    with pytest.raises(ValueError, match="nothing to draw"):
        motif_space.upset(membership(3, share=0))


@pytest.mark.parametrize("families", [1, 7, 30])
def test_umap_by_family_has_a_panel_a_family(families):
    rng = np.random.default_rng(0)
    scores = pd.DataFrame(rng.random((200, families)), columns=[f"F{i}" for i in range(families)])
    figure = motif_space.umap_by_family(rng.normal(size=(200, 2)), scores)
    assert sum(axes.get_title() != "" for axes in figure.axes) == min(families, 20)
    assert {"UMAP1", "UMAP2", "low", "high"} <= set(shown_texts(figure))
    assert_legible(figure)


def test_points_and_scores_must_agree():
    with pytest.raises(ValueError, match="3 points, but 4 rows"):
        motif_space.umap_by_family(np.zeros((3, 2)), pd.DataFrame({"a": range(4)}))


def gene_set_table(n, families):
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"term": [f"A process of the cell {i}" for i in range(n)], "size": 9})
    table["cluster"] = 1 + np.arange(n) % 3
    rho = pd.DataFrame(
        rng.uniform(-1, 1, (n, families)), columns=[f"F{i}" for i in range(families)]
    )
    return pd.concat([table, rho], axis=1)


@pytest.mark.parametrize("n, families", [(5, 2), (50, 13), (300, 38)])
def test_gene_set_heatmap_names_all_or_the_strongest(n, families):
    figure = gene_sets.gene_set_heatmap(gene_set_table(n, families))
    texts = shown_texts(figure)
    named = sum(text.startswith("A process") for text in texts)
    assert named == (n if n <= 60 else 36)
    assert any(text.startswith("Cluster 3\nn = ") for text in texts)
    assert "size" not in texts
    assert_legible(figure)


def test_no_gene_sets_is_an_error():
    with pytest.raises(ValueError, match="nothing to draw"):
        gene_sets.gene_set_heatmap(gene_set_table(0, 3))


def test_far_points_are_moved_to_the_border():
    line = np.linspace(0, 1, 1001)
    points = np.column_stack([line, line])
    points[0] = (50, -50)
    moved = motif_space.within_reach(points)
    assert (moved[6:-5] == points[6:-5]).all()
    assert moved[0] == pytest.approx([1.095, -0.095], abs=0.01)
