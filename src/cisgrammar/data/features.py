"""Plain features of sequences: k-mer counts, GC and CpG content."""

from __future__ import annotations

from itertools import product

import numba
import numpy as np
from scipy import sparse

from cisgrammar.genome.sequence import BASES, N

MAX_K = 10


def kmers(k: int, both_strands: bool = True) -> list[str]:
    """Name the columns of :func:`kmer_counts`, in alphabetical order.

    With both strands, a k-mer stands for its reverse complement too, and the
    alphabetically first of the two gives the name.

    Examples
    --------
    >>> kmers(1), kmers(1, both_strands=False)
    (['A', 'C'], ['A', 'C', 'G', 'T'])
    """
    words = ["".join(letters) for letters in product(BASES, repeat=k)]
    if not both_strands:
        return words
    columns = _columns(k, both_strands)
    return [words[i] for i in np.unique(columns, return_index=True)[1]]


def kmer_counts(
    codes: np.ndarray, k: int, both_strands: bool = True, bins: int = 1
) -> sparse.csr_matrix:
    """Count the k-mers of each sequence, or of each of its stretches.

    Parameters
    ----------
    codes
        Sequences, uint8 ``(n, length)``. A k-mer with an N is not counted.
    k
        1 to 10.
    both_strands
        Count a k-mer and its reverse complement together.
    bins
        Stretches of equal length (to one base) that are counted apart. A k-mer is
        counted in the stretch where it starts.

    Returns
    -------
    float32 ``(n, bins * k-mers)``, stretch by stretch; :func:`kmers` names the columns of each.

    Raises
    ------
    ValueError
        If ``k`` is out of range, or there is no bin.
    """
    if not 1 <= k <= MAX_K:
        raise ValueError(f"k is {k}; k-mers of 1 to {MAX_K} bases can be counted")
    if bins < 1:
        raise ValueError(f"bins is {bins}; there must be one or more")
    columns = _columns(k, both_strands)
    n_columns = int(columns.max()) + 1
    arrays = _count(np.ascontiguousarray(codes), k, columns, n_columns, bins)
    counts = sparse.csr_matrix(arrays, shape=(len(codes), bins * n_columns))
    counts.sort_indices()
    return counts


def composition(codes: np.ndarray) -> np.ndarray:
    """Share of G and C among the known bases, and of CpG among the known pairs.

    Parameters
    ----------
    codes
        Sequences, uint8 ``(n, length)``.

    Returns
    -------
    float64 ``(n, 2)``; 0 where nothing is known.
    """
    gc = (codes == 1) | (codes == 2)
    cpg = (codes[:, :-1] == 1) & (codes[:, 1:] == 2)
    known = codes != N
    pairs = known[:, :-1] & known[:, 1:]
    return np.stack(
        [
            gc.sum(axis=1) / np.maximum(known.sum(axis=1), 1),
            cpg.sum(axis=1) / np.maximum(pairs.sum(axis=1), 1),
        ],
        axis=1,
    )


def _columns(k: int, both_strands: bool) -> np.ndarray:
    """Column of each k-mer, the first base being the most significant digit: ``(4**k,)``."""
    numbers = np.arange(4**k)
    if not both_strands:
        return numbers
    reverse = np.zeros_like(numbers)
    rest = numbers.copy()
    for _ in range(k):
        reverse = reverse * 4 + 3 - rest % 4
        rest //= 4
    return np.unique(np.minimum(numbers, reverse), return_inverse=True)[1]


@numba.njit(cache=True)
def _count(
    codes: np.ndarray, k: int, columns: np.ndarray, n_columns: int, bins: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Count; return data, indices and pointers of a CSR matrix."""
    n, length = codes.shape
    tally = np.zeros(bins * n_columns, dtype=np.int32)
    seen = np.empty(max(length, 1), dtype=np.int32)
    pointers = np.zeros(n + 1, dtype=np.int64)
    size = max(n * max(min(length - k + 1, bins * n_columns), 1), 1)
    data, indices = np.empty(size, dtype=np.float32), np.empty(size, dtype=np.int32)
    filled = 0
    for i in range(n):
        word, known, n_seen = 0, 0, 0
        for j in range(length):
            known = known + 1 if codes[i, j] != N else 0
            word = (word * 4 + codes[i, j] % 4) % len(columns)
            if known >= k:
                column = (j - k + 1) * bins // length * n_columns + columns[word]
                if tally[column] == 0:
                    seen[n_seen] = column
                    n_seen += 1
                tally[column] += 1
        for j in range(n_seen):
            data[filled], indices[filled] = tally[seen[j]], seen[j]
            tally[seen[j]] = 0
            filled += 1
        pointers[i + 1] = filled
    return data[:filled].copy(), indices[:filled].copy(), pointers
