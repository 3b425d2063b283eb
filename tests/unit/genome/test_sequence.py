import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cisgrammar.genome.sequence import decode, encode, one_hot, reverse_complement

DNA = st.text("ACGTN", max_size=50)


def test_encode_by_hand():
    codes = encode("ACGTNacgtn")
    assert codes.dtype == np.uint8
    assert codes.tolist() == [0, 1, 2, 3, 4] * 2


@given(DNA)
def test_decode_undoes_encode(sequence):
    assert decode(encode(sequence)) == sequence


@pytest.mark.parametrize(
    "sequence, letter, position, number",
    [("ACRT", "R", 3, 1), ("-A-", "-", 1, 2), ("AC U", " ", 3, 2), ("AΔC", "Δ", 2, 1)],
)
def test_other_letters_are_named_with_their_place(sequence, letter, position, number):
    with pytest.raises(ValueError, match=rf"{number} letters .*'{letter}' at position {position}$"):
        encode(sequence)


def test_reverse_complement_by_hand():
    assert decode(reverse_complement(encode("AACGTN"))) == "NACGTT"


@given(DNA)
def test_reverse_complement_twice_is_nothing(sequence):
    codes = encode(sequence)
    assert reverse_complement(reverse_complement(codes)).tolist() == codes.tolist()


def test_reverse_complement_of_many_is_that_of_each():
    codes = np.array([[0, 1, 2], [3, 3, 4]], dtype=np.uint8)
    assert reverse_complement(codes).tolist() == [[1, 2, 3], [4, 0, 0]]


def test_one_hot_by_hand():
    quarter = 0.25
    expected = [[1, 0, quarter], [0, 0, quarter], [0, 0, quarter], [0, 1, quarter]]
    spelled = one_hot(encode("ATN"))
    assert spelled.dtype == np.float32
    assert spelled.tolist() == expected
    assert one_hot(np.stack([encode("ATN")] * 2)).tolist() == [expected] * 2
