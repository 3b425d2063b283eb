"""Shuffled sequences: by base, or keeping each pair of neighbours."""

from __future__ import annotations

import numba
import numpy as np

from cisgrammar.common.seeds import derive_seed
from cisgrammar.genome.sequence import N

_STEP = np.uint64(0x9E3779B97F4A7C15)


def shuffle_nucleotides(codes: np.ndarray, seed: int) -> np.ndarray:
    """Shuffle the bases of each sequence; N stays where it is.

    Parameters
    ----------
    codes
        Sequences, uint8 ``(n, length)``.
    seed
        The result depends on it and on a sequence's row, not on the threads.

    Returns
    -------
    A new array of the same shape, each row with the same bases.
    """
    shuffled = np.array(codes, dtype=np.uint8, order="C")
    _shuffle_bases(shuffled, np.uint64(derive_seed(seed, "shuffle_nucleotides")))
    return shuffled


def shuffle_dinucleotides(codes: np.ndarray, seed: int) -> np.ndarray:
    """Shuffle each sequence, keeping how often each pair of neighbours occurs.

    All sequences with the same pairs, first and last base are equally likely.
    N stays where it is, and each stretch between Ns is shuffled by itself.

    Parameters
    ----------
    codes
        Sequences, uint8 ``(n, length)``.
    seed
        The result depends on it and on a sequence's row, not on the threads.

    Returns
    -------
    A new array of the same shape, each row with the same pairs.

    Notes
    -----
    Altschul & Erickson (1985), "Significance of nucleotide sequence
    alignments": a random Eulerian path. A tree of last exits is drawn until it
    leads from every base to the last one; the other exits are shuffled.
    """
    shuffled = np.array(codes, dtype=np.uint8, order="C")
    _shuffle_pairs(shuffled, np.uint64(derive_seed(seed, "shuffle_dinucleotides")))
    return shuffled


@numba.njit(inline="always")
def _start(seed, row):  # types are inferred
    """Give each row its own generator; mixed twice, so that neighbours have nothing in common."""
    state = np.uint64(seed) * _STEP + np.uint64(row)
    return _mix(_mix(state))


@numba.njit(inline="always")
def _mix(state):  # types are inferred
    """Scramble 64 bits: the output function of SplitMix64 (Steele et al. 2014)."""
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


@numba.njit(inline="always")
def _below(state, n):  # types are inferred
    """Draw 0 to n - 1 from one state of the generator."""
    return np.int64(((_mix(state) >> np.uint64(32)) * np.uint64(n)) >> np.uint64(32))


@numba.njit(cache=True)
def _permute(values: np.ndarray, first: int, end: int, state: np.uint64) -> np.uint64:
    """Fisher-Yates in place on ``values[first:end]``; return the generator's next state."""
    for i in range(end - 1, first, -1):
        state += _STEP
        j = first + _below(state, i - first + 1)
        values[i], values[j] = values[j], values[i]
    return state


@numba.njit(parallel=True, cache=True)
def _shuffle_bases(codes: np.ndarray, seed: np.uint64) -> None:
    for row in numba.prange(len(codes)):
        where = np.flatnonzero(codes[row] != N)
        bases = codes[row][where]
        _permute(bases, 0, len(bases), _start(seed, row))
        for i in range(len(where)):
            codes[row, where[i]] = bases[i]


@numba.njit(parallel=True, cache=True)
def _shuffle_pairs(codes: np.ndarray, seed: np.uint64) -> None:
    length = codes.shape[1]
    for row in numba.prange(len(codes)):
        state = _start(seed, row)
        exits = np.empty(length, dtype=np.uint8)
        first = 0
        while first < length:
            if codes[row, first] == N:
                first += 1
                continue
            end = first
            while end < length and codes[row, end] != N:
                end += 1
            if end - first > 3:
                state = _eulerian_path(codes[row, first:end], exits, state)
            first = end


@numba.njit(cache=True)
def _eulerian_path(codes: np.ndarray, exits: np.ndarray, state: np.uint64) -> np.uint64:
    """Rewrite one stretch along a random path over its pairs; return the generator's state.

    ``exits`` is room for the bases that follow each A, then each C, G, T.
    """
    n = len(codes)
    begins = np.zeros(5, dtype=np.int64)
    for i in range(n - 1):
        begins[codes[i] + 1] += 1
    for base in range(4):
        begins[base + 1] += begins[base]
    filled = begins.copy()
    for i in range(n - 1):
        exits[filled[codes[i]]] = codes[i + 1]
        filled[codes[i]] += 1
    last = codes[n - 1]
    connected = False
    while not connected:
        for base in range(4):  # draw the exit to be taken last
            if base != last and begins[base + 1] > begins[base]:
                state += _STEP
                end = begins[base + 1] - 1
                j = begins[base] + _below(state, end - begins[base] + 1)
                exits[end], exits[j] = exits[j], exits[end]
        connected = True
        for base in range(4):
            at = base
            for _ in range(3):
                if at != last and begins[at + 1] > begins[at]:
                    at = exits[begins[at + 1] - 1]
            unused = begins[base + 1] == begins[base]
            connected = connected and (at == last or unused)
    for base in range(4):
        state = _permute(exits, begins[base], begins[base + 1] - (base != last), state)
    taken = begins.copy()
    for i in range(1, n):
        at = codes[i - 1]
        codes[i] = exits[taken[at]]
        taken[at] += 1
    return state
