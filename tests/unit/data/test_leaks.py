"""Overlapping windows and paralogues between the parts of a fold."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from cisgrammar.common.inputs import time_limit
from cisgrammar.data.leaks import LEAST_SHARED, K, count_leaks, overlapping, paralogue_pairs
from cisgrammar.genome.sequence import reverse_complement

LENGTH = 300


def places(chroms, starts):
    return pd.DataFrame({"chrom": list(chroms), "start": starts})


def random_codes(n, seed=0):
    return np.random.default_rng(seed).integers(0, 4, (n, LENGTH)).astype(np.uint8)


def test_windows_overlap_if_they_share_a_base():
    var = places("aaab", [0, 299, 599, 0])
    test = np.array([True, False, False, False])
    assert overlapping(var, LENGTH, test) == 1  # 0 to 300, and 299 to 599
    assert overlapping(var.assign(start=[0, 300, 599, 0]), LENGTH, test) == 0
    assert overlapping(var, LENGTH, np.array([True, True, False, False])) == 0


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 2000), st.booleans()), max_size=20))
def test_overlaps_are_those_of_all_pairs(rows):
    var = places([row[0] for row in rows], [row[1] for row in rows])
    test = np.array([row[2] for row in rows], dtype=bool)
    by_hand = sum(
        any(a == c and abs(s - t) < LENGTH for c, t, other in rows if not other)
        for a, s, tests in rows
        if tests
    )
    assert overlapping(var, LENGTH, test) == by_hand


def test_paralogues_share_a_stretch_on_either_strand():
    codes = random_codes(5)
    stretch = codes[0, 100 : 100 + K + LEAST_SHARED - 1]  # so many k-mers
    codes[1, 50 : 50 + len(stretch)] = stretch
    codes[2, 200 : 200 + len(stretch)] = reverse_complement(stretch)
    codes[3, 10 : len(stretch)] = stretch[5:-5]  # fewer
    var = places("abcde", [0] * 5)
    first, second = paralogue_pairs(var, codes)
    assert sorted(zip(first.tolist(), second.tolist(), strict=True)) == [(0, 1), (0, 2), (1, 2)]


def test_repeats_and_overlapping_windows_make_no_paralogues():
    codes = random_codes(12)
    codes[:, :100] = codes[0, :100]
    assert not len(paralogue_pairs(places("abcdefghijkl", [0] * 12), codes)[0])
    same = np.repeat(codes[:1], 2, axis=0)
    assert not len(paralogue_pairs(places("aa", [0, 10]), same)[0])
    assert len(paralogue_pairs(places("aa", [0, LENGTH]), same)[0]) == 1


def test_leaks_are_counted_for_each_fold():
    codes = random_codes(4)
    codes[3] = codes[0]
    var = places("aabc", [0, 100, 0, 0])
    parts = ["test", "train", "train", "validation"], ["train", "train", "test", "test"]
    folds = pd.DataFrame(dict(zip(["fold0", "fold1"], parts, strict=True)))
    table = count_leaks(var, codes, folds)
    assert table.to_numpy().tolist() == [[0, 1, 1, 1], [1, 2, 0, 1]]


def test_thirty_thousand_scaffolds_take_no_longer_each():
    var = places([f"scaffold{i}" for i in range(30_000)], 0)
    with time_limit(30, "too slow"):
        assert overlapping(var, LENGTH, np.arange(30_000) % 2 == 0) == 0
