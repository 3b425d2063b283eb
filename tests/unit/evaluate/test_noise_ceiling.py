import numpy as np
import pytest
from scipy import sparse

from cisgrammar.evaluate.noise_ceiling import noise_ceiling
from cisgrammar.evaluate.scores import scores

SCORES = ["r2", "r", "centred_r2", "centred_r", "doubly_centred_r2", "doubly_centred_r"]


def pools(rng, n_pools=40, size=30, n_genes=200, depth=3.0, spread=1.0):
    """Cells of which each is in one pool; returns counts, members and the true means."""
    level = rng.normal(0, 1, (1, n_genes))
    means = depth * np.exp(level + rng.normal(0, spread, (n_pools, n_genes)))
    counts = rng.poisson(np.repeat(means, size, axis=0))
    return sparse.csr_matrix(counts), np.arange(n_pools * size).reshape(n_pools, size), means


def test_cells_that_are_alike_have_a_ceiling_of_one():
    members = np.arange(12).reshape(3, 4)
    counts = np.repeat([[1, 5, 9], [4, 0, 2], [7, 7, 0]], 4, axis=0)
    ceiling = noise_ceiling(sparse.csr_matrix(counts), members, 0)
    assert ceiling == pytest.approx(dict.fromkeys(SCORES, 1))


@pytest.mark.parametrize("depth, tolerance", [(3.0, 0.01), (0.3, 0.04)])
def test_the_ceiling_is_what_the_truth_scores(depth, tolerance):
    counts, members, means = pools(np.random.default_rng(0), depth=depth, spread=0.3)
    observed = np.log10(1 + counts.toarray().reshape(*members.shape, -1).sum(axis=1)).T
    truth = np.log10(1 + means.T * members.shape[1])
    ceiling, reached = noise_ceiling(counts, members, 0), scores(observed, truth)
    for score in ("r2", "centred_r", "doubly_centred_r"):
        assert ceiling[score] == pytest.approx(reached[score], abs=tolerance)


def test_pools_that_do_not_differ_have_a_centred_ceiling_near_zero():
    counts, members, _ = pools(np.random.default_rng(1), spread=0)
    ceiling = noise_ceiling(counts, members, 0)
    assert ceiling["r2"] > 0.95
    assert ceiling["centred_r2"] < 0.1


def test_pools_that_differ_in_depth_alone_have_a_doubly_centred_ceiling_near_zero():
    """Deep enough that the logarithm of a level times a depth is a sum of the two."""
    rng = np.random.default_rng(3)
    depths, levels = np.exp(rng.normal(0, 0.5, (40, 1))), 30 * np.exp(rng.normal(0, 1, (1, 200)))
    counts = rng.poisson(np.repeat(depths * levels, 30, axis=0))
    ceiling = noise_ceiling(sparse.csr_matrix(counts), np.arange(1200).reshape(40, 30), 0)
    assert ceiling["centred_r"] > 0.95
    assert ceiling["doubly_centred_r2"] < 0.1


def test_counts_that_do_not_vary_have_no_ceiling():
    ceiling = noise_ceiling(sparse.csr_matrix(np.ones((6, 4))), np.arange(6).reshape(2, 3), 0)
    assert np.isnan(list(ceiling.values())).all()


def test_the_split_follows_the_seed():
    counts, members, _ = pools(np.random.default_rng(2), n_pools=5, n_genes=10)
    assert noise_ceiling(counts, members, 1) == noise_ceiling(counts, members, 1)
    assert noise_ceiling(counts, members, 1) != noise_ceiling(counts, members, 2)


def test_single_cells_cannot_be_split():
    with pytest.raises(ValueError, match="halves"):
        noise_ceiling(sparse.eye(3).tocsr(), np.arange(3)[:, None], 0)
