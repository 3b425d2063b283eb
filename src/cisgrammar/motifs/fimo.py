"""Find instances of motifs in sequences, with FIMO's statistics.

A score is a sum of integers, one a column, so that its p-value is exact (by
dynamic programming) and the p-value threshold is one integer a motif. A scan
compares sums with that integer and leaves a window as soon as it cannot reach it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numba
import numpy as np
import pandas as pd
from scipy import sparse

from cisgrammar.common.progress import progress
from cisgrammar.genome.sequence import N, decode, reverse_complement
from cisgrammar.motifs.meme import Motif

PSEUDOCOUNT = 0.1  # sites, shared out by the background: FIMO's --motif-pseudo
SCORE_RANGE = 1000  # the largest integer of a column, as in FIMO
BLOCK_POSITIONS = 4_000_000  # positions scanned at once: bounds the memory of a scan

_WORD = 6  # columns whose score is one look-up; a table of 8 kB stays in cache
_TABLE = 4**_WORD
_NOTHING = (np.empty(0, dtype=np.int64), np.empty((0, 5), dtype=np.int64))  # list no hits


@dataclass(frozen=True)
class IntegerMotif:
    """A motif's log odds, scaled to integers.

    Parameters
    ----------
    scores
        Rows A, C, G, T: int32 ``(4, width)``, 0 to ``SCORE_RANGE``.
    scale, offset
        A sum ``s`` of scores is ``s / scale + width * offset`` bits.
    tail
        p-values: how probable a sum of at least 0, 1, ... is in a random window.
    threshold
        The smallest sum that is a hit.
    """

    scores: np.ndarray
    scale: float
    offset: float
    tail: np.ndarray
    threshold: int


def integer_motif(motif: Motif, threshold: float = 1e-4) -> IntegerMotif:
    """Scale a motif's log odds to integers, and find their exact p-values.

    Parameters
    ----------
    motif
        Probabilities; ``n_sites`` says how little a pseudocount weighs.
    threshold
        Largest p-value of a hit.

    Notes
    -----
    Grant, Bailey & Noble (2011), scaled as in the MEME Suite 5; the background
    is uniform. A motif so short or vague that no window reaches the p-value
    gets a threshold above every sum, and so no hits.
    """
    n_sites = max(motif.n_sites, 1)
    matrix = (motif.matrix * n_sites + PSEUDOCOUNT / 4) / (n_sites + PSEUDOCOUNT)
    log_odds = np.log2(matrix * 4)
    offset = np.floor(log_odds.min())
    scale = np.floor(SCORE_RANGE / max(log_odds.max() - offset, 1))
    scores = np.floor((log_odds - offset) * scale + 0.5).astype(np.int32)
    tail = _tail(scores)
    return IntegerMotif(scores, scale, offset, tail, int(np.argmax(tail <= threshold)))


def scan(
    codes: np.ndarray,
    motifs: Sequence[Motif],
    threshold: float = 1e-4,
    both_strands: bool = True,
) -> sparse.csr_matrix:
    """Score the best hit of each motif in each sequence.

    Parameters
    ----------
    codes
        Sequences, uint8 ``(n, length)``. No hit covers an N.
    motifs
        What to look for.
    threshold
        Largest p-value of a hit.
    both_strands
        Whether to look on the reverse complement too.

    Returns
    -------
    Log odds in bits of the best hit, 0 where there is none: float32
    ``(n, len(motifs))``, columns in the order of ``motifs``.
    """
    integer = [integer_motif(motif, threshold) for motif in motifs]
    scale, offset = _to_bits(integer)
    scanned = []
    for _, block in _blocks(codes):
        best, _ = _search(block, _words(block), *_flat(integer), both_strands, *_NOTHING)
        sequence, motif = np.nonzero(best.T >= 0)
        bits = best[motif, sequence] / scale[motif] + offset[motif]
        shape = (len(block), len(motifs))
        scanned.append(sparse.csr_matrix((bits.astype(np.float32), (sequence, motif)), shape))
    return sparse.vstack(scanned, format="csr")


def hits(
    codes: np.ndarray,
    names: Sequence[str],
    motifs: Sequence[Motif],
    threshold: float = 1e-4,
    both_strands: bool = True,
) -> pd.DataFrame:
    """List every hit, in the columns of FIMO's TSV.

    Parameters
    ----------
    codes, motifs, threshold, both_strands
        As in :func:`scan`.
    names
        Names of the ``n`` sequences.

    Returns
    -------
    ``motif_id``, ``motif_alt_id``, ``sequence_name``, ``start`` and ``stop``
    (1-based, both included, on the forward strand), ``strand``, ``score``
    (bits), ``p-value``, ``q-value``, ``matched_sequence``. In the order of
    motifs, then of p-values.

    Notes
    -----
    The q-value is Benjamini and Hochberg's over all windows of a motif. FIMO
    also estimates the share of true nulls, so its own can be a little smaller.
    All hits are held at once, at some 500 bytes each: for hundreds of thousands
    of sequences, list a few motifs at a time.
    """
    integer = [integer_motif(motif, threshold) for motif in motifs]
    found = np.concatenate(
        [_find(block, first, integer, both_strands) for first, block in _blocks(codes)]
    )
    motif, sequence, start, strand, score = found.T
    scale, offset = _to_bits(integer)
    width = np.array([i.scores.shape[1] for i in integer])[motif]
    tails = np.cumsum([0] + [len(i.tail) for i in integer])
    table = pd.DataFrame(
        {
            "motif_id": np.array([m.name for m in motifs], dtype=object)[motif],
            "motif_alt_id": np.array([m.alt for m in motifs], dtype=object)[motif],
            "sequence_name": np.asarray(names, dtype=object)[sequence],
            "start": start + 1,
            "stop": start + width,
            "strand": np.array(["+", "-"], dtype=object)[strand],
            "score": score / scale[motif] + offset[motif],
            "p-value": np.concatenate([i.tail for i in integer])[tails[motif] + score],
        }
    )
    windows = len(codes) * (codes.shape[1] - width + 1) * (1 + both_strands)
    table["q-value"] = _q_values(table["p-value"].to_numpy(), motif, windows)
    table["matched_sequence"] = [
        _matched(codes[i, first : first + size], on_reverse)
        for i, first, size, on_reverse in zip(sequence, start, width, strand, strict=True)
    ]
    order = np.lexsort((strand, start, sequence, table["p-value"], motif))
    return table.iloc[order].reset_index(drop=True)


def _find(
    codes: np.ndarray, first: int, integer: Sequence[IntegerMotif], both_strands: bool
) -> np.ndarray:
    """Motif, sequence (from ``first`` on), start, strand, sum of every hit: ``(hits, 5)``."""
    arguments = (codes, _words(codes), *_flat(integer), both_strands)
    _, counts = _search(*arguments, *_NOTHING)
    found = np.empty((counts.sum(), 5), dtype=np.int64)
    _search(*arguments, np.cumsum(counts) - counts, found)
    found[:, 1] += first
    return found


def _q_values(p_values: np.ndarray, motif: np.ndarray, windows: np.ndarray) -> np.ndarray:
    """Benjamini-Hochberg over the windows of each motif, most of which are not listed."""
    order = np.lexsort((p_values, motif))
    ranked = pd.Series(p_values[order] * windows[order])
    ranked /= ranked.groupby(motif[order]).cumcount() + 1
    smallest = ranked[::-1].groupby(motif[order][::-1]).cummin()[::-1]
    q_values = np.empty_like(p_values)
    q_values[order] = smallest.clip(upper=1)
    return q_values


def _matched(window: np.ndarray, on_reverse: int) -> str:
    return decode(reverse_complement(window) if on_reverse else window)


def _blocks(codes: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Yield some sequences at a time, after the index of the first of them."""
    size = max(BLOCK_POSITIONS // codes.shape[1], 1)
    for first in progress(range(0, len(codes), size), "blocks of sequences"):
        yield first, np.ascontiguousarray(codes[first : first + size])


def _to_bits(integer: Sequence[IntegerMotif]) -> tuple[np.ndarray, np.ndarray]:
    """Scale and offset of each motif's sums."""
    scale = np.array([motif.scale for motif in integer])
    return scale, np.array([motif.scores.shape[1] * motif.offset for motif in integer])


def _flat(integer: Sequence[IntegerMotif]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lay motifs out for the kernels: scores side by side, where each begins, thresholds."""
    scores = np.concatenate([motif.scores for motif in integer], axis=1)
    begins = np.cumsum([0] + [motif.scores.shape[1] for motif in integer])
    return scores, begins, np.array([motif.threshold for motif in integer])


@numba.njit(cache=True)
def _tail(scores: np.ndarray) -> np.ndarray:
    """Probability of a sum of at least 0, 1, ... over random windows; ends with 0."""
    n_bases, width = scores.shape
    highest = 0
    for column in range(width):
        highest += scores[:, column].max()
    old = np.zeros(highest + 2)
    old[0] = 1
    reached = 0
    for column in range(width):
        new = np.zeros_like(old)
        for total in range(reached + 1):
            if old[total] > 0:
                for base in range(n_bases):
                    new[total + scores[base, column]] += old[total] / 4
        reached += scores[:, column].max()
        old = new
    for total in range(highest, -1, -1):
        old[total] += old[total + 1]
    return old


@numba.njit(parallel=True, cache=True)
def _words(codes: np.ndarray) -> np.ndarray:
    """Give each position the number of the six bases from there on: uint16, as ``codes``.

    N and what is past the end count as A: a hit is checked for N, and no motif
    that fits in scores what is past the end.
    """
    n, length = codes.shape
    words = np.empty((n, length), dtype=np.uint16)
    for i in numba.prange(n):
        word = 0
        for j in range(length - 1, -1, -1):
            word = word * 4 % _TABLE + codes[i, j] % 4
            words[i, j] = word
    return words


@numba.njit(cache=True)
def _look_up_tables(
    scores: np.ndarray, threshold: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Tabulate the scores of six columns at a time, the most telling six first.

    Returns tables ``(n, 4**6)``, the column at which each begins, and the sum
    below which a window has lost after each.
    """
    width = scores.shape[1]
    n = (width + _WORD - 1) // _WORD
    gaps = np.zeros(n)
    tops = np.zeros(n, dtype=np.int64)
    for column in range(width):
        top = scores[:, column].max()
        tops[column // _WORD] += top
        gaps[column // _WORD] += top - scores[:, column].mean()
    order = np.argsort(-gaps, kind="mergesort")
    tables = np.zeros((n, _TABLE), dtype=np.int16)
    needed = np.empty(n, dtype=np.int64)
    still = tops.sum()
    for i in range(n):
        first = order[i] * _WORD
        still -= tops[order[i]]
        needed[i] = threshold - still
        for word in range(_TABLE):
            rest = word
            for column in range(first, min(first + _WORD, width)):
                tables[i, word] += scores[rest % 4, column]
                rest //= 4
    return tables, order * _WORD, needed


@numba.njit(cache=True)
def _hits_in(codes, words, width, tables, columns, needed, starts, sums):
    """Write where one motif hits one sequence, and its sums; return how many there are."""
    n = 0
    first, enough = tables[0], needed[0]
    for start in range(len(codes) - width + 1):
        starts[n] = start  # written over unless it may be a hit: no branch to mispredict
        n += first[words[start + columns[0]]] >= enough
    n_hits = 0
    for candidate in range(n):
        start = starts[candidate]
        total = first[words[start + columns[0]]] + 0
        lost = False
        for i in range(1, len(columns)):
            total += tables[i, words[start + columns[i]]]
            if total < needed[i]:
                lost = True
                break
        if not lost and not (codes[start : start + width] == N).any():
            starts[n_hits] = start
            sums[n_hits] = total
            n_hits += 1
    return n_hits


@numba.njit(parallel=True, cache=True)
def _search(
    codes: np.ndarray,
    words: np.ndarray,
    scores: np.ndarray,
    begins: np.ndarray,
    thresholds: np.ndarray,
    both_strands: bool,
    begin_rows: np.ndarray,
    found: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Search every motif in every sequence.

    Returns the best sum per motif and sequence, ``(motifs, n)``, -1 for none,
    and the number of hits per motif. Where ``found (hits, 5)`` has rows, writes
    motif, sequence, start, strand and sum of each hit; ``begin_rows`` says from which on.
    """
    n_sequences, length = words.shape
    n_motifs = len(thresholds)
    best = np.full((n_motifs, n_sequences), -1, dtype=np.int32)
    counts = np.zeros(n_motifs, dtype=np.int64)
    for motif in numba.prange(n_motifs):
        forward = scores[:, begins[motif] : begins[motif + 1]]
        width = forward.shape[1]
        starts, sums = np.empty(length, dtype=np.int64), np.empty(length, dtype=np.int64)
        n_hits = 0
        for strand in range(2 if both_strands else 1):
            matrix = forward if strand == 0 else forward[::-1, ::-1]
            tables, columns, needed = _look_up_tables(matrix, thresholds[motif])
            for i in range(n_sequences):
                n = _hits_in(codes[i], words[i], width, tables, columns, needed, starts, sums)
                for j in range(n):
                    best[motif, i] = max(best[motif, i], sums[j])
                    if len(found) > 0:
                        row = found[begin_rows[motif] + n_hits + j]
                        row[0], row[1], row[2] = motif, i, starts[j]
                        row[3], row[4] = strand, sums[j]
                n_hits += n
        counts[motif] = n_hits
    return best, counts
