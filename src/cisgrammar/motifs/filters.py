"""From convolution filters to motifs: average the windows that excite each filter."""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd

from cisgrammar.genome.sequence import COMPLEMENT, N
from cisgrammar.motifs.meme import Motif, consensus, information_content

MOTIF_COLUMNS = ["motif", "fold", "filter", "n_sequences", "information", "consensus"]
logger = logging.getLogger(__name__)


def count_windows(
    codes: np.ndarray,
    active: np.ndarray,
    positions: np.ndarray,
    reverse: np.ndarray,
    width: int,
) -> np.ndarray:
    """Count the bases of each filter's windows.

    Parameters
    ----------
    codes
        uint8 ``(n, length)``.
    active
        Which sequences count for which filter: bool ``(n, filters)``.
    positions
        Start of the best window: integers ``(n, filters)``.
    reverse
        Whether it is read from its other strand: bool ``(n, filters)``.
    width
        Bases in a window.

    Returns
    -------
    Counts ``(filters, 4, width)``; N is in none of them.

    Raises
    ------
    ValueError
        If the shapes disagree or a counted window runs off its sequence.
    """
    n, length = codes.shape
    if not active.shape == positions.shape == reverse.shape or active.shape[0] != n:
        raise ValueError(
            f"codes {codes.shape}, active {active.shape}, positions {positions.shape} and "
            f"reverse {reverse.shape} disagree"
        )
    sequence, filters = np.nonzero(active)
    starts = positions[sequence, filters].astype(np.int64)
    if starts.size and (starts.min() < 0 or starts.max() > length - width):
        raise ValueError(f"windows of {width} run off the sequences of {length}")
    starts += sequence * length
    backwards = reverse[sequence, filters]
    flat = np.ascontiguousarray(codes).reshape(-1)
    n_filters = active.shape[1]
    counts = np.empty((n_filters, 4, width), dtype=np.int64)
    for offset in range(width):
        letters = flat[starts + np.where(backwards, width - 1 - offset, offset)]
        cell = filters * (N + 1) + np.where(backwards, COMPLEMENT[letters], letters)
        table = np.bincount(cell, minlength=n_filters * (N + 1)).reshape(n_filters, N + 1)
        counts[:, :, offset] = table[:, :N]
    return counts


def filter_motifs(
    codes: np.ndarray,
    maxima: np.ndarray,
    positions: np.ndarray,
    reverse: np.ndarray,
    width: int,
    fold: int,
    min_sequences: int = 10,
) -> tuple[list[Motif], pd.DataFrame]:
    """Turn filters into motifs.

    A filter's motif is the base frequencies over the single best window of every
    training sequence that excites it, read from the strand on which the filter fits. A
    filter that ``min_sequences`` or fewer sequences excite has no motif; how many there
    are is logged.

    Parameters
    ----------
    codes
        Training sequences, uint8 ``(n, length)``.
    maxima
        Highest activation of each filter in each sequence, before the ELU: ``(n, filters)``.
    positions
        Where its window starts: integers ``(n, filters)``.
    reverse
        Whether it fits on the reverse strand there: bool ``(n, filters)``.
    width
        Width of the filters.
    fold
        Number of the fold, for the names.
    min_sequences
        A motif needs more sequences than this.

    Returns
    -------
    motifs
        In the order of the filters; named ``{fold}_{filter}``.
    table
        One row a motif: motif, fold, filter, n_sequences, information (bits over
        all positions), consensus (IUPAC).

    Notes
    -----
    Hepkema et al. (2023), Methods, "Alignment of motifs". A position where every
    window has an N, which the paper's sequences cannot have, is 1/4 of each base.
    """
    active = maxima > 0
    n_sequences = active.sum(axis=0)
    kept = np.flatnonzero(n_sequences > min_sequences)
    counts = count_windows(
        codes, active[:, kept], positions[:, kept], reverse[:, kept], width
    ).astype(np.float64)
    counts[np.broadcast_to(counts.sum(axis=1, keepdims=True) == 0, counts.shape)] = 1
    matrices = counts / counts.sum(axis=1, keepdims=True)
    motifs = [
        Motif(f"{fold}_{i}", matrix, n_sites=int(n_sequences[i]))
        for i, matrix in zip(kept, matrices, strict=True)
    ]
    logger.info(
        "fold %d: %d of %d filters have a motif; %d are excited by %d sequences or fewer",
        *(fold, len(kept), maxima.shape[1], maxima.shape[1] - len(kept), min_sequences),
    )
    return motifs, motif_table(motifs, fold, kept, n_sequences[kept])


def motif_table(
    motifs: list[Motif], fold: int, filters: np.ndarray, n_sequences: np.ndarray
) -> pd.DataFrame:
    """Describe motifs, one row each, in the order given."""
    return pd.DataFrame(
        {
            "motif": [motif.name for motif in motifs],
            "fold": fold,
            "filter": filters,
            "n_sequences": n_sequences,
            "information": [information_content(motif.matrix).sum() for motif in motifs],
            "consensus": [consensus(motif.matrix) for motif in motifs],
        },
        columns=MOTIF_COLUMNS,
    )
