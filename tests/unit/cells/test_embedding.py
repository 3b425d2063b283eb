import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from cisgrammar.cells.embedding import (
    _neighbours,
    choose_cells,
    embed_cells,
    filter_cells,
    fitting_cells,
    restrict,
)
from cisgrammar.common.errors import InputError
from cisgrammar.common.inputs import time_limit

SETTINGS = {
    "n_pcs": 6,
    "drop_first_pc": True,
    "exact_pca": True,
    "n_neighbors": 5,
    "neighbors_within_batch": 3,
    "trim": None,
    "exact_neighbors": True,
    "umap_min_dist": 0.5,
    "seed": 1,
}


def counts(matrix, batch=None):
    matrix = sp.csr_matrix(np.asarray(matrix, dtype=np.float32))
    obs = pd.DataFrame(index=[f"c{i}" for i in range(matrix.shape[0])])
    obs["batch"] = pd.Categorical(["all"] * len(obs) if batch is None else batch)
    return ad.AnnData(matrix, obs=obs)


def two_types(n=40, n_genes=30, batch_effect=1.0, seed=0):
    """Give counts of two types (every second cell) in two batches (first and second half)."""
    rng = np.random.default_rng(seed)
    mean = np.ones((n, n_genes))
    mean[::2, :10] *= 8
    mean[n // 2 :, 10:20] *= batch_effect
    return counts(rng.poisson(mean), ["one"] * (n // 2) + ["two"] * (n - n // 2))


MATRIX = [[1, 2, 3, 0], [0, 5, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0]]


@pytest.mark.parametrize(
    "min_genes, min_cells, cells, genes",
    [
        (1, 1, ["c0", "c1", "c2"], ["0", "1", "2"]),
        (2, 1, ["c0", "c2"], ["0", "1", "2"]),
        (2, 2, ["c0", "c2"], ["0", "1"]),
        (1, 3, ["c0", "c1", "c2"], ["1"]),
        (3, 1, ["c0"], ["0", "1", "2"]),
    ],
)
def test_filters_by_hand(min_genes, min_cells, cells, genes):
    kept = filter_cells(counts(MATRIX), min_genes=min_genes, min_cells=min_cells)
    assert kept.obs_names.tolist() == cells
    assert kept.var_names.tolist() == genes
    assert sp.issparse(kept.X)


def test_stored_zeros_are_no_detection():
    stored = counts(MATRIX)
    stored.X.data[stored.X.data == 5] = 0
    kept = filter_cells(stored, min_genes=1, min_cells=1)
    assert kept.obs_names.tolist() == ["c0", "c2"]


def test_the_given_counts_stay_as_they_are():
    given = counts(MATRIX)
    filter_cells(given, min_genes=2, min_cells=2)
    assert given.X.toarray().tolist() == MATRIX


@pytest.mark.parametrize("min_genes, min_cells", [(5, 1), (1, 5)])
def test_nothing_left_says_which_keys(min_genes, min_cells):
    with pytest.raises(InputError, match=r"4 cells and 4 genes.*cells\.min_genes.*\.min_cells"):
        filter_cells(counts(MATRIX), min_genes=min_genes, min_cells=min_cells)


@pytest.mark.parametrize("drop, components", [(True, 5), (False, 6)])
def test_embedding_shapes_and_counts_untouched(drop, components):
    cells = two_types()
    before = cells.X.toarray()
    embed_cells(cells, **{**SETTINGS, "drop_first_pc": drop})
    assert cells.obsm["X_pca"].shape == (40, components)
    assert cells.obsm["X_umap"].shape == (40, 2)
    assert np.isfinite(cells.obsm["X_umap"]).all()
    assert cells.X.toarray().tolist() == before.tolist()
    assert not cells.obsp


def test_dropping_the_first_component_leaves_the_others():
    cells, dropped = two_types(), two_types()
    embed_cells(cells, **{**SETTINGS, "drop_first_pc": False})
    embed_cells(dropped, **SETTINGS)
    np.testing.assert_allclose(cells.obsm["X_pca"][:, 1:], dropped.obsm["X_pca"], atol=1e-5)


def deep_and_shallow(effect, n=300, n_genes=200):
    """Give counts of cells of one type, or two, whose depths differ much."""
    rng = np.random.default_rng(0)
    mean = np.tile(rng.gamma(0.5, 1, n_genes), (n, 1))
    mean[::2, :100] *= effect
    share = mean / mean.sum(axis=1, keepdims=True)
    return counts(rng.poisson(share * 1000 * np.exp(rng.normal(0, 0.8, (n, 1)))))


@pytest.mark.parametrize("labelled", [True, False])
@pytest.mark.parametrize("effect, components, told", [(1, 5, "dropped"), (6, 6, "kept")])
def test_the_first_component_goes_where_it_is_depth_alone(
    effect, components, told, labelled, caplog
):
    cells = deep_and_shallow(effect)
    cells.obs["cell_type"] = pd.Categorical(["one", "two"] * 150 if labelled else ["none"] * 300)
    with caplog.at_level("INFO"):
        embed_cells(cells, **{**SETTINGS, "n_neighbors": 15, "drop_first_pc": "auto"})
    assert cells.obsm["X_pca"].shape == (300, components)
    (line,) = [text for text in caplog.messages if text.startswith("First component: r with")]
    assert line.endswith(f": {told}.")
    assert ("with cell types" in line) == labelled


@pytest.mark.parametrize("choice, components", [("auto", 5), (True, 5), (False, 6)])
def test_of_peaks_the_first_component_goes(choice, components):
    cells = two_types()
    embed_cells(cells, **{**SETTINGS, "drop_first_pc": choice}, peaks=True)
    assert cells.obsm["X_pca"].shape == (40, components)


def test_components_are_those_of_log_normalised_counts():
    cells = two_types(20, 12)
    embed_cells(cells, **{**SETTINGS, "drop_first_pc": False, "n_pcs": 3})
    dense = cells.X.toarray().astype(float)
    depth = dense.sum(axis=1, keepdims=True)
    logs = np.log1p(dense / depth * np.median(depth))
    u, s, _ = np.linalg.svd(logs - logs.mean(axis=0))
    np.testing.assert_allclose(
        np.abs(cells.obsm["X_pca"]), np.abs(u[:, :3] * s[:3]), rtol=1e-2, atol=1e-3
    )


def test_same_seed_same_embedding():
    one, two = two_types(), two_types()
    embed_cells(one, **SETTINGS)
    embed_cells(two, **SETTINGS)
    assert one.obsm["X_umap"].tobytes() == two.obsm["X_umap"].tobytes()


def test_more_components_than_possible_are_cut():
    cells = two_types(12, 30)
    embed_cells(cells, **{**SETTINGS, "n_pcs": 100, "drop_first_pc": False})
    assert cells.obsm["X_pca"].shape == (12, 11)


def test_a_batch_of_few_cells_is_an_error():
    cells = two_types(20)
    cells.obs["batch"] = pd.Categorical(["many"] * 18 + ["few"] * 2)
    with pytest.raises(InputError, match=r"batch 'few' has 2 cells.*neighbors_within_batch"):
        embed_cells(cells, **SETTINGS)


def test_batches_are_balanced():
    """Neighbours on the map come from the other batch only where batches are told."""
    settings = {**SETTINGS, "drop_first_pc": False}
    told = two_types(120, batch_effect=6.0)
    embed_cells(told, **settings)
    untold = two_types(120, batch_effect=6.0)
    untold.obs["batch"] = pd.Categorical(["all"] * 120)
    embed_cells(untold, **settings)
    batch = np.arange(120) >= 60

    def other_batch(umap):
        distance = ((umap[:, None] - umap[None]) ** 2).sum(axis=-1)
        near = distance.argsort(axis=1)[:, 1:6]
        return (batch[near] != batch[:, None]).mean()

    assert other_batch(told.obsm["X_umap"]) > 0.15
    assert other_batch(untold.obsm["X_umap"]) < 0.1


@pytest.mark.parametrize("exact_pca", [True, False])
@pytest.mark.parametrize("batches", [["one"], ["one", "two"]])
def test_approximate_search_is_exact_in_few_cells(exact_pca, batches):
    settings = {**SETTINGS, "n_pcs": 3, "drop_first_pc": False}
    exact, approximate = two_types(200), two_types(200)
    for cells in (exact, approximate):
        cells.obs["batch"] = pd.Categorical(batches * (200 // len(batches)))
    embed_cells(exact, **settings)
    embed_cells(approximate, **{**settings, "exact_pca": exact_pca, "exact_neighbors": False})
    # but for components of noise alone
    np.testing.assert_allclose(
        approximate.obsm["X_pca"][:, 0], exact.obsm["X_pca"][:, 0], rtol=1e-3, atol=1e-3
    )
    first = approximate.obsm["X_umap"]
    assert np.isfinite(first).all()
    embed_cells(approximate, **{**settings, "exact_pca": exact_pca, "exact_neighbors": False})
    assert approximate.obsm["X_umap"].tobytes() == first.tobytes()


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("clusters", [None, 0.5])
def test_a_map_of_some_cells_holds_them_all(exact, clusters):
    chosen = {"exact_neighbors": exact, "clusters": clusters, "umap_cells": 100}
    settings = {**SETTINGS, **chosen, "n_pcs": 2, "drop_first_pc": False}
    cells, again = two_types(400), two_types(400)
    embed_cells(cells, **settings)
    places, place = np.unique(cells.obsm["X_umap"], axis=0, return_inverse=True)
    assert len(places) == 100  # of the sketch; the others share them
    of_one_type = np.bincount(place, np.arange(400) % 2) / np.bincount(place)
    assert (np.abs(of_one_type - 0.5) == 0.5).mean() > 0.95
    if clusters is not None:
        labels = cells.obs["cell_type"]
        assert labels.notna().all()
        assert len({*zip(place, labels, strict=True)}) == 100
    embed_cells(again, **settings)
    assert again.obsm["X_umap"].tobytes() == cells.obsm["X_umap"].tobytes()


def test_a_map_of_no_fewer_cells_than_there_are_is_the_map_of_all():
    whole, enough = two_types(), two_types()
    embed_cells(whole, **SETTINGS)
    embed_cells(enough, **SETTINGS, umap_cells=40)
    assert whole.obsm["X_umap"].tobytes() == enough.obsm["X_umap"].tobytes()


def test_the_graph_of_batches_is_that_of_bbknn():
    points = np.random.default_rng(0).normal(size=(300, 4)).astype(np.float32)
    graphs = []
    for exact in (True, False):
        work = ad.AnnData(
            obs=pd.DataFrame({"batch": pd.Categorical(["x", "y", "z"] * 100)}),
            obsm={"X_pca": points},
        )
        _neighbours(work, 5, 3, 4, exact=exact, seed=7)
        graphs.append(work.obsp["connectivities"])
    exact, approximate = graphs
    np.testing.assert_allclose(approximate.toarray(), exact.toarray(), atol=1e-4)


def test_restricted_counts_are_as_numpy_takes_them():
    rng = np.random.default_rng(0)
    dense = rng.poisson(0.5, (30, 20))
    cells, genes = rng.random(30) < 0.5, rng.random(20) < 0.5
    taken = restrict(counts(dense), cells, genes)
    assert taken.X.toarray().tolist() == dense[cells][:, genes].tolist()
    assert taken.X.has_canonical_format
    assert taken.obs_names.tolist() == [f"c{i}" for i in np.flatnonzero(cells)]
    assert taken.var_names.tolist() == [str(i) for i in np.flatnonzero(genes)]


@pytest.mark.parametrize("kept, shared", [(0.9, True), (0.3, False)])
def test_counts_restricted_in_place_are_those_of_a_copy(kept, shared):
    """Of less than half of the counts SciPy makes a copy, so that the others are let go."""
    rng = np.random.default_rng(0)
    given = counts(rng.poisson(0.5, (60, 40)))
    cells, genes = rng.random(60) < kept, rng.random(40) < kept
    copied = restrict(given, cells, genes)
    moved = restrict(given, cells, genes, in_place=True)
    assert (moved.X != copied.X).nnz == 0
    assert moved.X.has_canonical_format
    assert moved.obs.equals(copied.obs)
    assert np.shares_memory(moved.X.data, given.X.data) == shared
    assert np.shares_memory(moved.X.indices, given.X.indices) == shared


@pytest.mark.parametrize(
    "keep, drop, left",
    [
        ({}, {}, "abcd"),
        ({"tissue": ["Lung"]}, {}, "ab"),
        ({"tissue": ["Lung", "Skin"]}, {"age": [3]}, "abc"),
        ({"tissue": ["Lung"]}, {"age": [1, 4]}, "b"),
    ],
)
def test_cells_are_chosen_by_annotations(keep, drop, left):
    data = counts(np.ones((4, 2)))
    data.obs = pd.DataFrame(
        {"tissue": pd.Categorical(["Lung", "Lung", "Skin", "Heart"]), "age": [1, 2, 4, 3]},
        index=list("abcd"),
    )
    chosen = choose_cells(data, keep, drop)
    assert "".join(chosen.obs_names) == left


def test_annotations_that_are_not_there_are_all_named():
    data = counts(np.ones((2, 2)))
    data.obs["tissue"] = ["Lung", "Skin"]
    with pytest.raises(InputError, match=r"(?s)2 problems.*Did you mean `tissue`.*mean `Lung`"):
        choose_cells(data, {"tissu": ["Lung"]}, {"tissue": ["Lun"]})
    with pytest.raises(InputError, match="leave none of 2 cells"):
        choose_cells(data, {}, {"tissue": ["Lung", "Skin"]})


def test_peaks_tell_cell_types_apart():
    data = two_types(n=60)
    data.X.data[:] = 1  # binary, so depth alone tells little
    embed_cells(data, **SETTINGS, peaks=True)
    assert data.obsm["X_pca"].shape == (60, 5)
    assert data.obsm["X_umap"].shape == (60, 2)
    assert not np.isnan(data.obsm["X_pca"]).any()


def test_filters_of_peaks_name_their_keys():
    with pytest.raises(InputError, match=r"0? ?peaks none is left.*`peaks.min_peaks` \(9\)"):
        filter_cells(counts(MATRIX), min_genes=9, min_cells=1, peaks=True)


def test_clusters_stand_for_cell_types():
    data = two_types(n=80, n_genes=30)
    settings = {**SETTINGS, "drop_first_pc": False}
    embed_cells(data, **settings, clusters=0.1)
    types = data.obs["cell_type"].astype(str).to_numpy()
    assert set(types) == {"cluster 0", "cluster 1"}
    assert len(set(types[::2])) == len(set(types[1::2])) == 1
    again = two_types(n=80, n_genes=30)
    embed_cells(again, **settings, clusters=0.1)
    assert again.obs["cell_type"].tolist() == data.obs["cell_type"].tolist()


def test_cells_of_a_hundred_thousand_labels_are_chosen_at_once():
    names = [f"type {i}" for i in range(100_000)]
    obs = pd.DataFrame({"kind": names}, names)
    with time_limit(30, "too slow"):
        assert fitting_cells(obs, {"kind": names[:50_000]}, {}).sum() == 50_000
