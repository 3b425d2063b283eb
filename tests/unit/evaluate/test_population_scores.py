"""Scores of populations, against correlations by hand."""

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from cisgrammar.data.folds import TEST, TRAIN, VALIDATION
from cisgrammar.evaluate.population_baselines import predict_baselines, standardised
from cisgrammar.evaluate.population_scores import (
    cross_scores,
    difference_scores,
    gains,
    gene_subsets,
    score_genes,
    score_predictions,
    summarise,
    tissue_of,
)

N = 90
POPULATIONS = ["all_cells/all", "class/a", "class/b", "cell_type/a1", "bulk/x"]


@pytest.fixture
def dataset():
    rng = np.random.default_rng(0)
    levels, labels = zip(*(name.split("/") for name in POPULATIONS), strict=True)
    parents = ["", "all_cells/all", "all_cells/all", "class/a", ""]
    obs = pd.DataFrame(
        {"level": levels, "label": labels, "n_cells": [9, 5, 4, 3, 0], "parent": parents},
        index=POPULATIONS,
    )
    var = pd.DataFrame({"gene_name": [f"n{i}" for i in range(N)]}, [f"g{i}" for i in range(N)])
    data = AnnData(rng.normal(size=(5, N)).astype(np.float32), obs=obs, var=var)
    data.varm["codes"] = rng.integers(0, 4, (N, 60)).astype(np.uint8)
    features = rng.normal(size=(N, 2)).astype(np.float32)
    features[::3, 1] = np.nan
    data.varm["features"] = features
    data.layers["expressed"] = (data.X > -1).astype(np.uint8)
    return data


@pytest.fixture
def predictions(dataset):
    rng = np.random.default_rng(1)
    predicted = dataset.X + rng.normal(size=dataset.shape)
    return AnnData(predicted, obs=dataset.obs, var=dataset.var.assign(fold=np.arange(N) % 3))


def r(first, second):
    return np.corrcoef(first, second)[0, 1]


def test_the_tissue_is_the_coarsest_population(dataset):
    top = ["all_cells/all"] * 4 + ["bulk/x"]
    assert tissue_of(dataset.obs).tolist() == top


def test_scores_are_correlations_over_the_test_genes_of_a_fold(dataset, predictions):
    table = score_predictions(dataset, predictions, "scxpresso", {})
    assert len(table) == 2 * 3 * 3 * 5  # methods, folds, subsets, populations
    found = table.set_index(["method", "population", "fold", "genes"])["r"]
    of_fold = np.arange(N) % 3 == 1
    x, p = dataset.X[:, of_fold], predictions.X[:, of_fold]
    assert found["scxpresso", "class/b", 1, "all"] == pytest.approx(r(x[2], p[2]))
    assert found["tissue", "class/b", 1, "all"] == pytest.approx(r(x[2], p[0]))
    assert found["tissue", "bulk/x", 1, "all"] == found["scxpresso", "bulk/x", 1, "all"]
    high = x[2] > -1
    assert found["scxpresso", "class/b", 1, "expressed"] == pytest.approx(r(x[2, high], p[2, high]))


def test_genes_with_unknown_features_are_scored_apart(dataset):
    known = gene_subsets(dataset)["known_features"]
    assert known[0].tolist() == [i % 3 != 0 for i in range(N)]


def test_gain_is_what_the_own_model_adds(dataset, predictions):
    scores = score_predictions(dataset, predictions, "scxpresso", {})
    table = gains(dataset, scores, "scxpresso").set_index("population")
    assert list(table.index) == POPULATIONS[1:4]
    row = table.loc["cell_type/a1"]
    assert row["similarity"] == pytest.approx(r(dataset.X[3], dataset.X[0]), abs=1e-6)
    assert row["gain"] == pytest.approx(row["r"] - row["tissue_r"])
    every = scores[(scores["genes"] == "all") & (scores["population"] == "cell_type/a1")]
    medians = every.groupby("method")["r"].median()
    assert row["r"] == medians["scxpresso"] and row["tissue_r"] == medians["tissue"]


def test_genes_are_scored_over_the_populations_of_a_level(dataset, predictions):
    assert score_genes(dataset, predictions).empty  # two classes are too few
    dataset.obs["level"] = ["t", "c", "c", "c", "c"]
    table = score_genes(dataset, predictions)
    assert set(table["level"]) == {"c"} and len(table) == N
    last = table.iloc[-1]
    assert last["r"] == pytest.approx(r(dataset.X[1:, -1], predictions.X[1:, -1]))
    assert last["variance"] == pytest.approx(dataset.X[1:, -1].var())


