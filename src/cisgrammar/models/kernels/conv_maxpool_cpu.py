"""`conv_maxpool` on CPU: look-ups in tables over words of DNA, compiled by numba.

A filter of width 12 is three words of 4 letters, so its score in a window is the sum of three
table entries instead of 48 products. The tables of a block of filters, one filter beside the other,
stay in cache while a chunk of sequences runs past them. They have 4^4 rows, and 5^4 where a batch
holds an N. The other strand is the reverse complement of each sequence, run past the same tables.

Backward, a vector holds the places of a filter: a window adds its gradient to one of five such
vectors (A, C, G, T, N) in each place.

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

from cisgrammar.genome.sequence import COMPLEMENT
from cisgrammar.models.kernels.stretches import stretches

LANES = 16  # filters in one vector of AVX-512; LLVM splits it where vectors are shorter
VECTORS = 2
BLOCK = LANES * VECTORS  # filters side by side
LONGEST_WORD = 4  # 4^4 rows in use x 32 filters x 4 bytes: 32 KiB a table
CHUNK = 64  # sequences for which a block's tables are built once
ALIGNMENT = 64  # bytes: no look-up reads from two cache lines, which would halve the speed


def forward(
    codes: Tensor,
    weight: Tensor,
    rows: Tensor | None,
    precision: str = "fp32",
    strands: int = 1,
    bins: int = 1,
) -> tuple[Tensor, Tensor]:
    """Best windows in float32; see `cisgrammar.models.kernels.conv_maxpool.best_windows`."""
    chosen = np.arange(len(codes)) if rows is None else rows.numpy()
    if len(chosen) and not 0 <= chosen.min() <= chosen.max() < len(codes):
        raise ValueError(
            f"rows from {chosen.min()} to {chosen.max()} asked for, of {len(codes)} sequences"
        )
    n_filters, _, width = weight.shape
    length = codes.shape[1]
    n_words = -(-width // LONGEST_WORD)
    word = -(-width // n_words)
    words = np.empty((len(chosen), strands, length), dtype=np.uint16)
    maxima = np.empty((len(chosen), bins, n_filters), dtype=np.float32)
    windows = np.empty(maxima.shape, np.uint16 if strands * length < 2**16 else np.int32)
    largest = _largest(codes.numpy(), chosen)
    if largest > 4:
        raise ValueError(f"code {largest}, but A C G T N = 0 1 2 3 4")
    base = 5 if largest == 4 else 4
    spell(codes.numpy(), chosen, base, word, words)
    tables = aligned_empty(get_num_threads(), n_words, base**word, BLOCK)
    weights = np.ascontiguousarray(weight.numpy())
    edges = stretches(length - width + 1, bins)
    _scan(words, weights, word, edges, tables, maxima, windows)
    not_finite = ~np.isfinite(weights).all(axis=(1, 2))
    maxima[:, :, not_finite], windows[:, :, not_finite] = np.nan, 0
    return torch.from_numpy(maxima), torch.from_numpy(windows)


def backward(
    codes: Tensor, rows: Tensor | None, windows: Tensor, grad_maxima: Tensor, width: int
) -> Tensor:
    """Gradient of the weight ``(filters, 4, width)``: each maximum's, added to its window."""
    chosen = codes if rows is None else codes[rows]
    # a vector may reach past the last window
    padded = np.zeros((len(chosen), codes.shape[1] + LANES), dtype=np.uint8)
    padded[:, : codes.shape[1]] = chosen.numpy()
    grad_weight = np.empty((windows.shape[2], 4, width), dtype=np.float32)
    _scatter(
        padded,
        codes.shape[1],
        windows.shape[1],
        windows.flatten(0, 1).numpy(),  # (batch * bins, filters)
        grad_maxima.flatten(0, 1).numpy(),
        grad_weight,
    )
    return torch.from_numpy(grad_weight)


