"""Segments: the stretches of a facet's pattern that hold information, each a motif."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cisgrammar.interpret.neurons.facets import Facet
from cisgrammar.motifs.meme import Motif, information_content

PSEUDO_COUNT = 30.0  # sequences of even composition that patterns are smoothed with
LEAST_BITS = 0.56  # mean of three positions; the published 1, in bits instead of "2 - nats"
SHORTEST = 4


@dataclass(frozen=True)
class Segment:
    """A motif within a facet's pattern.

    Parameters
    ----------
    neuron, facet
        Whose: facets are counted from 0, that of the highest activation first.
    start, end
        Where in the neuron's field, 0-based and half-open.
    motif
        Its pattern, smoothed, named ``{neuron}_{facet}_{start}``.
    information
        Bits over its positions.
    score
        How good an example of what the layer knows: of 3.
    """

    neuron: int
    facet: int
    start: int
    end: int
    motif: Motif
    information: float
    score: float


def smoothed(facet: Facet) -> np.ndarray:
    """Add pseudo-counts to a facet's pattern: ``(4, length)``."""
    n = len(facet.rows)
    return (facet.ppm * n + PSEUDO_COUNT / 4) / (n + PSEUDO_COUNT)


def informative(bits: np.ndarray) -> list[tuple[int, int]]:
    """Find the runs of positions that hold information.

    Parameters
    ----------
    bits
        Information at each position.

    Returns
    -------
    Start and end of each; its first and last position hold information themselves.

    Examples
    --------
    >>> informative(np.array([0, 0, 2, 2, 2, 2, 2, 0, 0, 0.0]))
    [(2, 7)]
    """
    padded = np.pad(bits, 1, mode="edge")
    high = np.convolve(padded, np.ones(3) / 3, "valid") > LEAST_BITS
    edges = np.flatnonzero(np.diff(np.concatenate([[False], high, [False]]).astype(int)))
    found = []
    for start, end in edges.reshape(-1, 2).tolist():
        own = np.flatnonzero(bits[start:end] > LEAST_BITS)
        if len(own) and own[-1] - own[0] + 1 >= SHORTEST:
            found.append((start + int(own[0]), start + int(own[-1]) + 1))
    return found


def segments_of(neuron: int, facets: list[Facet]) -> list[Segment]:
    """Cut the patterns of a neuron's facets into motifs.

    Notes
    -----
    Wei et al. (2023), "Segmentation". The score is theirs: decoupling, the facet's share of the
    neuron's highest activation, and how far motifs stand out of the rest in information. They
    measure information as 2 minus the entropy in nats; here it is in bits. Theirs have a base more
    on either side; here motifs end where information does, so that gaps can be read.
    """
    highest = max((facet.maximum for facet in facets), default=0.0)
    found = []
    for number, facet in enumerate(facets):
        ppm = smoothed(facet)
        bits = information_content(ppm / ppm.sum(axis=0))
        runs = informative(bits)
        inside = np.zeros(len(bits), bool)
        for start, end in runs:
            inside[start:end] = True
        rest = bits[~inside].mean() if not inside.all() else 0.0
        contrast = (bits[inside].mean() - rest) / bits.max() if inside.any() else 0.0
        score = np.clip(facet.decoupling, 0, 1) + facet.maximum / max(highest, 1e-12) + contrast
        for start, end in runs:
            matrix = ppm[:, start:end] / ppm[:, start:end].sum(axis=0)
            motif = Motif(f"{neuron}_{number}_{start}", matrix, n_sites=len(facet.rows))
            information = float(bits[start:end].sum())
            found.append(Segment(neuron, number, start, end, motif, information, float(score)))
    return found
