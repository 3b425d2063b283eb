"""Other readings of the same sequence: the other strand, and a few bases to either side."""

from __future__ import annotations

import torch
from torch import Tensor

from cisgrammar.data.draws import Draws
from cisgrammar.genome.sequence import N


def augment(
    codes: Tensor, draws: Draws, *, max_shift: int = 3, per_sequence: bool = False
) -> Tensor:
    """Read sequences on a random strand, shifted by a random number of bases.

    Parameters
    ----------
    codes
        uint8 ``(batch, length)``.
    draws
        Of strand and shift.
    max_shift
        Shifts are drawn from ``-max_shift`` to ``max_shift``; positive ones move bases to the
        right. What comes in is N.
    per_sequence
        Draw strand and shift for each sequence, else once for the batch.

    Returns
    -------
    Codes of the same shape.

    Notes
    -----
    Yuan & Kelley (2022) in their code: one draw for a batch. N stands for 1/4 of each base, which
    is what their code pads with.
    """
    n = len(codes) if per_sequence else 1
    flip = draws.uniform(n) < 0.5
    shift = draws.integers(-max_shift, max_shift, n)
    codes = torch.where(flip[:, None], reverse_complement(codes), codes)
    return _moved(codes, shift, max_shift)


def shifted(codes: Tensor, draws: Draws, max_shift: int) -> Tensor:
    """Shift each sequence by a random number of bases, on its own strand.

    Parameters
    ----------
    codes
        uint8 ``(batch, length)``.
    draws, max_shift
        As for :func:`augment`.

    Returns
    -------
    Codes of the same shape.
    """
    return _moved(codes, draws.integers(-max_shift, max_shift, len(codes)), max_shift)


def _moved(codes: Tensor, shift: Tensor, max_shift: int) -> Tensor:
    """Move bases to the right by ``(batch,)`` or one number of places; what comes in is N."""
    padded = torch.nn.functional.pad(codes, (max_shift, max_shift), value=N)
    places = torch.arange(codes.shape[1], device=codes.device) + (max_shift - shift)[:, None]
    return padded.gather(1, places.expand(codes.shape))


def reverse_complement(codes: Tensor) -> Tensor:
    """Read the other strand of codes ``(..., length)``."""
    codes = codes.flip(-1)
    return torch.where(codes < N, 3 - codes, codes)