def aligned_empty(*shape: int) -> np.ndarray:
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
def spell(codes, rows, base, word, words):
    """Give the word at each position of each strand its number; A follows the strand's end."""
    batch, strands, length = words.shape
    for b in prange(batch):
        letters = codes[rows[b]].copy()
        for strand in range(strands):
            if strand == 1:
                letters = letters[::-1].copy()
                for p in range(length):
                    letters[p] = COMPLEMENT[letters[p]]
            spelled = words[b, strand]
            spelled[:] = letters
            factor = 1
            for i in range(1, word):
                factor *= base
                for p in range(length - i):
                    spelled[p] += letters[p + i] * factor


@njit(cache=True, parallel=True, nogil=True)
def _scan(words, weight, word, edges, scratch, maxima, windows):
    """Score all windows of `words` and keep each filter's first best one in each bin."""
    batch, strands, length = words.shape
    n_filters, _, width = weight.shape
    n_words, n_rows = scratch.shape[1:3]
    n_windows, bins = length - width + 1, maxima.shape[1]
    n_blocks = (n_filters + BLOCK - 1) // BLOCK
    n_chunks = (batch + CHUNK - 1) // CHUNK
    base = 4 if n_rows == 4**word else 5
    words_at, maxima_at, windows_at = words.ctypes.data, maxima.ctypes.data, windows.ctypes.data
    size = windows.itemsize
    for task in prange(n_blocks * n_chunks):
        first_filter = task // n_chunks * BLOCK
        first_row = task % n_chunks * CHUNK
        tables = scratch[get_thread_id()]  # one set per thread
        tables_at = tables.ctypes.data
        fill_tables(weight[first_filter : first_filter + BLOCK], base, word, tables)
        best = np.empty(BLOCK, dtype=np.float32)
        where = np.empty(BLOCK, dtype=np.int32)
        kept = (best.ctypes.data, where.ctypes.data)
        here = min(BLOCK, n_filters - first_filter)
        for b in range(first_row, min(first_row + CHUNK, batch)):
            for k in range(bins):
                out = (b * bins + k) * n_filters + first_filter
                if here == BLOCK:  # their cache lines come while the stretch is scanned
                    _prefetch(maxima_at + 4 * out, 4 * BLOCK)
                    _prefetch(windows_at + size * out, size * BLOCK)
                best[:] = -np.inf
                where[:] = 0
                start, stop = edges[k, 0], edges[k, 1]
                for strand in range(strands):
                    first = n_windows - stop if strand else start
                    sequence = words_at + 2 * ((b * strands + strand) * length + first)
                    stretch = (sequence, strand * n_windows + first, stop - start)
                    if n_words == 1:  # constants here let the compiler unroll
                        scan_windows(*stretch, 1, word, n_rows, tables_at, *kept)
                    elif n_words == 2:
                        scan_windows(*stretch, 2, word, n_rows, tables_at, *kept)
                    elif n_words == 3:
                        scan_windows(*stretch, 3, word, n_rows, tables_at, *kept)
                    elif n_words == 4:
                        scan_windows(*stretch, 4, word, n_rows, tables_at, *kept)
                    else:
                        scan_windows(*stretch, n_words, word, n_rows, tables_at, *kept)
                if here == BLOCK:
                    _store(*kept, maxima_at + 4 * out, windows_at + size * out, size)
                else:
                    for j in range(here):
                        maxima[b, k, first_filter + j] = best[j]
                        windows[b, k, first_filter + j] = where[j]


