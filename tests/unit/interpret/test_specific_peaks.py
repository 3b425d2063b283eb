import numpy as np
from scipy import sparse

from cisgrammar.interpret.specific_peaks import specific_peaks


def test_each_type_gets_its_own_peaks_in_turn():
    rng = np.random.default_rng(1)
    chance = np.full((90, 20), 0.2)
    types = np.repeat(["a", "b", "c"], 30)
    chance[:30, 4] = chance[30:60, 7] = chance[60:, 2] = 0.9
    chance[30:60, 9] = 0.6
    is_open = sparse.csr_matrix(rng.random((90, 20)) < chance).astype(np.uint8)
    chosen = specific_peaks(is_open, types, 5)
    assert chosen[:3] == [(4, "a"), (7, "b"), (2, "c")]
    assert chosen[4] == (9, "b")
    assert len({row for row, _ in chosen}) == 5


def test_a_deeper_type_has_no_peaks_for_its_depth():
    """Type a has every peak open twice as often; peak 3 is open in b alone."""
    is_open = np.zeros((20, 6), dtype=np.uint8)
    is_open[:10] = 1
    is_open[10:15] = 1
    is_open[:10, 3], is_open[10:, 3] = 0, 1
    assert specific_peaks(sparse.csr_matrix(is_open), ["a"] * 10 + ["b"] * 10, 2)[1] == (3, "b")


def test_no_more_peaks_than_there_are():
    is_open = sparse.csr_matrix(np.eye(4, 3, dtype=np.uint8))
    assert len(specific_peaks(is_open, list("abab"), 100)) == 3
