import numpy as np
import pytest
import torch

from cisgrammar.data.augmentation import augment, reverse_complement
from cisgrammar.data.draws import Draws
from cisgrammar.genome.sequence import N
from cisgrammar.genome.sequence import reverse_complement as of_arrays


def codes(n=50, length=20):
    return torch.from_numpy(np.random.default_rng(1).integers(0, 5, (n, length), dtype=np.uint8))


def readings(row, max_shift=3):
    """Every reading of a sequence: strand, shift."""
    found = {}
    for strand, bases in enumerate((row, of_arrays(row))):
        for shift in range(-max_shift, max_shift + 1):
            moved = np.full_like(bases, N)
            if shift >= 0:
                moved[shift:] = bases[: len(bases) - shift]
            else:
                moved[:shift] = bases[-shift:]
            found[moved.tobytes()] = strand, shift
    return found


def test_other_strand_is_that_of_arrays():
    assert (reverse_complement(codes()).numpy() == of_arrays(codes().numpy())).all()


@pytest.mark.parametrize("per_sequence", [True, False])
def test_each_result_is_a_reading_and_all_readings_come(per_sequence):
    draws, seen, at_once = Draws(torch.Generator().manual_seed(1)), set(), set()
    for _ in range(60):
        result = augment(codes(), draws, per_sequence=per_sequence)
        assert result.dtype == torch.uint8
        drawn = {
            readings(before)[after.tobytes()]
            for before, after in zip(codes().numpy(), result.numpy(), strict=True)
        }
        seen |= drawn
        at_once.add(len(drawn) > 1)
    assert len(seen) == 14
    assert at_once == {per_sequence}


def test_same_generator_same_readings():
    one, same, other = (
        augment(codes(), Draws(torch.Generator().manual_seed(s)), per_sequence=True)
        for s in (1, 1, 2)
    )
    assert torch.equal(one, same) and not torch.equal(one, other)
