import numba
import numpy as np
import pytest
from scipy.spatial import cKDTree

from cisgrammar.cells.neighbours import approximate_neighbors


def clusters(n, seed=0, dimensions=10):
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(15, dimensions)) * 4
    points = centres[rng.integers(15, size=n)] + rng.normal(size=(n, dimensions))
    return points.astype(np.float32)


def test_few_points_are_all_compared():
    points = clusters(3000)
    rows, distances = approximate_neighbors(points, points[:500], 7, seed=0)
    exact, nearest = cKDTree(points).query(points[:500], 7)
    assert (rows == nearest).mean() > 0.999  # float32 may swap two that are as far
    np.testing.assert_allclose(distances, exact, atol=2e-3)
    assert (np.diff(distances) >= 0).all()


def test_most_neighbours_of_many_points_are_found():
    points = clusters(40_000)
    rows, _ = approximate_neighbors(points, points[:2000], 15, seed=0)
    exact = cKDTree(points).query(points[:2000], 15)[1]
    found = np.mean([len(set(a) & set(b)) / 15 for a, b in zip(rows, exact, strict=True)])
    assert found > 0.85


def test_points_in_one_place_come_by_row():
    rows, distances = approximate_neighbors(np.zeros((50, 3)), np.zeros((2, 3)), 4, seed=0)
    assert rows.tolist() == [[0, 1, 2, 3]] * 2
    assert not distances.any()


def test_many_points_in_one_place():
    """Their parts but one are empty."""
    points = np.zeros((20_000, 2), np.float32)
    rows, _ = approximate_neighbors(points, points[:3], 5, seed=0)
    assert rows.tolist() == [[0, 1, 2, 3, 4]] * 3


@pytest.mark.skipif(numba.config.NUMBA_NUM_THREADS < 2, reason="one processor")
def test_threads_change_nothing():
    points, found = clusters(12_000), []
    for n_threads in (1, 2):
        numba.set_num_threads(n_threads)
        found.append(approximate_neighbors(points, points, 5, seed=3))
    for one, two in zip(*found, strict=True):
        assert one.tobytes() == two.tobytes()
