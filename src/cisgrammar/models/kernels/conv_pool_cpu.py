"""`conv_pool` on CPU, compiled by numba; see `cisgrammar.models.kernels.conv_pool`.

Work is split into pieces that do not depend on the number of threads, and every sum is made by one
thread in one order: the same bytes on any number of threads.
"""

from __future__ import annotations

import numpy as np
import torch
from numba import get_num_threads, get_thread_id, njit, prange
from torch import Tensor

from cisgrammar.models.kernels.conv_maxpool_cpu import (
    BLOCK,
    LONGEST_WORD,
    aligned_empty,
    fill_tables,
    scan_windows,
    spell,
)

NOTHING = 5  # the code of what is padded
BASE = 6  # A, C, G, T, N, nothing
CHUNK = 16  # sequences that are multiplied at once: what they give stays in cache
SHARE = 16  # sequences whose gradient of the weights is one sum


def of_codes(
    codes: Tensor, weight: Tensor, bias: Tensor, pool: int, padding: int, pool_padding: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Give the pooled values, the place of each in its pool, and the words of DNA."""
    largest = int(codes.max()) if codes.numel() else 0
    if largest > NOTHING:
        raise ValueError(f"code {largest}, but A C G T N = 0 1 2 3 4")
    n_filters, _, width = weight.shape
    word = word_length(width)
    batch, length = codes.shape
    padded = np.full((batch, length + 2 * padding), NOTHING, dtype=np.uint8)
    padded[:, padding : padding + length] = codes.numpy()
    words = np.empty(padded.shape, dtype=np.uint16)
    spell(padded, np.arange(batch), BASE, word, words[:, None])  # of one strand
    n_scores = padded.shape[1] - width + 1
    n_pools = (n_scores + 2 * pool_padding - pool) // pool + 1
    pooled = np.empty((batch, n_pools, n_filters), dtype=np.float32)
    where = np.empty(pooled.shape, dtype=np.uint8)
    n_words = -(-width // word)
    tables = aligned_empty(get_num_threads(), n_words, BASE**word, BLOCK)
    _scan(
        words, weight.contiguous().numpy(), bias.contiguous().numpy(), word, tables,
        pool, pool_padding, n_scores, pooled, where,
    )  # fmt: skip
    return torch.from_numpy(pooled), torch.from_numpy(where), torch.from_numpy(words)


def of_codes_back(
    grad: Tensor, pooled: Tensor, where: Tensor, words: Tensor, width: int, pool: int, left: int
) -> tuple[Tensor, Tensor]:
    """Give the gradients of weight and bias."""
    batch, _, n_filters = pooled.shape
    n_shares = -(-batch // SHARE)
    of_weight = torch.empty(n_shares, n_filters, 4, width)
    of_bias = torch.empty(n_shares, n_filters)
    _scatter_words(
        grad.contiguous().numpy(), pooled.numpy(), where.numpy(), words.numpy(),
        word_length(width), pool, left, of_weight.numpy(), of_bias.numpy(),
    )  # fmt: skip
    return _in_order(of_weight), _in_order(of_bias)


def of_numbers(
    x: Tensor, weight: Tensor, bias: Tensor, pool: int, padding: int
) -> tuple[Tensor, Tensor]:
    """Give the pooled values and the place of each in its pool."""
    n_filters, channels, width = weight.shape
    batch, length, _ = x.shape
    n_pools = (length + 2 * padding - width + 1 - pool) // pool + 1
    pooled = torch.empty(batch, n_pools, n_filters)
    where = torch.empty(pooled.shape, dtype=torch.uint8)
    by_place = weight.permute(1, 2, 0).reshape(channels, width * n_filters)
    for start in range(0, batch, CHUNK):
        rows = slice(start, start + CHUNK)
        # each position's share in the windows that it is in
        shares = x[rows].reshape(-1, channels) @ by_place
        _add_and_pool(
            shares.view(-1, length, width, n_filters).numpy(), bias.contiguous().numpy(),
            pool, padding, pooled[rows].numpy(), where[rows].numpy(),
        )  # fmt: skip
    return pooled, where


def of_numbers_back(
    grad: Tensor, x: Tensor, weight: Tensor, pooled: Tensor, where: Tensor, pool: int, padding: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Give the gradients of the numbers, weight and bias."""
    n_filters, channels, width = weight.shape
    windows = weight.detach().permute(0, 2, 1).reshape(n_filters, width * channels)
    n_shares = -(-len(x) // SHARE)
    of_x = torch.empty(x.shape)
    of_windows = torch.empty(n_shares, n_filters, width * channels)
    of_bias = torch.empty(n_shares, n_filters)
    _scatter_windows(
        grad.contiguous().numpy(), x.detach().contiguous().numpy(), windows.contiguous().numpy(),
        pooled.numpy(), where.numpy(), pool, padding,
        of_x.numpy(), of_windows.numpy(), of_bias.numpy(),
    )  # fmt: skip
    summed = _in_order(of_windows).view(n_filters, width, channels).transpose(1, 2)
    return of_x, summed.contiguous(), _in_order(of_bias)


def word_length(width: int) -> int:
    """Choose how many letters of a filter are looked up at once."""
    return -(-width // -(-width // LONGEST_WORD))


def _in_order(shares: Tensor) -> Tensor:
    """Add up one after the other: the order of a sum over a dimension depends on threads."""
    total = shares[0].clone()
    for share in shares[1:]:
        total += share
    return total


@njit(cache=True, parallel=True, nogil=True)
def _scan(words, weight, bias, word, scratch, pool, left, n_scores, pooled, where):
    """Score all windows and keep each pool's best, at least 0, and its place in the pool."""
    batch = len(words)
    n_pools, n_filters = pooled.shape[1:]
    n_words, n_rows = scratch.shape[1:3]
    n_blocks = (n_filters + BLOCK - 1) // BLOCK
    n_chunks = (batch + CHUNK - 1) // CHUNK
    for task in prange(n_blocks * n_chunks):
        first = task // n_chunks * BLOCK
        n = min(BLOCK, n_filters - first)
        tables = scratch[get_thread_id()]  # one set per thread
        fill_tables(weight[first : first + BLOCK], BASE, word, tables)
        best = np.empty(BLOCK, dtype=np.float32)
        place = np.empty(BLOCK, dtype=np.int32)
        to = (n_rows, tables.ctypes.data, best.ctypes.data, place.ctypes.data)
        for b in range(task % n_chunks * CHUNK, min((task % n_chunks + 1) * CHUNK, batch)):
            for q in range(n_pools):
                start = q * pool - left
                begin, end = max(start, 0), min(start + pool, n_scores)
                stretch = (words[b, begin:].ctypes.data, begin - start, end - begin)
                best[:], place[:] = -np.inf, 0
                if n_words == 2:  # a constant lets the compiler unroll
                    scan_windows(*stretch, 2, word, *to)
                else:
                    scan_windows(*stretch, n_words, word, *to)
                for j in range(n):
                    pooled[b, q, first + j] = max(best[j] + bias[first + j], np.float32(0))
                    where[b, q, first + j] = place[j]


@njit(cache=True, parallel=True, nogil=True)
def _scatter_words(grad, pooled, where, words, word, pool, left, of_weight, of_bias):
    """Add each maximum's gradient to the words of its window, then those to their letters."""
    batch, n_pools, n_filters = grad.shape
    n_shares, _, _, width = of_weight.shape
    n_words, n_rows = (width + word - 1) // word, BASE**word
    for task in prange((n_filters + BLOCK - 1) // BLOCK * n_shares):
        share, first = task % n_shares, task // n_shares * BLOCK
        n = min(BLOCK, n_filters - first)
        tables = np.zeros((n_words, n_rows, BLOCK), dtype=np.float32)
        for b in range(share * SHARE, min((share + 1) * SHARE, batch)):
            for q in range(n_pools):
                start = q * pool - left
                for j in range(n):
                    if pooled[b, q, first + j] > 0:
                        at = start + where[b, q, first + j]
                        for t in range(n_words):
                            tables[t, words[b, at + t * word], j] += grad[b, q, first + j]
        of_bias[share, first : first + n] = 0
        for row in range(n_rows):
            for j in range(n):
                of_bias[share, first + j] += tables[0, row, j]
        _spread_words(tables, word, of_weight[share, first : first + n])


@njit(cache=True, nogil=True)
def _spread_words(tables, word, of_weight):
    """Add the words' gradients to their letters; N's to all four."""
    n, _, width = of_weight.shape
    by_code = np.zeros((width, BASE, n), dtype=np.float32)
    for t in range(len(tables)):
        for row in range(tables.shape[1]):
            letters = row
            for place in range(t * word, min((t + 1) * word, width)):
                for j in range(n):
                    by_code[place, letters % BASE, j] += tables[t, row, j]
                letters //= BASE
    for j in range(n):
        for code in range(4):
            for place in range(width):
                shared = by_code[place, 4, j] / np.float32(4)
                of_weight[j, code, place] = by_code[place, code, j] + shared


@njit(cache=True, parallel=True, nogil=True)
def _add_and_pool(shares, bias, pool, padding, pooled, where):
    """Add up what positions give to each window, and keep each pool's best, at least 0."""
    batch, length, width, n_filters = shares.shape
    for b in prange(batch):
        score = np.empty(n_filters, dtype=np.float32)
        for q in range(pooled.shape[1]):
            best, place = pooled[b, q], where[b, q]
            best[:], place[:] = 0, 0
            for i in range(pool):
                start = q * pool + i - padding
                score[:] = bias
                for k in range(max(0, -start), min(width, length - start)):
                    share = shares[b, start + k, k]
                    for f in range(n_filters):
                        score[f] += share[f]
                for f in range(n_filters):
                    higher = score[f] > best[f]
                    best[f] = score[f] if higher else best[f]
                    place[f] = np.uint8(i) if higher else place[f]


@njit(cache=True, parallel=True, nogil=True)
def _scatter_windows(grad, x, windows, pooled, where, pool, padding, of_x, of_windows, of_bias):
    """Add each maximum's gradient to its window of numbers, and to the filter's weights."""
    batch, length, channels = x.shape
    n_filters = len(windows)
    width = windows.shape[1] // channels
    for share in prange(len(of_windows)):
        of_windows[share], of_bias[share] = 0, 0
        for b in range(share * SHARE, min((share + 1) * SHARE, batch)):
            numbers, of_numbers = x[b].reshape(-1), of_x[b].reshape(-1)
            of_numbers[:] = 0
            for f in range(n_filters):
                filter_, of_filter = windows[f], of_windows[share, f]
                for q in range(grad.shape[1]):
                    if pooled[b, q, f] > 0:
                        g = grad[b, q, f]
                        of_bias[share, f] += g
                        start = q * pool + where[b, q, f] - padding
                        low, high = max(0, -start), min(width, length - start)
                        here = slice((start + low) * channels, (start + high) * channels)
                        in_filter = slice(low * channels, high * channels)
                        _add_product(of_numbers[here], g, filter_[in_filter])
                        _add_product(of_filter[in_filter], g, numbers[here])


@njit(cache=True, nogil=True, fastmath={"contract"})
def _add_product(to, factor, row):
    for i in range(len(row)):
        to[i] += factor * row[i]
