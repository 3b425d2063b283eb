import numba
import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

from cisgrammar.common.files import read_h5ad, write_h5ad
from cisgrammar.evaluate.cell_kmers import predict_by_kmers, score_kmers

CELLS, PEAKS = 60, 240


@pytest.fixture
def case():
    """Peaks with GATTACA are open in cells of type A, the others in cells of type B."""
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 4, (PEAKS, 60), dtype=np.uint8)
    planted = np.arange(PEAKS) % 2 == 0
    codes[planted, 20:27] = [2, 0, 3, 3, 0, 1, 0]
    of_a = np.arange(CELLS) < CELLS // 2
    depth = rng.uniform(0.5, 1, (CELLS, 1))
    chance = depth * np.where(of_a[:, None] == planted, 0.8, 0.1)
    is_open = sparse.csr_matrix((rng.random((CELLS, PEAKS)) < chance).astype(np.uint8))
    obs = pd.DataFrame(
        {"cell_type": np.where(of_a, "A", "B"), "batch": "x"}, [f"cell{i}" for i in range(CELLS)]
    )
    names = [f"peak{i}" for i in range(PEAKS)]
    dataset = AnnData(is_open, obs, pd.DataFrame(index=names), varm={"codes": codes})
    parts = np.repeat(["train", "validation", "test"], [160, 40, 40])
    return dataset, pd.DataFrame({"chrom": "1", "fold0": parts}, index=names)


def test_what_k_mers_tell_is_predicted_in_each_cell(case):
    per_cell, per_peak = score_kmers(*case, fold=0, seed=1)
    assert per_cell["auroc"].mean() > 0.75 and per_peak["auroc"].mean() > 0.75  # of 0.85 or so
    assert per_cell["cell"].tolist() == case[0].obs_names.tolist()
    assert per_peak["peak"].tolist() == [f"peak{i}" for i in range(200, PEAKS)]


def test_where_sequences_tell_nothing_only_depth_remains(case):
    dataset, folds = case
    rng = np.random.default_rng(1)
    dataset.varm["codes"] = rng.integers(0, 4, (PEAKS, 60), dtype=np.uint8)
    per_cell, _ = score_kmers(dataset, folds, fold=0, seed=1)
    assert abs(per_cell["auroc"].mean() - 0.5) < 0.08


def test_test_peaks_are_not_looked_at(case):
    dataset, folds = case
    before = predict_by_kmers(dataset, folds, 0, 1)
    changed = dataset.X.tolil()
    changed[:, 200:] = 1
    dataset.X = changed.tocsr()
    for part, again in zip(before, predict_by_kmers(dataset, folds, 0, 1), strict=True):
        np.testing.assert_array_equal(part, again)


def test_the_same_bytes_on_one_thread_and_two(case):
    found = []
    for threads in (1, 2):
        numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))
        found.append(b"".join(part.tobytes() for part in predict_by_kmers(*case, 0, 1)))
    assert found[0] == found[1]


@pytest.mark.parametrize("backed", [False, True])
def test_of_many_cells_some_are_taken(case, tmp_path, monkeypatch, backed):
    dataset, folds = case
    expected = score_kmers(dataset[::3].copy(), folds, 0, 1)
    if backed:
        write_h5ad(dataset, tmp_path / "a.h5ad")
        dataset = read_h5ad(tmp_path / "a.h5ad", backed="r")
    monkeypatch.setattr("cisgrammar.evaluate.cell_kmers.MOST_CELLS", 25)
    found = score_kmers(dataset, folds, 0, 1)
    assert found[0]["cell"].tolist() == [f"cell{i}" for i in range(0, CELLS, 3)]
    for table, wanted in zip(found, expected, strict=True):
        pd.testing.assert_frame_equal(table, wanted)


def test_more_components_than_there_can_be(case):
    dataset, folds = case
    few = dataset[:5].copy()
    predicted, cells = predict_by_kmers(few, folds, 0, 1)
    assert predicted.shape == (40, 4) and cells.shape == (5, 4)
