import numpy as np
import pytest
from sklearn.datasets import make_blobs

from cisgrammar.embedding_metrics import (
    batch_mixing,
    cell_type_asw,
    cluster_to,
    compare_embeddings,
    label_score,
    neighbor_score,
)


def blobs(n=150, spread=0.3):
    centres = np.array([[0, 0, 0], [5, 0, 0], [0, 5, 0]])
    points, labels = make_blobs(n, centers=centres, cluster_std=spread, random_state=1)
    return points, np.array(list("ABC"))[labels]


def test_types_that_are_apart_score_best_and_noise_scores_chance():
    good, labels = blobs()
    noise = np.random.default_rng(1).normal(size=good.shape)
    table = compare_embeddings({"good": good, "noise": noise}, labels, independent=good, seed=1)
    table = table.set_index("embedding")
    assert table.loc["good", ["n_clusters", "ari", "ami", "homogeneity"]].tolist() == [3, 1, 1, 1]
    assert table.loc["good", "label_score_10"] == 1 and table.loc["good", "cell_type_asw"] > 0.9
    assert table.loc["good", "neighbor_score_10"] == 1
    assert abs(table.loc["noise", "ari"]) < 0.1
    assert table.loc["noise", "label_score_10"] == pytest.approx(1 / 3, abs=0.06)
    assert table.loc["noise", "cell_type_asw"] == pytest.approx(0.5, abs=0.05)
    assert table.loc["noise", "neighbor_score_50"] == pytest.approx(50 / 149, abs=0.1)


def test_neighbourhoods_of_all_cells_are_left_out():
    points, labels = blobs(60)
    table = compare_embeddings({"x": points}, labels, seed=1)
    assert "label_score_50" in table and "label_score_100" not in table
    assert "neighbor_score_10" not in table and "batch_mixing" not in table


def test_clusters_are_as_many_as_asked_for():
    points, _ = blobs(200, spread=1.5)
    for n in (2, 3, 5):
        assert len(set(cluster_to(points, n, 1))) == n


def test_scores_by_hand():
    line = np.array([[0.0], [1], [3], [6]])  # nearest: 1, 0, 1, 2
    assert label_score(line, list("aabb"), 1) == 0.75
    other = np.array([[0.0], [1], [1.5], [6]])  # nearest: 1, 2, 1, 2
    assert neighbor_score(line, other, 1) == 0.75
    assert cell_type_asw(np.array([[0.0], [0], [1], [1]]), list("aabb")) == 1


def test_mixing_of_batches_is_1_where_they_are_even_and_0_where_they_are_apart():
    points, labels = blobs(400, spread=1)
    even = np.array(["x", "y"])[np.random.default_rng(1).integers(0, 2, 400)]
    assert batch_mixing(points, even) > 0.9
    assert batch_mixing(10 * points, labels == "A", k=20) < 0.05
    assert np.isnan(batch_mixing(points, ["one"] * 400))
