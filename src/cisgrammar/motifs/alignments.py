"""Where two motifs lie on each other: Tomtom's best alignment, its ties broken as MEME does.

memelite gives p-values that depend on the score alone, and of several alignments with that score
whichever its scan leaves over. MEME takes the longest.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numba
import numpy as np

from cisgrammar.motifs.meme import reverse_complement

SCORE_BINS = 100  # MEME's, and memelite's by default
_MEDIAN_BINS = 1024  # any number will do: what is in the bin of the median is sorted


def best_alignments(
    queries: Sequence[np.ndarray],
    targets: Sequence[np.ndarray],
    query: np.ndarray,
    target: np.ndarray,
    n_threads: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Align pairs of motifs, in both orientations of the target.

    Parameters
    ----------
    queries
        Probabilities ``(4, width)``, pseudocounts added.
    targets
        All of the database, likewise: their columns say what the median is.
    query, target
        The pairs, as numbers of the above, sorted by query: ``(pairs,)``.
    n_threads
        Threads to use; what numba is set to by default.

    Returns
    -------
    offset
        How far the query is shifted right along the target: ``(2, pairs)``, forward and reverse.
    overlap
        Positions on each other, same shape.

    Notes
    -----
    tomtom.c: column scores are negative Euclidean distances less their median over the
    database, rounded to integers; the highest sum wins, then the longest overlap, then
    the alignment furthest left.
    """
    reverse = [np.ascontiguousarray(reverse_complement(matrix)) for matrix in targets]
    columns = np.hstack([*targets, *reverse])
    starts = np.cumsum([0, *(matrix.shape[1] for matrix in targets)])
    wanted, first = np.unique(query, return_index=True)
    pairs = np.append(first, len(query))
    matrices = [queries[i] for i in wanted]
    ends = np.cumsum([0, *(matrix.shape[1] for matrix in matrices)])
    aligned = np.zeros((2, 2, len(query)), dtype=np.int64)
    if not matrices:
        return aligned[0], aligned[1]
    before = numba.get_num_threads()
    numba.set_num_threads(n_threads or before)
    try:
        _align_all(np.hstack(matrices), ends, columns, starts, pairs, target, aligned)
    finally:
        numba.set_num_threads(before)
    return aligned[0], aligned[1]


@numba.njit(parallel=True, cache=True)
def _align_all(queries, ends, columns, starts, pairs, target, aligned):  # type: ignore[no-untyped-def]
    half = starts[-1]
    for i in numba.prange(len(ends) - 1):
        query = np.ascontiguousarray(queries[:, ends[i] : ends[i + 1]])
        medians, floor, scale = _scaling(query, columns)
        for pair in range(pairs[i], pairs[i + 1]):
            a, b = starts[target[pair]], starts[target[pair] + 1]
            for strand in range(2):
                scores = _scores(query, columns[:, a + strand * half : b + strand * half])
                for row in range(len(scores)):
                    for j in range(scores.shape[1]):
                        score = scores[row, j] - medians[row]
                        scores[row, j] = math.floor((score - floor) * scale + 0.5) + floor * scale
                aligned[0, strand, pair], aligned[1, strand, pair] = _longest_best(scores)


@numba.njit(cache=True)
def _scores(query, columns):  # type: ignore[no-untyped-def]
    scores = np.empty((query.shape[1], columns.shape[1]))
    for row in range(query.shape[1]):
        x0, x1, x2, x3 = query[0, row], query[1, row], query[2, row], query[3, row]
        for j in range(columns.shape[1]):
            scores[row, j] = -math.sqrt(
                (x0 - columns[0, j]) ** 2
                + (x1 - columns[1, j]) ** 2
                + (x2 - columns[2, j]) ** 2
                + (x3 - columns[3, j]) ** 2
            )
    return scores


@numba.njit(cache=True)
def _scaling(query, columns):  # type: ignore[no-untyped-def]
    """Median score of each query column; lowest score, rounded down; bins per unit of score."""
    scores = _scores(query, columns)
    medians = np.empty(len(scores))
    low, high = np.inf, -np.inf
    for row in range(len(scores)):
        lowest, highest = scores[row].min(), scores[row].max()
        medians[row] = _lower_median(scores[row], lowest, highest)
        low, high = min(low, lowest - medians[row]), max(high, highest - medians[row])
    floor = math.floor(low)
    return medians, floor, math.floor(SCORE_BINS / max(high - floor, 1.0))


@numba.njit(cache=True)
def _lower_median(values, low, high):  # type: ignore[no-untyped-def]
    """Find the value of rank n/2; the number of columns is even, one for each strand."""
    if high == low:
        return low
    per_unit = (_MEDIAN_BINS - 1) / (high - low)
    counts = np.zeros(_MEDIAN_BINS, dtype=np.int64)
    for value in values:
        counts[int((value - low) * per_unit)] += 1
    rank, before, chosen = len(values) // 2, 0, 0
    while before + counts[chosen] < rank:
        before += counts[chosen]
        chosen += 1
    inside = np.empty(counts[chosen])
    n = 0
    for value in values:
        if int((value - low) * per_unit) == chosen:
            inside[n] = value
            n += 1
    return np.sort(inside)[rank - before - 1]


@numba.njit(cache=True)
def _longest_best(scores):  # type: ignore[no-untyped-def]
    """Offset and overlap of the diagonal of the highest sum, of equals the longest."""
    n_query, n_target = scores.shape
    best, best_offset, best_overlap = -np.inf, 0, 0
    for offset in range(1 - n_query, n_target):
        first, last = max(0, -offset), min(n_query, n_target - offset)
        total = 0.0
        for row in range(first, last):
            total += scores[row, row + offset]
        if total > best or (total == best and last - first > best_overlap):
            best, best_offset, best_overlap = total, offset, last - first
    return best_offset, best_overlap
