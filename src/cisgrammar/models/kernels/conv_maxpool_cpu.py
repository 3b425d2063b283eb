"""`conv_maxpool` on CPU: look-ups in tables over words of DNA, compiled by numba.

A filter of width 12 is three words of 4 letters, so its score in a window is the sum of three
table entries instead of 48 products. The tables of a block of filters, one filter beside the other,
stay in cache while a chunk of sequences runs past them. They have 4^4 rows, and 5^4 where a batch
holds an N.

Work is split by filters and sequences into pieces that do not depend on the number of threads, and
every sum is made by one thread in one order: the same bytes on any number of threads.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from llvmlite import ir
from numba import get_num_threads, get_thread_id, njit, prange, types
from numba.core import cgutils
from numba.extending import intrinsic
from torch import Tensor

LANES = 16  # filters in one vector of AVX-512; LLVM splits it where vectors are shorter
VECTORS = 2
BLOCK = LANES * VECTORS  # filters side by side
LONGEST_WORD = 4  # 4^4 rows in use x 32 filters x 4 bytes: 32 KiB a table
CHUNK = 64  # sequences for which a block's tables are built once
ALIGNMENT = 64  # bytes: no look-up reads from two cache lines, which would halve the speed


def forward(
    codes: Tensor, weight: Tensor, rows: Tensor | None, precision: str = "fp32"
) -> tuple[Tensor, Tensor]:
    """Best windows in float32; see `cisgrammar.models.kernels.conv_maxpool.conv_maxpool`."""
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
    largest = _largest(codes.numpy(), chosen)
    if largest > 4:
        raise ValueError(f"code {largest}, but A C G T N = 0 1 2 3 4")
    base = 5 if largest == 4 else 4
    _spell(codes.numpy(), chosen, base, word, words)
    tables = _aligned_empty(get_num_threads(), n_words, base**word, BLOCK)
    weights = np.ascontiguousarray(weight.numpy())
    _scan(words, weights, word, tables, maxima, positions)
    not_finite = ~np.isfinite(weights).all(axis=(1, 2))
    maxima[:, not_finite], positions[:, not_finite] = np.nan, 0
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


def _aligned_empty(*shape: int) -> np.ndarray:
    """Make an empty float32 array that starts where a cache line does."""
    size = math.prod(shape)
    memory = np.empty(size + ALIGNMENT // 4, dtype=np.float32)
    start = -(memory.ctypes.data // 4) % (ALIGNMENT // 4)
    return memory[start : start + size].reshape(shape)


@njit(cache=True, parallel=True, nogil=True)
def _largest(codes, rows):
    """Find the largest code in some rows."""
    largest = 0
    for b in prange(len(rows)):
        largest = max(largest, codes[rows[b]].max())
    return largest


@njit(cache=True, parallel=True, nogil=True)
def _spell(codes, rows, base, word, words):
    """Give the word at each position its number; A follows the sequence's end."""
    length = codes.shape[1]
    for b in prange(len(rows)):
        sequence = codes[rows[b]]
        spelled = words[b]
        spelled[:] = sequence
        factor = 1
        for i in range(1, word):
            factor *= base
            for p in range(length - i):
                spelled[p] += sequence[p + i] * factor


@njit(cache=True, parallel=True, nogil=True)
def _scan(words, weight, word, scratch, maxima, positions):
    """Score all windows of `words` and keep each filter's best and its first position."""
    batch, length = words.shape
    n_filters, _, width = weight.shape
    n_words, n_rows = scratch.shape[1:3]
    n_blocks = (n_filters + BLOCK - 1) // BLOCK
    n_chunks = (batch + CHUNK - 1) // CHUNK
    for task in prange(n_blocks * n_chunks):
        first_filter = task // n_chunks * BLOCK
        first_row = task % n_chunks * CHUNK
        tables = scratch[get_thread_id()]  # one set per thread
        _fill_tables(weight[first_filter : first_filter + BLOCK], word, tables)
        best = np.empty(BLOCK, dtype=np.float32)
        where = np.empty(BLOCK, dtype=np.int32)
        to = (n_rows, tables.ctypes.data, best.ctypes.data, where.ctypes.data)
        for b in range(first_row, min(first_row + CHUNK, batch)):
            sequence = words[b].ctypes.data
            if n_words == 1:  # constants here let the compiler unroll
                _best_windows(sequence, length - width + 1, 1, word, *to)
            elif n_words == 2:
                _best_windows(sequence, length - width + 1, 2, word, *to)
            elif n_words == 3:
                _best_windows(sequence, length - width + 1, 3, word, *to)
            elif n_words == 4:
                _best_windows(sequence, length - width + 1, 4, word, *to)
            else:
                _best_windows(sequence, length - width + 1, n_words, word, *to)
            for j in range(min(BLOCK, n_filters - first_filter)):
                maxima[b, first_filter + j] = best[j]
                positions[b, first_filter + j] = where[j]


