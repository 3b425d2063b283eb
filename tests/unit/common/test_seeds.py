import pytest
from hypothesis import given
from hypothesis import strategies as st

from cisgrammar.common.seeds import derive_seed


def test_same_on_every_machine():
    # the first four bytes of SHA-256 of "1", 0x1f, "train", 0x1f, "0", halved
    assert derive_seed(1, "train", 0) == 2000413215


@given(st.integers(0), st.lists(st.text() | st.integers(), max_size=3))
def test_fits_every_random_generator(seed, keys):
    assert 0 <= derive_seed(seed, *keys) < 2**31


@pytest.mark.parametrize(
    "one, other",
    [
        ((1, "train", 0), (1, "train", 1)),
        ((1, "train", 0), (2, "train", 0)),
        ((1, "train", 0), (1, "tune", 0)),
        ((1, "fold", 1, 2), (1, "fold", 12)),
        ((1, 11), (11, 1)),
    ],
)
def test_uses_differ(one, other):
    assert derive_seed(*one) != derive_seed(*other)
