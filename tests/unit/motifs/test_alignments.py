import numpy as np
import pytest

from cisgrammar.motifs.alignments import _longest_best, _lower_median, best_alignments


@pytest.mark.parametrize(
    "scores, offset, overlap",
    [
        ([[1, 3], [3, 2]], 0, 2),  # each of the three diagonals adds up to 3
        ([[0, 3], [3, 0]], -1, 1),  # two of one length: the one further left
        ([[0, 4], [3, 0]], 1, 1),
        ([[-1, -2], [-3, -1]], 0, 2),
        ([[-1, -2, 0]], 2, 1),
    ],
)
def test_highest_sum_then_longest_overlap_then_furthest_left(scores, offset, overlap):
    assert _longest_best(np.array(scores, dtype=float)) == (offset, overlap)


@pytest.mark.parametrize("values, median", [([3, 1, 2, 4], 2), ([5, 5, 5, 5], 5), ([0, 9], 0)])
def test_lower_median_by_hand(values, median):
    values = np.array(values, dtype=float)
    assert _lower_median(values, values.min(), values.max()) == median


def test_lower_median_is_that_of_sorting():
    values = -np.random.default_rng(0).random(5000)
    assert _lower_median(values, values.min(), values.max()) == np.sort(values)[2499]


def test_both_strands_are_aligned():
    """GATA lies on GATA as it is, and two to the right on the other strand of TATCGG."""
    bases = np.eye(4)
    gata, other = bases[[2, 0, 3, 0]].T, bases[[3, 0, 3, 1, 2, 2]].T
    rng = np.random.default_rng(0)
    targets = [gata, other, *(rng.dirichlet([1] * 4, 8).T for _ in range(30))]
    pairs = np.zeros(2, dtype=int), np.array([0, 1])
    offset, overlap = best_alignments([gata], targets, *pairs, n_threads=1)
    assert (offset[0, 0], overlap[0, 0]) == (0, 4)
    assert (offset[1, 1], overlap[1, 1]) == (2, 4)


def test_no_pairs_at_all():
    none = np.empty(0, dtype=int)
    offset, overlap = best_alignments([], [np.eye(4)], none, none)
    assert offset.shape == overlap.shape == (2, 0)
