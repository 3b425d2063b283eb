import numba
import numpy as np
import pandas as pd
import pytest

from cisgrammar.cells.map_sketch import nearest_in_sketch, sketch_rows
from cisgrammar.common.threads import set_threads


def noise(n, seed=0):
    return np.random.default_rng(seed).normal(size=(n, 5))


@pytest.mark.parametrize("size", [None, 10, 11])
def test_few_cells_are_all_in_the_sketch(size):
    rows = sketch_rows(noise(10), pd.Series(["one"] * 10), size, 3, seed=0)
    assert rows.tolist() == list(range(10))


def test_a_sketch_has_cells_of_every_batch():
    batches = pd.Series(["large"] * 9000 + ["small"] * 5 + ["tiny"] * 2)
    points = noise(len(batches))
    for seed in range(5):
        rows = sketch_rows(points, batches, 100, 3, seed)
        assert len(np.unique(rows)) == 100
        assert (np.diff(rows) > 0).all()
        sizes = batches[rows].value_counts()
        assert sizes["small"] >= 3
        assert sizes["tiny"] == 2
    one, same, other = (sketch_rows(points, batches, 100, 3, s).tolist() for s in (0, 0, 1))
    assert one == same != other


def test_many_batches_make_a_sketch_larger():
    batches = pd.Series(np.repeat(np.arange(20), 4).astype(str))
    assert len(sketch_rows(noise(80), batches, 30, 3, seed=0)) == 60


def test_of_a_rare_type_nearly_all_cells_are_drawn():
    points = noise(20_000)
    points[:60] += 12  # far from all others
    rows = sketch_rows(points, pd.Series(["one"] * 20_000), 4000, 3, seed=0)
    assert (rows < 60).sum() >= 0.8 * 60  # at random 12
    assert np.histogram(rows[rows >= 60], 10, (60, 20_000))[0] == pytest.approx(394, abs=80)


def test_cells_go_to_the_nearest_of_the_sketch():
    points = np.array([[0.0, 0], [10, 0], [1, 0], [10, 1], [0, 0]])
    assert nearest_in_sketch(points, np.array([0, 1]), seed=0).tolist() == [0, 1, 0, 1, 0]
    assert nearest_in_sketch(points, np.arange(5), seed=0).tolist() == [0, 1, 2, 3, 4]
    assert nearest_in_sketch(points, np.array([0, 4]), seed=0)[4] == 1  # itself, not its double


@pytest.mark.skipif(numba.config.NUMBA_NUM_THREADS < 2, reason="one processor")
def test_places_do_not_depend_on_threads():
    points, found = noise(8000), []
    for n_threads in (1, 2):
        set_threads(n_threads)
        rows = sketch_rows(points, pd.Series(["one"] * 8000), 4000, 3, seed=0)
        found.append(rows.tobytes() + nearest_in_sketch(points, rows, seed=0).tobytes())
    assert found[0] == found[1]
