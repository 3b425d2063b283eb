"""What each base of a sequence is worth: every mutation in silico, per cell type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy.stats import false_discovery_control

from cisgrammar.genome.sequence import N
from cisgrammar.genome.shuffling import shuffle_dinucleotides
from cisgrammar.models.abilities import Inserts

MUTATIONS_AT_ONCE = 768
SITE_COLUMNS = [
    "motif", "alt", "start", "end", "strand", "fimo_p", "importance", "r", "p", "q",
]  # fmt: skip


def mean_weights(model: Inserts, groups: Sequence[str]) -> tuple[np.ndarray, list[str]]:
    """Average the last layer's weights over groups of cells.

    Parameters
    ----------
    model
        A trained model.
    groups
        Each cell's group, as a rule its type.

    Returns
    -------
    float64 ``(groups, bottleneck)``, and the groups' names, sorted.
    """
    names, number = np.unique(np.asarray(groups).astype(str), return_inverse=True)
    weight = model.head.weight.detach().cpu().double().numpy()
    means = np.stack([weight[number == i].mean(axis=0) for i in range(len(names))])
    return means, names.tolist()


def mutate(
    model: Inserts,
    codes: np.ndarray,
    weights: np.ndarray,
    first: int = 0,
    end: int | None = None,
) -> np.ndarray:
    """Predict what every mutation of a sequence does, on average over groups of cells.

    Parameters
    ----------
    model
        A trained model.
    codes
        The sequence as the model reads it, uint8 ``(length,)``.
    weights
        From :func:`mean_weights`: ``(groups, bottleneck)``.
    first, end
        The positions that are mutated, from ``first`` up to and without ``end``.

    Returns
    -------
    Change of the logit, 0 for the base that stands there: float32 ``(groups, 4, positions)``,
    rows A, C, G, T. At an N all are 0.

    Notes
    -----
    Yuan & Kelley (2022), Methods, "In silico saturation mutagenesis": (h_mutated - h) w. The
    average over cells is taken of the weights, which is the same.
    """
    end = len(codes) if end is None else end
    here = codes[first:end].astype(np.int64)
    base, position = np.nonzero((np.arange(4)[:, None] != here) & (here != N))
    changed = model.changed_sequences(torch.from_numpy(codes[None]))
    reference = changed.embed().cpu().double().numpy()
    effects = np.zeros((len(weights), 4, end - first), dtype=np.float32)
    for start in range(0, len(base), MUTATIONS_AT_ONCE):
        b, p = (part[start : start + MUTATIONS_AT_ONCE] for part in (base, position))
        embedding = changed.embed_changed(
            torch.zeros(len(b), dtype=torch.int64),
            torch.from_numpy(p + first),
            torch.from_numpy(b.astype(np.uint8)[:, None]),
        )
        effects[:, b, p] = weights @ (embedding.cpu().double().numpy() - reference).T
    return effects


def importance(effects: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Read off what the base that stands there is worth against the average base.

    Parameters
    ----------
    effects
        From :func:`mutate`: ``(groups, 4, positions)``.
    codes
        The bases at these positions, uint8 ``(positions,)``.

    Returns
    -------
    ``(groups, positions)``; positive where the base opens the peak, 0 at an N.
    """
    centred = effects - effects.mean(axis=1, keepdims=True)
    known = np.minimum(codes, 3).astype(np.int64)
    return np.where(codes == N, 0, centred[:, known, np.arange(len(codes))])


def shuffled_importance(
    model: Inserts,
    codes: np.ndarray,
    weights: np.ndarray,
    first: int,
    end: int,
    *,
    n_shuffles: int,
    seed: int,
) -> np.ndarray:
    """Ask what bases are worth in sequences without sites.

    Parameters
    ----------
    model, codes, weights, first, end
        As in :func:`mutate`.
    n_shuffles
        Shuffles of the whole sequence that keep its dinucleotides.
    seed
        Of the shuffles.

    Returns
    -------
    Importance at the same positions of each shuffle, ``(groups, n_shuffles, positions)``.
    """
    shuffles = shuffle_dinucleotides(np.tile(codes, (n_shuffles, 1)), seed)
    scores = [
        importance(mutate(model, shuffled, weights, first, end), shuffled[first:end])
        for shuffled in shuffles
    ]
    return np.stack(scores, axis=1)


