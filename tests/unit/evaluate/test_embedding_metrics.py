import runpy
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import make_blobs

from cisgrammar.evaluate.embedding_metrics import (
    cell_type_asw,
    cluster_to,
    compare_embeddings,
    harmonize,
    ilisi,
    kbet,
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
    assert "neighbor_score_10" not in table and "ilisi" not in table


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
    assert ilisi(points, even) > 0.9
    assert kbet(points, even) > 0.9
    assert ilisi(10 * points, labels == "A", perplexity=7) < 0.05
    assert kbet(10 * points, labels == "A") < 0.05
    table = compare_embeddings({"x": points}, labels, batches=even, seed=1)
    assert table["kbet"].item() == kbet(points, even)
    assert table["ilisi"].item() == ilisi(points, even)


def test_one_batch_has_no_mixing():
    points, _ = blobs(60)
    assert np.isnan(ilisi(points, ["one"] * 60))
    assert np.isnan(kbet(points, ["one"] * 60))


def test_kbet_by_hand():
    line = np.array([[0, 1, 2.1, 3.3, 4.6, 6, 7.5, 9.1]]).T
    # 2 of 4 are expected of each batch: (4, 0) has a chi-square of 4, p = .046; (3, 1) p = .32
    assert kbet(line, list("aaaabbbb"), k=4) == 3 / 8  # the three in the middle
    assert kbet(line, list("abababab"), k=4) == 1


def test_few_cells_have_smaller_neighbourhoods():
    points, _ = blobs(12)
    batches = list("ab") * 6
    assert 0 <= kbet(points, batches) <= 1
    assert np.isfinite(ilisi(points, batches))


# Made by `python benchmarks/scib_oracle.py` with scib-metrics 0.5.10 and harmony-pytorch 0.1.8:
# kBET, iLISI and silhouette of cell types, before and after correction by Harmony.
ORACLE = runpy.run_path(str(Path(__file__).parents[3] / "benchmarks/scib_oracle.py"))
BY_SCIB = {
    "mixed": (0.97, 0.70871305, 0.72964978),
    "shifted": (0.21222222, 0.43382120, 0.71502709),
    "apart": (0.0, 0.0, 0.62198687),
}
AFTER_HARMONY = {
    "mixed": (0.992, 0.731, 0.7311),
    "shifted": (0.984, 0.720, 0.7307),
    "apart": (0.848, 0.660, 0.7280),
}


@pytest.mark.parametrize("name", BY_SCIB)
def test_scores_are_those_of_scib_metrics(name):
    embedding, labels, batches = ORACLE["case"](ORACLE["EFFECTS"][name])
    expected_kbet, expected_ilisi, expected_asw = BY_SCIB[name]
    assert kbet(embedding, batches) == pytest.approx(expected_kbet, abs=1e-6)
    assert ilisi(embedding, batches) == pytest.approx(expected_ilisi, abs=0.005)
    assert cell_type_asw(embedding, labels) == pytest.approx(expected_asw, abs=1e-5)


@pytest.mark.parametrize("name", AFTER_HARMONY)
def test_harmony_mixes_batches_as_another_program_does(name):
    embedding, labels, batches = ORACLE["case"](ORACLE["EFFECTS"][name])
    corrected = harmonize(embedding, batches, seed=1)
    expected_kbet, expected_ilisi, expected_asw = AFTER_HARMONY[name]
    assert kbet(corrected, batches) == pytest.approx(expected_kbet, abs=0.1)
    assert ilisi(corrected, batches) == pytest.approx(expected_ilisi, abs=0.1)
    assert cell_type_asw(corrected, labels) == pytest.approx(expected_asw, abs=0.01)


def test_harmony_is_the_same_again_and_leaves_its_input_alone():
    embedding, _, batches = ORACLE["case"](1.0)
    before = embedding.copy()
    first, second = (harmonize(embedding, batches, seed=3) for _ in range(2))
    assert first.dtype == np.float32 and first.shape == embedding.shape
    assert (first == second).all() and (embedding == before).all()


def test_harmony_takes_few_cells():
    points, _ = blobs(12)
    assert np.isfinite(harmonize(points, list("ab") * 6, seed=1)).all()


def test_one_cell_type_has_no_silhouette():
    assert np.isnan(cell_type_asw(np.random.default_rng(0).normal(size=(9, 2)), ["a"] * 9))


def test_cells_without_types_are_not_scored_by_types():
    points = np.random.default_rng(0).normal(size=(60, 3))
    table = compare_embeddings({"one": points}, ["unlabelled"] * 60, independent=points, seed=1)
    assert table[["ari", "ami", "homogeneity", "label_score_10"]].isna().all(axis=None)
    assert table["neighbor_score_10"].item() == 1
