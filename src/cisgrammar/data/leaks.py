"""What a fold's training part tells of its test part: overlapping windows, and paralogues."""

from __future__ import annotations

import logging

import numba
import numpy as np
import pandas as pd
from scipy import sparse

from cisgrammar.data.folds import TEST
from cisgrammar.genome.sequence import N

logger = logging.getLogger(__name__)

K = 24  # two windows that are unrelated share no such k-mer by chance
LEAST_SHARED = 50  # distinct k-mers, on either strand, that paralogues share
MOST_GENES = 10  # a k-mer in more genes is of a repeat, and tells nothing
ALL_KMERS = 30_000_000  # bases up to which every k-mer is looked at, and not a sample
ONE_OF = 8


def count_leaks(var: pd.DataFrame, codes: np.ndarray, folds: pd.DataFrame) -> pd.DataFrame:
    """Count the test genes of which a fold's other genes tell something.

    Parameters
    ----------
    var
        One row per gene: chrom, start.
    codes
        Windows, uint8 ``(genes, length)``.
    folds
        As from :func:`cisgrammar.data.folds.split_folds`.

    Returns
    -------
    fold, test_genes; overlapping: test genes whose window overlaps that of a gene in another
    part; paralogues: those that share ``LEAST_SHARED`` k-mers or more with a gene in another
    part, whose window does not overlap theirs.
    """
    length = codes.shape[1]
    first, second = paralogue_pairs(var, codes)
    rows = []
    for name in [column for column in folds if column.startswith("fold")]:
        test = (folds[name] == TEST).to_numpy()
        crossing = test[first] != test[second]
        known = np.concatenate([first[crossing & test[first]], second[crossing & test[second]]])
        near = overlapping(var, length, test)
        rows.append((int(name.removeprefix("fold")), int(test.sum()), near, len(set(known))))
    table = pd.DataFrame(rows, columns=["fold", "test_genes", "overlapping", "paralogues"])
    total = table.drop(columns="fold").sum()
    logger.info(
        "of %d test genes in %d folds, the windows of %d overlap one of another part, and %d have "
        "a paralogue there", total["test_genes"], len(table), total["overlapping"],
        total["paralogues"],
    )  # fmt: skip
    return table


def overlapping(var: pd.DataFrame, length: int, test: np.ndarray) -> int:
    """Count the test genes whose window overlaps one of another part.

    Parameters
    ----------
    var
        chrom, start.
    length
        Of every window.
    test
        Which genes test, bool ``(genes,)``.
    """
    if not len(var):
        return 0
    chrom, _ = pd.factorize(var["chrom"].astype(str))
    start = var["start"].to_numpy(dtype=np.int64)
    # one line for all chromosomes, each so far from the next that no windows of two overlap
    place = start - start.min() + chrom * (np.ptp(start) + length)
    others, tested = np.sort(place[~test]), place[test]
    after = np.searchsorted(others, tested + length, "left")
    before = np.searchsorted(others, tested - length, "right")
    return int((after > before).sum())


def paralogue_pairs(var: pd.DataFrame, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find pairs of genes that share long k-mers, though their windows do not overlap.

    Parameters
    ----------
    var
        chrom, start.
    codes
        uint8 ``(genes, length)``.

    Returns
    -------
    Rows of the first and of the second gene of each pair: ``(pairs,)`` each.
    """
    n, length = codes.shape
    one_of = 1 if codes.size <= ALL_KMERS else ONE_OF
    found = [np.unique(_kmers(row, K, one_of)) for row in np.ascontiguousarray(codes)]
    sizes = [len(kmers) for kmers in found]
    words, column = np.unique(np.concatenate(found), return_inverse=True)
    genes = np.repeat(np.arange(n), sizes)
    in_genes = np.bincount(column, minlength=len(words))
    telling = (in_genes[column] > 1) & (in_genes[column] <= MOST_GENES)
    has = sparse.csr_matrix(
        (np.ones(telling.sum(), np.int32), (genes[telling], column[telling])), (n, len(words))
    )
    shared = sparse.triu(has @ has.T, k=1).tocoo()
    enough = shared.data * one_of >= LEAST_SHARED
    first, second = shared.row[enough], shared.col[enough]
    chrom, start = var["chrom"].astype(str).to_numpy(), var["start"].to_numpy()
    apart = (chrom[first] != chrom[second]) | (np.abs(start[first] - start[second]) >= length)
    return first[apart], second[apart]


@numba.njit(cache=True)
def _kmers(codes: np.ndarray, k: int, one_of: int) -> np.ndarray:
    """List k-mers without N, the lesser of both strands; a sample of them by their digits."""
    found = np.empty(max(len(codes), 1), dtype=np.uint64)
    mask = (np.uint64(1) << np.uint64(2 * k)) - np.uint64(1)
    top = np.uint64(2 * (k - 1))
    forward, reverse = np.uint64(0), np.uint64(0)
    known, n = 0, 0
    for code in codes:
        known = known + 1 if code != N else 0
        base = np.uint64(code % 4)
        forward = ((forward << np.uint64(2)) | base) & mask
        reverse = (reverse >> np.uint64(2)) | ((np.uint64(3) - base) << top)
        if known >= k:
            word = min(forward, reverse)
            mixed = (word * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(40)
            if mixed % np.uint64(one_of) == 0:
                found[n] = word
                n += 1
    return found[:n].copy()