def label_motifs(
    scores: np.ndarray,
    codes: np.ndarray,
    hits: pd.DataFrame,
    motifs: Mapping[str, np.ndarray],
    *,
    least: float = 0.0,
    n_shuffles: int = 1000,
    seed: int,
) -> pd.DataFrame:
    """Find the motifs whose shape importance has.

    Parameters
    ----------
    scores
        Importance of one group: ``(positions,)``.
    codes
        The bases there, uint8 ``(positions,)``.
    hits
        Of motifs in these positions, from :func:`cisgrammar.motifs.fimo.hits`, as published with
        a permissive p-value of .001.
    motifs
        Name to probabilities ``(4, width)``.
    least
        A hit counts if its mean importance is at least that, in either direction.
    n_shuffles
        Shuffles of the positions for the null.
    seed
        Of the shuffles.

    Returns
    -------
    motif, alt, start (0-based), end, strand, fimo_p, importance, r, p, q. ``importance`` is the
    hit's mean; below 0 the site closes the peak. ``r`` is Pearson's of importance, its sign
    turned where the mean is negative, and the probabilities of the bases that stand there; ``p``
    the share of shuffled importances of the region with an ``r`` at least as high; ``q`` by
    Benjamini and Hochberg. Best first.

    Notes
    -----
    Yuan & Kelley (2022), Methods, last paragraph of "In silico saturation mutagenesis". That
    sites may close peaks, and ``least``, are ours.
    """
    sums = np.concatenate([[0], np.cumsum(scores)])
    starts, ends = hits["start"].to_numpy() - 1, hits["stop"].to_numpy()
    counts = np.abs(sums[ends] - sums[starts]) >= max(least, 1e-12) * (ends - starts)
    found = hits[counts].rename(
        columns={"motif_id": "motif", "motif_alt_id": "alt", "stop": "end", "p-value": "fimo_p"}
    )
    found["start"] -= 1
    found[["importance", "r", "p", "q"]] = np.nan
    rng = np.random.default_rng(seed)
    shuffled = rng.permuted(np.tile(scores, (n_shuffles, 1)), axis=1)
    width = (found["end"] - found["start"]).to_numpy()
    for size in np.unique(width):
        rows = found.index[width == size]
        part = found.loc[rows]
        places = part["start"].to_numpy()[:, None] + np.arange(size)
        expected = _unit(np.stack([_expected(hit, codes, motifs) for hit in part.itertuples()]))
        observed = scores[places]
        r = (_unit(_upright(observed)) * expected).sum(axis=1)
        null = _unit(_upright(shuffled[:, :size])) @ expected.T  # (shuffles, hits)
        found.loc[rows, "importance"] = observed.mean(axis=1)
        found.loc[rows, "r"] = r
        found.loc[rows, "p"] = (1 + (null >= r - 1e-12).sum(axis=0)) / (1 + n_shuffles)
    if len(found):
        found["q"] = false_discovery_control(found["p"].to_numpy(float))
    order = ["p", "r", "start", "motif"]
    table = found.sort_values(order, ascending=[True, False, True, True], kind="stable")
    return table[SITE_COLUMNS].reset_index(drop=True)


def _expected(hit: Any, codes: np.ndarray, motifs: Mapping[str, np.ndarray]) -> np.ndarray:
    """Probabilities of the bases that stand in a hit."""
    matrix = motifs[hit.motif]
    matrix = matrix if hit.strand == "+" else matrix[::-1, ::-1]
    bases = np.minimum(codes[hit.start : hit.end], 3).astype(np.int64)
    return matrix[bases, np.arange(hit.end - hit.start)]


def _upright(windows: np.ndarray) -> np.ndarray:
    """Turn the sign of rows whose mean is negative."""
    return windows * np.where(windows.mean(axis=1, keepdims=True) < 0, -1, 1)


def _unit(windows: np.ndarray) -> np.ndarray:
    """Centre rows and scale them to length 1; a constant row becomes 0."""
    centred = windows - windows.mean(axis=1, keepdims=True)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    return np.where(length > 1e-12, centred / np.maximum(length, 1e-12), 0)
