import numba
import numpy as np
import pandas as pd
import pytest

from cisgrammar.cells.map_sketch import nearest_in_sketch, sketch_rows


@pytest.mark.parametrize("size", [None, 10, 11])
def test_few_cells_are_all_in_the_sketch(size):
    rows = sketch_rows(pd.Series(["one"] * 10), size, 3, seed=0)
    assert rows.tolist() == list(range(10))


def test_a_sketch_has_cells_of_every_batch():
    batches = pd.Series(["large"] * 9000 + ["small"] * 5 + ["tiny"] * 2)
    for seed in range(5):
        rows = sketch_rows(batches, 100, 3, seed)
        assert len(np.unique(rows)) == 100
        assert (np.diff(rows) > 0).all()
        sizes = batches[rows].value_counts()
        assert sizes["small"] >= 3
        assert sizes["tiny"] == 2
    assert sketch_rows(batches, 100, 3, 0).tolist() == sketch_rows(batches, 100, 3, 0).tolist()
    assert sketch_rows(batches, 100, 3, 0).tolist() != sketch_rows(batches, 100, 3, 1).tolist()


def test_many_batches_make_a_sketch_larger():
    batches = pd.Series(np.repeat(np.arange(20), 4).astype(str))
    assert len(sketch_rows(batches, 30, 3, seed=0)) == 60


def test_a_sketch_is_drawn_evenly():
    rows = sketch_rows(pd.Series(["one"] * 10_000), 1000, 3, seed=0)
    assert np.histogram(rows, 10, (0, 10_000))[0] == pytest.approx(100, abs=35)


def test_cells_go_to_the_nearest_of_the_sketch():
    points = np.array([[0.0, 0], [10, 0], [1, 0], [10, 1], [0, 0]])
    assert nearest_in_sketch(points, np.array([0, 1]), seed=0).tolist() == [0, 1, 0, 1, 0]
    assert nearest_in_sketch(points, np.arange(5), seed=0).tolist() == [0, 1, 2, 3, 4]
    assert nearest_in_sketch(points, np.array([0, 4]), seed=0)[4] == 1  # itself, not its double


@pytest.mark.skipif(numba.config.NUMBA_NUM_THREADS < 2, reason="one processor")
def test_places_do_not_depend_on_threads():
    points = np.random.default_rng(0).normal(size=(8000, 5))
    found = []
    for n_threads in (1, 2):
        numba.set_num_threads(n_threads)
        found.append(nearest_in_sketch(points, np.arange(0, 8000, 2), seed=0))
    assert found[0].tobytes() == found[1].tobytes()