def test_every_model_is_scored_on_every_population(dataset, predictions):
    table = cross_scores(dataset, predictions).set_index(["predicted_by", "scored_on"])["r"]
    by_hand = [
        r(dataset.X[4, np.arange(N) % 3 == f], predictions.X[1, np.arange(N) % 3 == f])
        for f in range(3)
    ]
    assert table["class/a", "bulk/x"] == pytest.approx(np.median(by_hand))


def test_differences_are_of_two_populations_of_one_level(dataset, predictions):
    table = difference_scores(dataset, predictions, "scxpresso", {})
    assert set(zip(table["first"], table["second"], strict=True)) == {("class/a", "class/b")}
    first = table[(table["fold"] == 0) & (table["genes"] == "all")].iloc[0]
    x, p = dataset.X[:, ::3], predictions.X[:, ::3]
    assert first["r"] == pytest.approx(r(x[1] - x[2], p[1] - p[2]))


def test_the_summary_is_of_medians(dataset, predictions):
    table = summarise(score_predictions(dataset, predictions, "scxpresso", {}))
    row = table[(table["level"] == "class") & (table["genes"] == "all")].iloc[0]
    assert row["lowest"] <= row["r"] <= row["highest"] and row["n_populations"] == 2


def folds():
    part = np.array([TEST, VALIDATION, TRAIN])[np.arange(N) % 3]
    return pd.DataFrame({"fold0": part})


def test_baselines_predict_what_they_read(dataset):
    """Targets made of a feature are told by features, of missing ones by the flags."""
    features, missing = dataset.varm["features"], np.isnan(dataset.varm["features"][:, 1])
    rng = np.random.default_rng(2)
    flagged = rng.random(N) < 0.5
    dataset.varm["features"] = np.where(
        np.column_stack([np.zeros(N, bool), flagged]), np.nan, np.nan_to_num(features)
    )
    dataset.X = np.vstack([features[:, 0]] * 2 + [flagged * 1.0] * 3).astype(np.float32)
    found = predict_baselines(dataset, folds(), 0, seed=1)
    assert list(found.var_names) == [f"g{i}" for i in range(0, N, 3)]
    assert missing.any()
    truth = dataset[:, found.var_names].X
    assert r(found.layers["features"][0], truth[0]) > 0.99
    assert r(found.layers["features"][2], truth[2]) > 0.99  # as the network, it reads flags too
    assert r(found.layers["flags"][2], truth[2]) > 0.99
    assert abs(r(found.layers["flags"][0], truth[0])) < 0.9
    assert found.X[0] == pytest.approx(dataset.X[0][np.arange(N) % 3 == 2].mean())


def test_kmers_and_features_together_tell_what_each_tells_a_part_of(dataset):
    codes, features = dataset.varm["codes"], np.nan_to_num(dataset.varm["features"])
    dataset.varm["features"] = features
    gc = np.isin(codes, (1, 2)).mean(axis=1)
    dataset.X = np.vstack([features[:, 0] + 3 * (gc - gc.mean()) / gc.std()] * 5).astype(np.float32)
    found = predict_baselines(dataset, folds(), 0, seed=1, k=1)
    truth = dataset[:, found.var_names].X[0]
    each = {name: r(found.layers[name][0], truth) for name in found.layers}
    assert set(each) == {"features", "kmer_ridge", "kmers_and_features"}
    assert each["kmers_and_features"] > 0.95
    assert each["kmers_and_features"] > max(each["features"], each["kmer_ridge"]) + 0.02


def test_baselines_without_features_or_flags_are_left_out(dataset):
    dataset.varm["features"] = np.zeros((N, 0), np.float32)
    assert list(predict_baselines(dataset, folds(), 0, seed=1).layers) == ["kmer_ridge"]


def test_features_are_scaled_by_training_genes_alone():
    features = np.array([[1.0, 5], [3, np.nan], [np.nan, 5], [100, 100]])
    train = np.array([0, 1, 2])
    scaled = standardised(features, train)
    assert scaled[:, 0].tolist() == [-1, 1, 0, 98]
    assert scaled[:3, 1].tolist() == [0, 0, 0]
    other = features.copy()
    other[3] = -7
    assert np.array_equal(standardised(other, train)[:3], scaled[:3])
