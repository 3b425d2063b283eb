from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cisgrammar.data.features import composition, kmer_counts, kmers
from cisgrammar.genome.sequence import decode, encode, reverse_complement


@settings(deadline=None)
@given(st.text("ACGTN", min_size=1, max_size=40), st.integers(1, 4))
def test_counts_are_those_of_a_plain_loop(sequence, k):
    windows = Counter(sequence[i : i + k] for i in range(len(sequence) - k + 1))
    counts = kmer_counts(encode(sequence)[None], k, both_strands=False).toarray()[0]
    assert dict(zip(kmers(k, both_strands=False), counts, strict=True)) == {
        word: windows[word] for word in kmers(k, both_strands=False)
    }


@settings(deadline=None)
@given(st.text("ACGTN", min_size=1, max_size=40), st.integers(1, 4))
def test_both_strands_count_alike(sequence, k):
    codes = encode(sequence)
    both = kmer_counts(np.stack([codes, reverse_complement(codes)]), k).toarray()
    assert both[0].tolist() == both[1].tolist()
    assert both[0].sum() == kmer_counts(codes[None], k, both_strands=False).sum()


@pytest.mark.parametrize("k, n", [(1, 2), (2, 10), (3, 32), (6, 2080)])
def test_each_kmer_or_its_reverse_complement_has_a_column(k, n):
    names = kmers(k)
    assert len(names) == n == len(set(names))
    assert names == sorted(names)
    assert all(name <= decode(reverse_complement(encode(name))) for name in names)
    assert kmer_counts(encode("A" * 10)[None], k).shape == (1, n)


def test_columns_follow_the_names():
    counts = kmer_counts(encode("CCTTTAGG")[None], 3)
    found = {kmers(3)[j]: n for j, n in zip(counts.indices, counts.data, strict=True)}
    assert found == {"AGG": 2, "AAG": 1, "AAA": 1, "TAA": 1, "CTA": 1}


def test_bins_have_columns_of_their_own():
    # Halves of AACGT are AAC and GT: AA, AC and CG start in the first, GT in the second
    counts = kmer_counts(encode("AACGT")[None], 2, both_strands=False, bins=2).toarray()[0]
    names = [f"{word}{half}" for half in (0, 1) for word in kmers(2, both_strands=False)]
    found = {name: n for name, n in zip(names, counts, strict=True) if n}
    assert found == {"AA0": 1, "AC0": 1, "CG0": 1, "GT1": 1}
    both = kmer_counts(encode("AACGT")[None], 2, bins=2).toarray()[0]
    names = [f"{word}{half}" for half in (0, 1) for word in kmers(2)]
    found = {name: n for name, n in zip(names, both, strict=True) if n}
    assert found == {"AA0": 1, "AC0": 1, "CG0": 1, "AC1": 1}


@settings(deadline=None)
@given(st.text("ACGTN", min_size=1, max_size=40), st.integers(1, 3), st.integers(1, 12))
def test_bins_sum_to_the_whole(sequence, k, bins):
    codes = encode(sequence)[None]
    counts = kmer_counts(codes, k, bins=bins).toarray()
    whole = kmer_counts(codes, k).toarray()
    assert (counts.reshape(1, bins, -1).sum(axis=1) == whole).all()


def test_no_bin_is_refused():
    with pytest.raises(ValueError, match="bins is 0"):
        kmer_counts(encode("ACGT")[None], 2, bins=0)


@pytest.mark.parametrize("k", [0, 11])
def test_k_out_of_range_is_refused(k):
    with pytest.raises(ValueError, match="1 to 10"):
        kmer_counts(encode("ACGT")[None], k)


@pytest.mark.parametrize(
    "sequence, expected",
    [
        ("ACGT", [0.5, 1 / 3]),
        ("CGCGCG", [1, 3 / 5]),
        ("NNNN", [0, 0]),
        ("CNGC", [1, 0]),
        ("GGNNCG", [1, 1 / 2]),
    ],
)
def test_composition_by_hand(sequence, expected):
    assert composition(encode(sequence)[None])[0] == pytest.approx(expected)
