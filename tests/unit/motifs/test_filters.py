import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cisgrammar.genome.sequence import encode, reverse_complement
from cisgrammar.motifs.filters import count_windows, filter_motifs

FORWARD = np.zeros((11, 3), dtype=bool)


def codes_of(*sequences):
    return np.stack([encode(s) for s in sequences])


def test_windows_are_averaged_by_hand():
    codes = codes_of("ACGT", "ACGT", "TTTT", "GGCA")
    maxima = np.array([[1.0, 1], [2.0, -1], [0.5, 1], [0.0, 1]])
    positions = np.array([[0, 1], [0, 0], [1, 2], [0, 2]])
    motifs, table = filter_motifs(
        codes, maxima, positions, FORWARD[:4, :2], width=2, fold=3, min_sequences=2
    )
    assert [m.name for m in motifs] == ["3_0", "3_1"]
    # AC, AC, TT for filter 0 (a maximum of 0 does not excite); CG, TT, CA for filter 1
    np.testing.assert_allclose(motifs[0].matrix.T, np.array([[2, 0, 0, 1], [0, 2, 0, 1]]) / 3)
    np.testing.assert_allclose(motifs[1].matrix.T, np.array([[0, 2, 0, 1], [1, 0, 1, 1]]) / 3)
    assert table["n_sequences"].tolist() == [3, 3]
    assert table.columns.tolist() == [
        *("motif", "fold", "filter", "n_sequences", "information", "consensus")
    ]
    assert table["information"][0] == pytest.approx(2 * (2 - 0.9182958))
    assert table["consensus"].tolist() == ["WY", "YD"]


def test_more_than_min_sequences_are_needed_and_names_keep_the_filter_number():
    codes = np.tile(encode("ACGTA"), (11, 1))
    maxima = np.ones((11, 3))
    maxima[0, 0] = -1
    maxima[:, 1] = 0
    positions = np.zeros((11, 3), dtype=np.int32)
    motifs, table = filter_motifs(
        codes, maxima, positions, FORWARD[:11, :3], width=4, fold=0, min_sequences=10
    )
    assert [m.name for m in motifs] == ["0_2"]
    assert table["filter"].tolist() == [2]
    assert motifs[0].n_sites == 11


def test_unknown_bases_are_left_out():
    codes = codes_of("NA", "CA", "CN")
    motifs, _ = filter_motifs(
        codes, np.ones((3, 1)), np.zeros((3, 1), int), FORWARD[:3, :1], 2, 0, 1
    )
    np.testing.assert_allclose(motifs[0].matrix.T, np.array([[0, 1, 0, 0], [1, 0, 0, 0]]))
    unknown = codes_of("NA", "NA")
    motifs, _ = filter_motifs(
        unknown, np.ones((2, 1)), np.zeros((2, 1), int), FORWARD[:2, :1], 2, 0, 1
    )
    assert motifs[0].matrix[:, 0] == pytest.approx([0.25] * 4)


def test_no_excited_filter_gives_an_empty_table():
    none = -np.ones((1, 2))
    motifs, table = filter_motifs(
        codes_of("ACGT"), none, np.zeros((1, 2), int), FORWARD[:1, :2], 2, 0
    )
    assert motifs == [] and table.empty and "consensus" in table


@settings(max_examples=50)
@given(st.integers(0, 2**32 - 1))
def test_counts_agree_with_a_loop(seed):
    rng = np.random.default_rng(seed)
    n, length, filters, width = rng.integers(1, [9, 12, 5, 5])
    width = min(width, length)
    codes = rng.integers(0, 5, (n, length), dtype=np.uint8)
    active = rng.random((n, filters)) < 0.6
    positions = rng.integers(0, length - width + 1, (n, filters))
    reverse = rng.random((n, filters)) < 0.5
    expected = np.zeros((filters, 4, width), dtype=int)
    for s, f in zip(*np.nonzero(active), strict=True):
        window = codes[s, positions[s, f] : positions[s, f] + width]
        for offset, base in enumerate(reverse_complement(window) if reverse[s, f] else window):
            if base < 4:
                expected[f, base, offset] += 1
    assert np.array_equal(count_windows(codes, active, positions, reverse, width), expected)


@pytest.mark.parametrize("position", [-1, 3])
def test_windows_off_the_end_are_refused(position):
    with pytest.raises(ValueError, match="run off"):
        codes, active = codes_of("ACGT"), np.ones((1, 1), bool)
        count_windows(codes, active, np.array([[position]]), ~active, 2)


def test_disagreeing_shapes_are_refused():
    with pytest.raises(ValueError, match="disagree"):
        active = np.ones((2, 1), bool)
        count_windows(codes_of("ACGT"), active, np.zeros((2, 1), int), ~active, 2)
