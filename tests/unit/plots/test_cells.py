import anndata as ad
import numpy as np
import pandas as pd
import pytest
from plots_checks import assert_legible, saved_bytes, shown_texts

from cisgrammar.plots import cells, influence, maps, style, truth


def make_cells(n_types, n=600):
    rng = np.random.default_rng(0)
    which = np.arange(n) % n_types
    obs = pd.DataFrame(
        {"cell_type": [f"A rather long cell type name {i}" for i in which]},
        index=[f"cell{i}" for i in range(n)],
    )
    centres = np.column_stack([np.arange(n_types) % 8, np.arange(n_types) // 8]) * 10.0
    made = ad.AnnData(rng.normal(size=(n, 12)).astype(np.float32), obs=obs)
    made.obs["purity"] = rng.uniform(0.3, 1, n)
    made.obsm["X_umap"] = centres[which] + rng.normal(size=(n, 2))
    return made


@pytest.mark.parametrize("n_types", [1, 5, 60])
def test_umap_lists_every_cell_type(n_types):
    made = make_cells(n_types)
    figure = cells.umap_cells(made, made.obs_names[:50])
    names = [text for text in shown_texts(figure) if text.startswith("A rather")]
    assert sorted(names) == sorted(set(made.obs["cell_type"]))
    assert "UMAP1" in shown_texts(figure)
    assert_legible(figure)
    assert figure.get_size_inches()[0] <= style.TWO_COLUMNS * style.MM + 1e-9


def test_umap_marks_the_seeds():
    made = make_cells(3)
    figure = cells.umap_cells(made, ["cell5", "cell7"])
    marked = figure.axes[-1].collections[-1].get_offsets()
    assert marked.data == pytest.approx(made.obsm["X_umap"][[5, 7]])


def test_umap_greys_cells_without_a_type(tmp_path):
    made = make_cells(3)
    made.obs.loc["cell0", "cell_type"] = None
    first, second = (saved_bytes(cells.umap_cells(made), tmp_path / name) for name in "ab")
    assert first == second


def test_unknown_seeds_are_an_error():
    with pytest.raises(ValueError, match="1 of 2 seeds"):
        cells.umap_cells(make_cells(2), ["cell0", "nobody"])


@pytest.mark.parametrize("n_types", [1, 5, 60])
def test_purity_has_a_row_per_cell_type_purest_on_top(n_types):
    made = make_cells(n_types)
    figure = cells.pool_purity(made)
    axes = figure.axes[0]
    labels = [label.get_text() for label in axes.get_yticklabels()]
    medians = made.obs.groupby("cell_type")["purity"].median()
    assert len(labels) == n_types
    assert labels[-1].endswith(f"{medians.idxmax()[-2:]} ({600 // n_types})")
    assert axes.get_xlabel() == "Purity (share of cells)"
    assert_legible(figure)


@pytest.mark.parametrize("n_types", [2, 60])
def test_pca_gives_the_share_of_variance(n_types):
    made = make_cells(n_types)
    figure = influence.pools_pca(made)
    assert any(text.startswith("PC1 (") for text in shown_texts(figure))
    assert_legible(figure)


@pytest.mark.parametrize("repeats", [1, 3])  # taller and wider than long
def test_principal_components_of_a_line(repeats):
    values = np.outer([-3, 1, 2], [3.0, 4.0] * repeats) / np.sqrt(repeats)
    points, share = influence.principal_components(values)
    assert points[:, 0] == pytest.approx([-15, 5, 10])
    assert share == pytest.approx([1, 0], abs=1e-9)


def test_places_are_parted_as_far_as_needed():
    places = np.array([[0.0, 0], [0, 0], [0, 1], [9, 9]])
    parted = maps.part(places, 2)
    distances = np.linalg.norm(parted[:, None] - parted, axis=2) + 9 * np.eye(4)
    assert distances.min() > 1.99
    assert parted[3] == pytest.approx([9, 9], abs=1e-4)


def test_principal_components_of_one_pool():
    points, share = influence.principal_components(np.ones((1, 3)))
    assert points.shape == (1, 2) and not share.any()


@pytest.mark.parametrize(
    "draw", [cells.umap_cells, cells.pool_purity, influence.pools_pca], ids=lambda f: f.__name__
)
def test_no_cells_is_an_error(draw):
    with pytest.raises(ValueError, match="nothing to draw"):
        draw(make_cells(2)[:0])


@pytest.mark.parametrize("n_types", [5, 60])
def test_truth_shows_rho_and_what_was_not_found(n_types):
    activity = np.linspace(-1, 1, n_types)
    pairs = pd.concat(
        pd.DataFrame(
            {
                "motif": motif,
                "cell_type": [f"type {i}" for i in range(n_types)],
                "activity": activity,
                "influence": factor * activity,
            }
        )
        for motif, factor in [("GATA1", 0.1), ("REST", -0.1), ("MYC", np.nan)]
    )
    figure = truth.influence_against_truth(pairs)
    assert {"GATA1: ρ = 1.00", "REST: ρ = −1.00", "MYC: not found"} <= set(shown_texts(figure))
    assert_legible(figure)
    with pytest.raises(ValueError, match="nothing to draw"):
        truth.influence_against_truth(pairs.iloc[:0])


def test_pool_size_sweep_has_a_panel_a_measure():
    sweep = pd.DataFrame(
        [
            {"cells_per_pool": q, "measure": measure, "value": q / 1000 + 0.01 * fold}
            for q in (20, 50, 100)
            for measure in [*cells.MEASURES, "something_else"]
            for fold in range(4)
        ]
    )
    figure = cells.pool_size_sweep(sweep)
    texts = shown_texts(figure)
    assert {"Cells in a pool", "Something else", *cells.MEASURES.values()} <= set(texts)
    assert_legible(figure)
    with pytest.raises(ValueError, match="nothing to draw"):
        cells.pool_size_sweep(sweep.iloc[:0])