@intrinsic
def scan_windows(typing, words, number, n_windows, n_words, word, n_rows, tables, best, where):
    """Scan one stretch with one block of filters, all of it in vector registers.

    In Python, with addresses instead of arrays, where `number` is that of the first window:

        for p in range(n_windows):
            score = sum(tables[t, words[p + t * word]] for t in range(n_words))
            better = score > best
            best = select(better, score, best)
            where = select(better, number + p, where)
    """
    float_vector = ir.VectorType(ir.FloatType(), LANES)
    int_vector = ir.VectorType(ir.IntType(32), LANES)
    signature = types.void(types.uintp, *[types.intp] * 5, *[types.uintp] * 3)

    def generate(context, builder, signature, arguments):
        words, number, n_windows, n_words, word, n_rows, tables, best, where = arguments
        index = n_windows.type
        words = builder.inttoptr(words, ir.IntType(16).as_pointer())
        tables = builder.inttoptr(tables, float_vector.as_pointer())
        score = [cgutils.alloca_once(builder, float_vector) for _ in range(VECTORS)]
        top = [cgutils.alloca_once(builder, float_vector) for _ in range(VECTORS)]
        first = [cgutils.alloca_once(builder, int_vector) for _ in range(VECTORS)]
        champions = (
            (top, builder.inttoptr(best, float_vector.as_pointer())),
            (first, builder.inttoptr(where, int_vector.as_pointer())),
        )
        for vectors, memory in champions:
            for v in range(VECTORS):
                held = builder.load(builder.gep(memory, [index(v)]), align=4)
                builder.store(held, vectors[v])

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
                int_vector(ir.Undefined),
                builder.trunc(builder.add(number, p), ir.IntType(32)),
                index(0),
            )
            here = builder.shuffle_vector(lane, int_vector(ir.Undefined), int_vector([0] * LANES))
            for v in range(VECTORS):
                challenger, champion = builder.load(score[v]), builder.load(top[v])
                better = builder.fcmp_ordered(">", challenger, champion)
                builder.store(builder.select(better, challenger, champion), top[v])
                builder.store(builder.select(better, here, builder.load(first[v])), first[v])
        for vectors, memory in champions:
            for v in range(VECTORS):
                builder.store(builder.load(vectors[v]), builder.gep(memory, [index(v)]), align=4)
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def _prefetch(typing, address, size):
    """Ask for the cache lines of some bytes that will be written."""
    signature = types.void(types.uintp, types.intp)

    def generate(context, builder, signature, arguments):
        address, size = arguments
        byte, flag = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, flag, flag, flag])
        fetch = builder.module.declare_intrinsic("llvm.prefetch", [byte], kind)

        def ask(offset):
            place = builder.inttoptr(builder.add(address, offset), byte)
            builder.call(fetch, [place, flag(1), flag(3), flag(1)])

        zero, line = size.type(0), size.type(ALIGNMENT)
        with cgutils.for_range_slice(builder, zero, size, line, inc=True) as (offset, _):
            ask(offset)
        ask(builder.sub(size, size.type(1)))
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def _store(typing, best, where, maxima, windows, size):
    """Copy a block of results from `best` and `where` to their arrays; `size` is of an integer."""
    signature = types.void(*[types.uintp] * 4, types.intp)

    def generate(context, builder, signature, arguments):
        best, where, maxima, windows, size = arguments
        index = size.type
        floats = ir.VectorType(ir.FloatType(), BLOCK)
        ints, shorts = (ir.VectorType(ir.IntType(bits), BLOCK) for bits in (32, 16))

        def load(address, kind):
            return builder.load(builder.inttoptr(address, kind.as_pointer()), align=4)

        def store(value, address, align):
            pointer = builder.inttoptr(address, value.type.as_pointer())
            builder.store(value, pointer, align=align)

        store(load(best, floats), maxima, 4)
        numbers = load(where, ints)
        with builder.if_else(builder.icmp_signed("==", size, index(2))) as (short, long):
            with short:
                store(builder.trunc(numbers, shorts), windows, 2)
            with long:
                store(numbers, windows, 4)
        return context.get_dummy_value()

    return signature, generate


