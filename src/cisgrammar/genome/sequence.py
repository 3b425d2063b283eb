"""DNA as codes: uint8, A C G T = 0 1 2 3, anything unknown N = 4."""

from __future__ import annotations

import numpy as np

BASES = "ACGT"
N = 4

_CODE_OF_BYTE = np.full(256, 255, dtype=np.uint8)
for _letters, _code in (("Aa", 0), ("Cc", 1), ("Gg", 2), ("Tt", 3), ("Nn", N)):
    for _letter in _letters:
        _CODE_OF_BYTE[ord(_letter)] = _code
COMPLEMENT = np.array([3, 2, 1, 0, N], dtype=np.uint8)
_LETTERS = np.frombuffer(b"ACGTN", dtype=np.uint8)


def encode(sequence: str) -> np.ndarray:
    """Turn letters into codes.

    Parameters
    ----------
    sequence
        A, C, G, T and N in either case (lower case is soft-masking).

    Returns
    -------
    Codes, uint8 ``(len(sequence),)``.

    Raises
    ------
    ValueError
        If there is any other letter; the message names it and its position.

    Examples
    --------
    >>> encode("ACgtN").tolist()
    [0, 1, 2, 3, 4]
    """
    codes = _CODE_OF_BYTE[np.frombuffer(sequence.encode("latin-1", "replace"), dtype=np.uint8)]
    bad = np.flatnonzero(codes == 255)
    if bad.size:
        raise ValueError(
            f"{bad.size} letters other than A, C, G, T, N, "
            f"the first {sequence[bad[0]]!r} at position {bad[0] + 1}"
        )
    return codes


def letters_as_codes(letters: str) -> np.ndarray:
    """Turn letters of a genome into codes as :func:`encode` does, with N for all others.

    Examples
    --------
    >>> letters_as_codes("ARGT").tolist()
    [0, 4, 2, 3]
    """
    codes = _CODE_OF_BYTE[np.frombuffer(letters.encode("latin-1", "replace"), dtype=np.uint8)]
    return np.minimum(codes, N)


def decode(codes: np.ndarray) -> str:
    """Turn codes ``(length,)`` back into upper-case letters."""
    return _LETTERS[codes].tobytes().decode("ascii")


def reverse_complement(codes: np.ndarray) -> np.ndarray:
    """Read the other strand: ``(..., length)`` to the same shape."""
    return COMPLEMENT[codes[..., ::-1]]


def one_hot(codes: np.ndarray) -> np.ndarray:
    """Spell codes out, for small arrays and tests.

    Parameters
    ----------
    codes
        uint8 ``(..., length)``.

    Returns
    -------
    float32 ``(..., 4, length)``, rows A, C, G, T; N is 1/4 of each.
    """
    table = np.vstack([np.eye(4), np.full(4, 0.25)]).astype(np.float32)
    return np.moveaxis(table[codes], -1, -2)
