"""`conv_maxpool` on the processor: look-ups in tables over words of DNA, compiled by numba.

A filter of width 12 is three words of 4 letters, so its score in a window is the sum of three
table entries instead of 48 products. The tables of a block of filters, one filter beside the other,
stay in cache while a chunk of sequences runs past them. They have 5^4 rows, N included; rows that
no sequence asks for are never read again and so take no cache.

Work is split by filters and sequences into pieces that do not depend on the number of threads, and
every sum is made by one thread in one order: the same bytes on any number of threads.
"""

from __future__ import annotations

import numpy as np
import torch
from numba import njit, prange
from torch import Tensor

LONGEST_WORD = 4  # 5^4 rows x 16 filters x 4 bytes, of which 4^4 rows are in use: 16 KiB a table
BLOCK = 16  # filters side by side: one vector of AVX-512
CHUNK = 32  # sequences for which a block's tables are built once


def forward(codes: Tensor, weight: Tensor, rows: Tensor | None) -> tuple[Tensor, Tensor]:
    """Best windows; see `cisgrammar.models.conv_maxpool.conv_maxpool`."""
    chosen = np.arange(len(codes)) if rows is None else rows.numpy()
    if len(chosen) and not 0 <= chosen.min() <= chosen.max() < len(codes):
        raise ValueError(
            f"rows from {chosen.min()} to {chosen.max()} asked for, of {len(codes)} sequences"
        )
    n_filters, _, width = weight.shape
    n_words = -(-width // LONGEST_WORD)
    word = -(-width // n_words)
    words = np.empty((len(chosen), codes.shape[1]), dtype=np.uint16)
    maxima = np.empty((len(chosen), n_filters), dtype=np.float32)
    positions = np.empty(maxima.shape, np.uint16 if codes.shape[1] < 2**16 else np.int32)
    if _spell(codes.numpy(), chosen, word, words):
        raise ValueError("codes above 4 (A C G T N = 0 1 2 3 4)")
    _scan(words, np.ascontiguousarray(weight.numpy()), n_words, word, maxima, positions)
    return torch.from_numpy(maxima), torch.from_numpy(positions)


def backward(
    codes: Tensor, rows: Tensor | None, positions: Tensor, grad_maxima: Tensor, width: int
) -> Tensor:
    """Gradient of the weight ``(filters, 4, width)``: each maximum's, added to its window."""
    chosen = np.arange(len(codes)) if rows is None else rows.numpy()
    grad_weight = np.empty((positions.shape[1], 4, width), dtype=np.float32)
    _scatter(
        codes.numpy(), chosen, positions.numpy(), grad_maxima.contiguous().numpy(), grad_weight
    )
    return torch.from_numpy(grad_weight)


@njit(cache=True, parallel=True, nogil=True)
def _spell(codes, rows, word, words):
    """Give the word at each position a number, in base 5; A follows the sequence's end.

    Returns the number of sequences with codes that are none.
    """
    length = codes.shape[1]
    n_bad = 0
    for b in prange(len(rows)):
        sequence = codes[rows[b]]
        n_bad += sequence.max() > 4
        spelled = words[b]
        spelled[:] = sequence
        factor = 1
        for i in range(1, word):
            factor *= 5
            for p in range(length - i):
                spelled[p] += sequence[p + i] * factor
    return n_bad


@njit(cache=True, parallel=True, nogil=True)
def _scan(words, weight, n_words, word, maxima, positions):
    """Score all windows of `words` and keep each filter's best and its first position."""
    batch = len(words)
    n_filters, _, width = weight.shape
    n_blocks = (n_filters + BLOCK - 1) // BLOCK
    n_chunks = (batch + CHUNK - 1) // CHUNK
    for task in prange(n_blocks * n_chunks):
        first_filter = task // n_chunks * BLOCK
        first_row = task % n_chunks * CHUNK
        tables = _tables(weight[first_filter : first_filter + BLOCK], n_words, word)
        best = np.empty(BLOCK, dtype=np.float32)
        where = np.empty(BLOCK, dtype=np.int32)
        for b in range(first_row, min(first_row + CHUNK, batch)):
            _best_windows(words[b], tables, word, width, best, where)
            for j in range(min(BLOCK, n_filters - first_filter)):
                maxima[b, first_filter + j] = best[j]
                positions[b, first_filter + j] = where[j]
    for f in range(n_filters):
        if not np.isfinite(weight[f]).all():
            maxima[:, f] = np.nan
            positions[:, f] = 0


@njit(cache=True, nogil=True)
def _best_windows(words, tables, word, width, best, where):
    """Scan one sequence with one block of filters."""
    n_words = len(tables)
    best[:] = -np.inf
    where[:] = 0
    score = np.empty(BLOCK, dtype=np.float32)
    for p in range(len(words) - width + 1):
        row = tables[0, words[p]]
        for j in range(BLOCK):
            score[j] = row[j]
        for t in range(1, n_words):
            row = tables[t, words[p + t * word]]
            for j in range(BLOCK):
                score[j] += row[j]
        for j in range(BLOCK):
            better = score[j] > best[j]
            best[j] = score[j] if better else best[j]
            where[j] = p if better else where[j]


@njit(cache=True, nogil=True)
def _tables(weight, n_words, word):
    """Sum the weights of every word, filters side by side: ``(n_words, 5^word, BLOCK)``."""
    width = weight.shape[2]
    tables = np.zeros((n_words, 5**word, BLOCK), dtype=np.float32)
    column = np.zeros((5, BLOCK), dtype=np.float32)
    for t in range(n_words):
        size = 1
        for i in range(word):
            place = t * word + i
            column[:] = 0  # past the filter's end, where the last word has letters of no weight
            for j in range(len(weight) if place < width else 0):
                column[:4, j] = weight[j, :, place]
                column[4, j] = column[:4, j].sum() / np.float32(4)
            for code in range(4, -1, -1):  # downwards: code 0 overwrites what the others read
                for shorter in range(size):
                    for j in range(BLOCK):
                        longer = code * size + shorter
                        tables[t, longer, j] = tables[t, shorter, j] + column[code, j]
            size *= 5
    return tables


@njit(cache=True, parallel=True, nogil=True)
def _scatter(codes, rows, positions, grad_maxima, grad_weight):
    """Add each maximum's gradient to the letters of its window, sequence after sequence."""
    batch, n_filters = positions.shape
    width = grad_weight.shape[2]
    for f in prange(n_filters):
        by_code = np.zeros((width, 5), dtype=np.float32)
        for b in range(batch):
            row = rows[b]
            start = positions[b, f]
            for i in range(width):
                by_code[i, codes[row, start + i]] += grad_maxima[b, f]
        for i in range(width):
            for code in range(4):
                grad_weight[f, code, i] = by_code[i, code] + by_code[i, 4] / np.float32(4)