@njit(cache=True, nogil=True)
def fill_tables(weight, base, word, tables):
    """Sum the weights of every word, filters side by side: ``(n_words, base^word, BLOCK)``.

    In base 6, code 5 is nothing and weighs 0.
    """
    n_filters, _, width = weight.shape
    n_words = len(tables)
    column = np.zeros((6, BLOCK), dtype=np.float32)
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
def _scatter(codes, length, bins, windows, grad_maxima, grad_weight):
    """Add each maximum's gradient to the letters of its window, sequence after sequence."""
    n_filters = windows.shape[1]
    width = grad_weight.shape[2]
    n_windows = length - width + 1
    n_vectors = (width + LANES - 1) // LANES
    codes_at = codes.ctypes.data
    for block in prange((n_filters + LANES - 1) // LANES):
        first_filter = block * LANES
        here = min(LANES, n_filters - first_filter)
        sums = np.zeros((here, 2, n_vectors, 5, LANES), dtype=np.float32)  # strand, letter, place
        sums_at = sums.ctypes.data
        sequences, starts = np.empty(CHUNK, dtype=np.intp), np.empty(CHUNK, dtype=np.intp)
        grads = np.empty(CHUNK, dtype=np.float32)
        starts_at, grads_at = starts.ctypes.data, grads.ctypes.data
        for first in range(0, len(windows), CHUNK):  # maxima that stay in cache
            n = min(CHUNK, len(windows) - first)
            for i in range(n):
                sequences[i] = codes_at + (first + i) // bins * codes.shape[1]
            for j in range(here):
                ahead, back = 0, n  # forward strand from the left, reverse from the right
                for i in range(n):
                    start = np.intp(windows[first + i, first_filter + j])
                    reverse = start >= n_windows
                    start = 2 * n_windows - 1 - start if reverse else start
                    back -= reverse
                    to = back if reverse else ahead
                    ahead += not reverse
                    starts[to] = sequences[i] + start
                    grads[to] = grad_maxima[first + i, first_filter + j]
                for v in range(n_vectors):
                    out = sums_at + (j * 2 * n_vectors + v) * 5 * LANES * 4
                    _add_windows(starts_at, LANES * v, grads_at, ahead, out)
                    out += n_vectors * 5 * LANES * 4
                    _add_windows(
                        starts_at + 8 * ahead, LANES * v, grads_at + 4 * ahead, n - ahead, out
                    )
        for j in range(here):
            for i in range(width):
                v, lane = i // LANES, i % LANES
                w, mirrored = (width - 1 - i) // LANES, (width - 1 - i) % LANES
                for code in range(4):
                    ahead = sums[j, 0, v, code, lane] + sums[j, 0, v, 4, lane] / np.float32(4)
                    back = sums[j, 1, w, COMPLEMENT[code], mirrored]
                    back += sums[j, 1, w, 4, mirrored] / np.float32(4)
                    grad_weight[first_filter + j, code, i] = ahead + back


@intrinsic
def _add_windows(typing, starts, offset, grads, n, sums):
    """Add gradients to letters of windows, a vector of places at once.

    In Python, with addresses instead of arrays:

        for i in range(n):
            letters = codes[starts[i] + offset : ... + LANES]
            for code in range(5):
                sums[code] = select(letters == code, sums[code] + grads[i], sums[code])
    """
    float_vector = ir.VectorType(ir.FloatType(), LANES)
    byte_vector = ir.VectorType(ir.IntType(8), LANES)
    lanes = ir.VectorType(ir.IntType(32), LANES)([0] * LANES)
    signature = types.void(types.uintp, types.intp, types.uintp, types.intp, types.uintp)

    def generate(context, builder, signature, arguments):
        starts, offset, grads, n, sums = arguments
        index = n.type
        starts = builder.inttoptr(starts, index.as_pointer())
        grads = builder.inttoptr(grads, ir.FloatType().as_pointer())
        sums = builder.inttoptr(sums, float_vector.as_pointer())
        kept = [cgutils.alloca_once(builder, float_vector) for _ in range(5)]
        for code in range(5):
            held = builder.load(builder.gep(sums, [index(code)]), align=4)
            builder.store(held, kept[code])
        with cgutils.for_range(builder, n) as windows:
            start = builder.add(builder.load(builder.gep(starts, [windows.index])), offset)
            letters = builder.load(builder.inttoptr(start, byte_vector.as_pointer()), align=1)
            grad = builder.load(builder.gep(grads, [windows.index]))
            grad = builder.insert_element(float_vector(ir.Undefined), grad, index(0))
            grad = builder.shuffle_vector(grad, float_vector(ir.Undefined), lanes)
            for code in range(5):
                same = builder.icmp_unsigned("==", letters, byte_vector([code] * LANES))
                before = builder.load(kept[code])
                builder.store(builder.select(same, builder.fadd(before, grad), before), kept[code])
        for code in range(5):
            builder.store(builder.load(kept[code]), builder.gep(sums, [index(code)]), align=4)
        return context.get_dummy_value()

    return signature, generate
