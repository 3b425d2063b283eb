import anndata as ad
import numpy as np
import pandas as pd
import pytest
from plots_checks import assert_legible, saved_bytes, shown_texts

from cisgrammar.plots import single_cells, training


def embedded(n=90):
    rng = np.random.default_rng(0)
    which = np.arange(n) % 3
    obs = pd.DataFrame(
        {
            "cell_type": [f"type {i}" for i in which],
            "leiden": pd.Categorical([str(i) for i in which]),
            "batch": [f"batch{i % 2}" for i in range(n)],
        },
        index=[f"cell{i}" for i in range(n)],
    )
    cells = ad.AnnData(obs=obs)
    for key in ("X_umap", "X_tsne"):
        cells.obsm[key] = rng.normal(size=(n, 2)) + 5 * which[:, None]
    return cells


@pytest.mark.parametrize(
    "column, key, title, axis",
    [
        ("cell_type", "X_umap", "Cell type", "UMAP1"),
        ("leiden", "X_umap", "Cluster", "UMAP1"),
        ("batch", "X_tsne", "Batch", "t-SNE1"),
    ],
)
def test_maps_name_label_and_axes(column, key, title, axis):
    cells = embedded()
    figure = single_cells.embedding_map(cells, column, key)
    texts = set(shown_texts(figure))
    assert {title, axis, "90 cells", *map(str, cells.obs[column].unique())} <= texts
    assert_legible(figure)


def depth(n=50):
    x = np.linspace(1, 3, n)
    table = pd.DataFrame({"log10_open": x, "intercept": 2 * x - 5, "cell_type": "a"})
    return pd.concat([table, table.assign(intercept=5 - 2 * x, cell_type="b")])


def test_depth_tells_the_correlation_of_all_cells_and_within_types():
    figure = single_cells.depth_against_intercept(depth())
    told = "r = 0.00; median within cell types 0.00"
    assert {told, "a", "b"} <= {text.replace("−0.00", "0.00") for text in shown_texts(figure)}
    assert_legible(figure)
    one = single_cells.depth_against_intercept(depth().query("cell_type == 'a'"))
    assert "r = 1.00" in shown_texts(one)


def scores(labels):
    rng = np.random.default_rng(0)
    return pd.concat(
        pd.DataFrame({"auroc": rng.uniform(0.4, 0.9, 200), "labels": name, "per": per})
        for name in labels
        for per in ("cell", "peak")
    )


@pytest.mark.parametrize("labels", [["measured"], ["measured", "kmer_ridge", "shuffled"]])
def test_held_out_scores_have_a_panel_per_cells_and_peaks(labels):
    table = scores(labels)
    table.iloc[0, 0] = np.nan
    figure = single_cells.held_out_auroc(table)
    texts = shown_texts(figure)
    assert {"AUROC per cell", "AUROC per peak"} <= set(texts)
    assert any("model 0.6" in text and "(199 cells)" in text for text in texts)
    assert ("k-mer ridge" in texts) == ("shuffled labels" in texts) == (len(labels) == 3)
    assert_legible(figure)


def metrics(names):
    table = pd.DataFrame({"embedding": names, "n_clusters": 3})
    for i, column in enumerate(["ari", "label_score_10", "neighbor_score_50", "ilisi"]):
        table[column] = np.linspace(0.1 * i, 0.9, len(names))
    return table


@pytest.mark.parametrize(
    "names, told",
    [
        (["scbasset", "lsi", "pca"], {"scBasset", "LSI", "PCA"}),
        (["scbasset_fold0", "scbasset_fold1", "lsi"], {"scBasset, fold 0", "scBasset, fold 1"}),
        (["scbasset"], {"scBasset"}),
    ],
)
def test_metrics_name_scores_and_embeddings(names, told):
    figure = single_cells.embedding_metrics(metrics(names))
    rows = {"adjusted Rand index", "neighbours of one type, 10", "mixing of batches, iLISI"}
    assert told | rows <= set(shown_texts(figure))
    assert_legible(figure)


def test_scores_that_no_embedding_has_are_left_out():
    table = metrics(["lsi", "pca"]).assign(kbet=np.nan)
    assert "mixing of batches, kBET" not in shown_texts(single_cells.embedding_metrics(table))


def test_nothing_to_score_by_is_told():
    table = pd.DataFrame({"embedding": ["lsi", "pca"], "n_clusters": 1, "ari": np.nan})
    figure = single_cells.embedding_metrics(table)
    assert "No cell types, batches or RNA to compare with" in shown_texts(figure)
    assert_legible(figure)


def test_curves_of_cross_entropy_and_auroc():
    table = pd.DataFrame({"fold": 0, "epoch": range(1, 9), "best": [False] * 7 + [True]})
    for what in ("loss", "auroc"):
        table[f"train_{what}"] = table[f"validation_{what}"] = np.linspace(0.5, 0.9, 8)
    losses, aurocs = training.cross_entropy_curves(table), training.auroc_curves(table)
    assert "Loss (binary cross-entropy)" in shown_texts(losses)
    assert "AUROC per cell" in shown_texts(aurocs)
    for figure in (losses, aurocs):
        assert figure.axes[0].collections[0].get_offsets().tolist() == [[8, 0.9]]
        assert len(figure.axes[0].get_yticks()) > 2
        assert_legible(figure)


@pytest.mark.parametrize(
    "draw, table",
    [
        (single_cells.depth_against_intercept, depth()),
        (single_cells.held_out_auroc, scores(["measured"])),
        (single_cells.embedding_metrics, metrics(["lsi"])),
    ],
)
def test_empty_tables_are_refused_and_bytes_repeat(draw, table, tmp_path):
    with pytest.raises(ValueError, match="nothing to draw"):
        draw(table.iloc[:0])
    first, second = (saved_bytes(draw(table), tmp_path / name) for name in "ab")
    assert first == second
