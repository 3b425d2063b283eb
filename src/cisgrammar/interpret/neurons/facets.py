"""Facets of a neuron: groups of its sequences that show one pattern each, and how pure they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cisgrammar.interpret.neurons.archive import Archive, bins_of
from cisgrammar.interpret.neurons.network import Network


@dataclass(frozen=True)
class Facet:
    """One pattern that excites a neuron.

    Parameters
    ----------
    rows
        Which of the archive's sequences show it.
    ppm
        Their bases, weighted by activation: ``(4, length)``.
    maximum
        Highest activation of its sequences.
    consensus_value
        Activation of the most probable base at each position.
    decoupling
        How far the latter reaches the former, both above the neuron's threshold: near 1 where
        the facet is one pattern; lower, and below 0, where it mixes several.
    """

    rows: np.ndarray
    ppm: np.ndarray
    maximum: float
    consensus_value: float
    decoupling: float


def weighted_ppm(
    codes: np.ndarray, values: np.ndarray, threshold: float = 0.0, n_bins: int = 20
) -> np.ndarray:
    """Average sequences so that every strength of activation has its say.

    Parameters
    ----------
    codes, values
        uint8 ``(n, length)`` and activations ``(n,)``, all above the threshold.
    threshold
        Where the first bin begins.
    n_bins
        Bins of activation. Published: 20, and 50 in the demonstrations.

    Returns
    -------
    Probabilities ``(4, length)``.

    Notes
    -----
    Wei et al. (2023), "Activation-weighted PPM": base frequencies within each bin of activation,
    averaged with the bins' mean activations as weights. An empty bin has the frequencies of the
    one above it, and the middle of the bin as its weight.
    """
    bins = bins_of(values, threshold, n_bins)
    counts = np.stack(
        [
            np.stack([np.bincount(bins, codes[:, i] == base, n_bins) for base in range(4)])
            for i in range(codes.shape[1])
        ],
        axis=-1,
    )  # (4, bins, length)
    n = np.bincount(bins, minlength=n_bins)
    above = np.where(n > 0, np.arange(n_bins), n_bins)
    source = np.minimum.accumulate(above[::-1])[::-1]  # the highest bin is never empty
    centres = (np.arange(n_bins) + 0.5) * (float(values.max()) - threshold) / n_bins
    strength = np.where(
        n > 0, np.bincount(bins, values - threshold, n_bins) / np.maximum(n, 1), centres
    )
    frequencies = counts[:, source] / n[source, None]
    return np.einsum("bkl,k->bl", frequencies, strength / strength.sum())


def facets_of(
    network: Network,
    depth: int,
    neuron: int,
    archive: Archive,
    labels: np.ndarray,
    threshold: float = 0.0,
    n_bins: int = 20,
) -> list[Facet]:
    """Describe groups of a neuron's sequences.

    Parameters
    ----------
    network, depth, neuron
        Which.
    archive
        Its sequences.
    labels
        Group of each, int ``(n,)``; those below 0 belong to none.
    threshold, n_bins
        As for :func:`weighted_ppm`.

    Returns
    -------
    One for each group, that of the highest activation first.
    """
    groups = [np.flatnonzero(labels == label) for label in np.unique(labels[labels >= 0])]
    ppms = [
        weighted_ppm(archive.codes[rows], archive.values[rows], threshold, n_bins)
        for rows in groups
    ]
    if not groups:
        return []
    consensus = np.stack([ppm.argmax(axis=0) for ppm in ppms]).astype(np.uint8)
    reached = network.read(consensus, depth)[:, neuron]
    found = []
    for rows, ppm, value in zip(groups, ppms, reached, strict=True):
        highest = float(archive.values[rows].max())
        ratio = (float(value) - threshold) / max(highest - threshold, 1e-12)
        found.append(Facet(rows, ppm, highest, float(value), ratio))
    return sorted(found, key=lambda facet: -facet.maximum)


def purity(facets: list[Facet]) -> float:
    """Average the facets' decoupling by their sizes; none is purer than 1 or less than 0."""
    sizes = np.array([len(facet.rows) for facet in facets])
    scores = np.clip([facet.decoupling for facet in facets], 0, 1)
    return float(np.average(scores, weights=sizes)) if len(facets) else 0.0
