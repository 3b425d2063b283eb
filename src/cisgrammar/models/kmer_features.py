"""Which k-mer features a baseline reads: a small grid, tried on validation rows."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from cisgrammar.common.seeds import derive_seed
from cisgrammar.data.features import kmer_counts
from cisgrammar.models.linear_path import LinearPath, validated_penalty

logger = logging.getLogger(__name__)

K = (3, 4, 5, 6)
BINS = (1, 5, 10)
MAX_K_IN_BINS = 5
MIN_STRETCH = 20  # bases of a bin
MAX_COLUMNS = 21_000
MAX_SIDE = 3_000  # of the matrix to decompose: the smaller of training rows and columns
MAX_ROWS = 1_500  # training rows on which features are tried


@dataclass(frozen=True)
class KmerFeatures:
    """Log counts of k-mers, in stretches of the window or in all of it.

    Parameters
    ----------
    blocks
        ``(k, bins)`` of each block of columns.
    both_strands
        Count a k-mer and its reverse complement together.
    """

    blocks: tuple[tuple[int, int], ...]
    both_strands: bool

    def __str__(self) -> str:
        words = [f"{k}-mers in {bins} bin{'s' * (bins > 1)}" for k, bins in self.blocks]
        return f"{' + '.join(words)}, {'both strands' if self.both_strands else 'forward strand'}"

    @property
    def n_columns(self) -> int:
        """Number of features."""
        return sum(bins * _n_words(k, self.both_strands) for k, bins in self.blocks)

    def of(self, codes: np.ndarray) -> sparse.csr_matrix:
        """Compute log(1 + counts) of sequences, float32 ``(n, n_columns)``."""
        counts = [kmer_counts(codes, k, self.both_strands, bins) for k, bins in self.blocks]
        return sparse.hstack(counts, format="csr").log1p()


def _n_words(k: int, both_strands: bool) -> int:
    palindromes = 4 ** (k // 2) if k % 2 == 0 else 0
    return (4**k + palindromes) // 2 if both_strands else 4**k


COMBINATION = KmerFeatures(((5, 1), (3, 10)), True)


def candidates(
    length: int,
    n_rows: int,
    k: int | None = None,
    both_strands: bool | None = None,
    bins: int | None = None,
) -> list[KmerFeatures]:
    """List the features to try.

    Parameters
    ----------
    length
        Bases of a sequence.
    n_rows
        Sequences to train on.
    k, both_strands, bins
        Those that are not None are fixed.

    Returns
    -------
    One or more, the smallest first. Bins are ``MIN_STRETCH`` bases or longer, columns at most
    ``MAX_COLUMNS``, and rows or columns at most ``MAX_SIDE``; what is fixed by the user
    is not bound by this where nothing else is left.
    """
    grid = [
        KmerFeatures(((a_k, a_bins),), strands)
        for a_k in (K if k is None else (k,))
        for a_bins in (BINS if bins is None else (bins,))
        for strands in ((True, False) if both_strands is None else (both_strands,))
    ]
    if k is None and bins is None and both_strands is not False:
        grid.append(COMBINATION)
    grid.sort(key=_n_columns)
    return [features for features in grid if _is_affordable(features, length, n_rows)] or grid[:1]


def _n_columns(features: KmerFeatures) -> int:
    return features.n_columns


def _is_affordable(features: KmerFeatures, length: int, n_rows: int) -> bool:
    return (
        min(features.n_columns, n_rows) <= MAX_SIDE
        and features.n_columns <= MAX_COLUMNS
        and all(
            bins == 1 or (length // bins >= MIN_STRETCH and k <= MAX_K_IN_BINS)
            for k, bins in features.blocks
        )
    )


def choose_features(
    codes: np.ndarray,
    targets: np.ndarray,
    train: np.ndarray,
    validation: np.ndarray,
    *,
    k: int | None = None,
    both_strands: bool | None = None,
    bins: int | None = None,
    seed: int = 0,
) -> KmerFeatures:
    """Choose the features whose ridge regression predicts the validation rows best.

    Parameters
    ----------
    codes
        Sequences, uint8 ``(n, length)``.
    targets
        ``(n, targets)``; only rows of the two parts are read.
    train, validation
        Row numbers. Of more than ``MAX_ROWS`` training or validation rows so many are drawn,
        for the choice alone.
    k, both_strands, bins
        Those that are not None are fixed.
    seed
        For the draw.

    Returns
    -------
    The best of :func:`candidates`; of equals the one with fewest columns.
    """
    grid = candidates(codes.shape[1], len(train), k, both_strands, bins)
    if len(grid) == 1:
        logger.info("k-mers: %s, as asked for", grid[0])
        return grid[0]
    rng = np.random.default_rng(derive_seed(seed, "kmer_features"))
    fitted, judged = (
        np.sort(rng.choice(rows, min(len(rows), MAX_ROWS), replace=False))
        for rows in (train, validation)
    )
    losses = []
    for features in grid:
        x, other = features.of(codes[fitted]), features.of(codes[judged])
        _, loss = validated_penalty(LinearPath(x, targets[fitted]), other, targets[judged])
        logger.info("k-mers: %s: mean squared error %.6g", features, loss)
        losses.append(loss)
    best = grid[int(np.argmin(losses))]
    logger.info("k-mers: %s, the best of %d on validation", best, len(grid))
    return best
