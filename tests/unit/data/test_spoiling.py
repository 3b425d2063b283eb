from collections import Counter
from itertools import pairwise, permutations

import numba
import numpy as np
import pytest
from anndata import AnnData
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cisgrammar.data.spoiling import RETRAINED, permute_pools, spoil
from cisgrammar.genome.sequence import N, decode, encode
from cisgrammar.genome.shuffling import shuffle_dinucleotides, shuffle_nucleotides

SHUFFLES = [shuffle_nucleotides, shuffle_dinucleotides]


def pairs(sequence):
    return Counter(pairwise(sequence))


@settings(deadline=None)
@given(st.text("ACGTN", min_size=1, max_size=60), st.integers(0, 1000))
@example("NNNN", 0)
@example("CCCCC", 0)
def test_nucleotides_keep_their_numbers_and_n_its_place(sequence, seed):
    shuffled = decode(shuffle_nucleotides(encode(sequence)[None], seed)[0])
    assert Counter(shuffled) == Counter(sequence)
    assert [i for i, c in enumerate(shuffled) if c == "N"] == [
        i for i, c in enumerate(sequence) if c == "N"
    ]


@settings(deadline=None)
@given(st.text("ACGTN", min_size=1, max_size=60), st.integers(0, 1000))
@example("ACACACACACACACACACG", 0)
@example("NACGTNNACGTACGTN", 0)
def test_dinucleotides_keep_their_numbers_and_n_its_place(sequence, seed):
    shuffled = decode(shuffle_dinucleotides(encode(sequence)[None], seed)[0])
    assert pairs(shuffled) == pairs(sequence)
    assert shuffled[0] == sequence[0]
    assert [i for i, c in enumerate(shuffled) if c == "N"] == [
        i for i, c in enumerate(sequence) if c == "N"
    ]


@pytest.mark.parametrize(
    "shuffle, sequence, same",
    [
        (shuffle_nucleotides, "AACG", Counter),
        (shuffle_dinucleotides, "ACATCACTA", pairs),
        (shuffle_dinucleotides, "AAGACAGT", pairs),
    ],
)
def test_every_shuffle_is_equally_likely(shuffle, sequence, same):
    possible = {"".join(p) for p in permutations(sequence)}
    possible = {p for p in possible if same(p) == same(sequence)}
    n = 3000 * len(possible)
    found = Counter(map(decode, shuffle(np.tile(encode(sequence), (n, 1)), 0)))
    assert set(found) == possible
    assert len(possible) > 5
    assert all(abs(count - 3000) < 5 * 3000**0.5 for count in found.values())


@pytest.mark.parametrize("shuffle", SHUFFLES)
def test_a_shuffle_depends_on_seed_and_row_only(shuffle):
    codes = np.tile(np.random.default_rng(0).integers(0, 5, 200, dtype=np.uint8), (20, 1))
    kept = codes.copy()
    one = shuffle(codes, 1)
    assert (codes == kept).all()
    assert len({row.tobytes() for row in one}) == 20
    assert (shuffle(codes[:7], 1) == one[:7]).all()
    assert (shuffle(codes, 2) != one).any()
    before = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        assert (shuffle(codes, 1) == one).all()
    finally:
        numba.set_num_threads(before)


@pytest.mark.parametrize("shuffle", SHUFFLES)
def test_a_shuffle_leaves_no_base_where_it_was_more_often_than_chance(shuffle):
    codes = np.random.default_rng(0).integers(0, 4, (200, 500), dtype=np.uint8)
    assert (shuffle(codes, 0) == codes).mean() == pytest.approx(0.25, abs=0.01)
    assert (codes != N).all()


def test_pools_are_permuted_within_each_gene():
    targets = np.random.default_rng(0).normal(size=(50, 30)).astype(np.float32)
    permuted = permute_pools(targets, 0)
    assert (np.sort(permuted, axis=1) == np.sort(targets, axis=1)).all()
    assert (permuted == targets).mean() < 0.1
    same = permute_pools(np.tile(targets[0], (50, 1)), 0)
    assert len({row.tobytes() for row in same}) == 50
    assert (permute_pools(targets, 0) == permuted).all()
    assert (permute_pools(targets, 1) != permuted).any()


@pytest.mark.parametrize("control", RETRAINED)
def test_spoiling_changes_what_it_says_and_nothing_else(control):
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 4, (6, 40), dtype=np.uint8)
    values = rng.random((5, 6), dtype=np.float32)
    dataset = AnnData(values.copy(), varm={"codes": codes})
    spoiled = spoil(dataset, control, seed=1)
    same_codes = (spoiled.varm["codes"] == codes).all()
    same_values = (values == spoiled.X).all()
    assert (same_codes, same_values) == (control == "permuted_pools", control != "permuted_pools")
    np.testing.assert_array_equal(np.sort(spoiled.X, axis=0), np.sort(values, axis=0))
    assert (values == dataset.X).all()
    again = spoil(dataset, control, seed=1)
    assert (again.X == spoiled.X).all() and (again.varm["codes"] == spoiled.varm["codes"]).all()
