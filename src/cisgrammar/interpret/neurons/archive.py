"""Sequences that excite a neuron, kept so that every strength of answer has its share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

BINS = 20  # of activation, from the threshold to the highest
TOP_SHARE = 0.05  # of an archive goes to the very highest


@dataclass(frozen=True)
class Archive:
    """What excites one neuron: unique sequences, the highest activation first.

    Parameters
    ----------
    codes
        uint8 ``(n, length)``.
    values
        float32 ``(n,)``.
    n_active
        How many were found before some were left out for want of room.
    """

    codes: np.ndarray
    values: np.ndarray
    n_active: int

    def __len__(self) -> int:
        return len(self.values)

    @property
    def highest(self) -> float:
        """Highest activation; NaN where nothing excites the neuron."""
        return float(self.values.max(initial=-np.inf)) if len(self) else float("nan")


def hashes(codes: np.ndarray) -> np.ndarray:
    """Hash sequences ``(..., length)`` so that equal ones alone are equal, but for 1 in 2^64."""
    rng = np.random.default_rng(codes.shape[-1])
    odd = rng.integers(1, 2**63, codes.shape[-1], dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    mixed = (codes.astype(np.uint64) + np.uint64(1)) @ odd
    return mixed ^ (mixed >> np.uint64(29))


def bins_of(values: np.ndarray, threshold: float, n_bins: int = BINS) -> np.ndarray:
    """Find the bins of activation between the threshold and the highest value, from 0.

    A value on an edge is in the bin above.
    """
    span = max(float(values.max()) - threshold, 1e-12)
    edges = threshold + span * np.arange(1, n_bins) / n_bins
    return np.searchsorted(edges, values, side="right")


def collect(
    codes: np.ndarray,
    values: np.ndarray,
    threshold: float,
    most: int,
    rng: np.random.Generator,
    n_active: int | None = None,
) -> Archive:
    """Keep what lies above the threshold, each sequence once, the room shared out among bins.

    Parameters
    ----------
    codes, values
        ``(n, length)`` and ``(n,)``.
    threshold
        Of activation.
    most
        Sequences to keep.
    rng
        Draws those of a full bin.
    n_active
        How many there were in all; counted here where None.

    Returns
    -------
    An archive; a twentieth of it are the very highest, and the bins share the rest evenly, room
    that one does not need going to the others.
    """
    active = np.flatnonzero(values > threshold)
    _, first = np.unique(hashes(codes[active]), return_index=True)
    rows = active[np.sort(first)]
    rows = rows[np.argsort(-values[rows], kind="stable")]
    found = len(rows) if n_active is None else n_active
    if len(rows) > most:
        rows = rows[_shared_out(values[rows], threshold, most, rng)]
    return Archive(codes[rows], values[rows].astype(np.float32), found)


def _shared_out(
    values: np.ndarray, threshold: float, most: int, rng: np.random.Generator
) -> np.ndarray:
    """Choose among values in falling order: numbers of those that stay, in order."""
    top = int(most * TOP_SHARE)
    rest = np.arange(top, len(values))
    bins = bins_of(values, threshold)[rest]
    order = np.lexsort((rng.random(len(rest)), bins))
    sizes = np.bincount(bins, minlength=BINS)
    rank = np.arange(len(rest)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    quota = _quota(sizes, most - top)
    chosen = rest[order[rank < np.repeat(quota, sizes)]]
    return np.sort(np.concatenate([np.arange(top), chosen]))


def _quota(sizes: np.ndarray, room: int) -> np.ndarray:
    """Share room among bins evenly, and what small ones leave among the others."""
    quota = np.zeros_like(sizes)
    while room >= (open_bins := int((quota < sizes).sum())) > 0:
        more = np.minimum(sizes - quota, room // open_bins)
        quota, room = quota + more, room - int(more.sum())
    quota[np.flatnonzero(quota < sizes)[::-1][:room]] += 1  # what is left, from the highest down
    return quota