@intrinsic
def _best_windows(typing, words, n_windows, n_words, word, n_rows, tables, best, where):
    """Scan one sequence with one block of filters, all of it in vector registers.

    In Python, with addresses instead of arrays:

        for p in range(n_windows):
            score = sum(tables[t, words[p + t * word]] for t in range(n_words))
            better = score > best
            best = select(better, score, best)
            where = select(better, p, where)
    """
    float_vector = ir.VectorType(ir.FloatType(), LANES)
    int_vector = ir.VectorType(ir.IntType(32), LANES)
    signature = types.void(types.uintp, *[types.intp] * 4, *[types.uintp] * 3)

    def generate(context, builder, signature, arguments):
        words, n_windows, n_words, word, n_rows, tables, best, where = arguments
        index = n_windows.type
        words = builder.inttoptr(words, ir.IntType(16).as_pointer())
        tables = builder.inttoptr(tables, float_vector.as_pointer())
        score = [cgutils.alloca_once(builder, float_vector) for _ in range(VECTORS)]
        top = [cgutils.alloca_once(builder, float_vector) for _ in range(VECTORS)]
        first = [cgutils.alloca_once(builder, int_vector) for _ in range(VECTORS)]
        for v in range(VECTORS):
            builder.store(float_vector([float("-inf")] * LANES), top[v])
            builder.store(int_vector([0] * LANES), first[v])

        def look_up(p, t):
            spelled = builder.gep(words, [builder.add(p, builder.mul(t, word))])
            row = builder.zext(builder.load(spelled), index)
            row = builder.mul(builder.add(row, builder.mul(t, n_rows)), index(VECTORS))
            return [
                builder.load(builder.gep(tables, [builder.add(row, index(v))]), align=ALIGNMENT)
                for v in range(VECTORS)
            ]

        with cgutils.for_range(builder, n_windows) as windows:
            p = windows.index
            for v, entry in enumerate(look_up(p, index(0))):
                builder.store(entry, score[v])
            with cgutils.for_range_slice(builder, index(1), n_words, index(1), inc=True) as (t, _):
                for v, entry in enumerate(look_up(p, t)):
                    builder.store(builder.fadd(builder.load(score[v]), entry), score[v])
            lane = builder.insert_element(
                int_vector(ir.Undefined), builder.trunc(p, ir.IntType(32)), index(0)
            )
            here = builder.shuffle_vector(lane, int_vector(ir.Undefined), int_vector([0] * LANES))
            for v in range(VECTORS):
                challenger, champion = builder.load(score[v]), builder.load(top[v])
                better = builder.fcmp_ordered(">", challenger, champion)
                builder.store(builder.select(better, challenger, champion), top[v])
                builder.store(builder.select(better, here, builder.load(first[v])), first[v])
        for vectors, address, kind in ((top, best, float_vector), (first, where, int_vector)):
            start = builder.inttoptr(address, kind.as_pointer())
            for v in range(VECTORS):
                out = builder.gep(start, [index(v)])
                builder.store(builder.load(vectors[v]), out, align=4)
        return context.get_dummy_value()

    return signature, generate


@njit(cache=True, nogil=True)
def _fill_tables(weight, word, tables):
    """Sum the weights of every word, filters side by side: ``(n_words, base^word, BLOCK)``."""
    n_filters, _, width = weight.shape
    n_words, n_rows = tables.shape[:2]
    base = 4 if n_rows == 4**word else 5
    column = np.zeros((5, BLOCK), dtype=np.float32)
    for t in range(n_words):
        table = tables[t]
        table[0] = 0
        size = 1
        for place in range(t * word, (t + 1) * word):
            column[:] = 0  # past the filter's end, where the last word has letters of no weight
            if place < width:
                for j in range(n_filters):
                    for code in range(4):
                        column[code, j] = weight[j, code, place]
                        column[4, j] += weight[j, code, place] / np.float32(4)
            for code in range(base - 1, -1, -1):  # code 0 last: it overwrites what the others read
                _add(table[:size], column[code], table[code * size : (code + 1) * size])
            size *= base


@njit(cache=True, nogil=True)
def _add(rows, column, out):
    for r in range(len(rows)):
        for j in range(BLOCK):
            out[r, j] = rows[r, j] + column[j]


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
