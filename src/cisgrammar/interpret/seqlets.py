"""Seqlets: short stretches that contribute more to a prediction than chance would have it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cisgrammar.genome.sequence import N, one_hot
from cisgrammar.motifs.meme import Motif
from cisgrammar.motifs.tomtom import compare

WIDTH = 15  # bases of a stretch
ERROR = 0.05  # chance that a shuffled sequence has a seqlet
LEAST_SHARE = 0.1  # of the best base's contribution, at a seqlet's ends
MOST_Q = 0.05  # of a likeness to a known motif
COLUMNS = ["row", "start", "end", "contribution", "p"]


def find_seqlets(
    contributions: np.ndarray, chance: np.ndarray, width: int = WIDTH, error: float = ERROR
) -> pd.DataFrame:
    """Find the stretches whose sum of contributions is larger than any of a shuffled sequence.

    Parameters
    ----------
    contributions
        Of the bases that stand there: ``(sequences, length)``; NaN where nothing was asked.
    chance
        The same of shuffled sequences, ``(shuffled, length)``.
    width
        Bases of a stretch.
    error
        Chance that a shuffled sequence has a seqlet.

    Returns
    -------
    row, start, end (in the sequence), contribution (sum over the stretch, with its sign), p: the
    share of shuffled sequences whose largest sum, without its sign, is as large. By row, the
    largest first. Stretches do not overlap, and begin and end where a base contributes a tenth of
    what the best one does.
    """
    sums = _sums(contributions, width)
    highest = np.sort(np.max(np.abs(np.nan_to_num(_sums(chance, width))), axis=1, initial=0))
    size = np.abs(np.nan_to_num(sums))
    p = (1 + len(highest) - np.searchsorted(highest, size)) / (1 + len(highest))
    p[size == 0] = 1
    found = []
    for row in np.flatnonzero((p <= error).any(axis=1)):
        places = np.flatnonzero(p[row] <= error)
        free = np.ones(sums.shape[1], dtype=bool)
        for start in places[np.argsort(-size[row, places], kind="stable")]:
            if free[start]:
                free[max(start - width + 1, 0) : start + width] = False
                share = _shares(contributions[row, start : start + width])
                inner = np.flatnonzero(share >= LEAST_SHARE)
                its = (start + inner[0], start + inner[-1] + 1)
                found.append((row, *its, sums[row, start], p[row, start]))
    table = pd.DataFrame(found, columns=COLUMNS)
    return table.astype(dict.fromkeys(COLUMNS[:3], int) | dict.fromkeys(COLUMNS[3:], float))


def _sums(contributions: np.ndarray, width: int) -> np.ndarray:
    """Add up every stretch: ``(sequences, length - width + 1)``, none of shorter sequences."""
    if contributions.shape[1] < width:
        return np.empty((len(contributions), 0))
    windows = np.lib.stride_tricks.sliding_window_view(contributions, width, axis=1)
    return windows.sum(axis=2)


def as_motif(contributions: np.ndarray, codes: np.ndarray, name: str) -> Motif:
    """Write a seqlet as a motif: the less a base contributes, the more any base would do.

    Parameters
    ----------
    contributions
        Of the seqlet's bases, ``(width,)``.
    codes
        The bases, uint8 ``(width,)``.
    name
        Of the motif.

    Returns
    -------
    Probabilities between 1/4 of each base, where nothing is contributed (or against the sum of
    all), and 1 of the base that stands there, where most is.
    """
    share = _shares(contributions) * (codes != N)
    spelled = one_hot(np.minimum(codes, 3))
    return Motif(name, 0.25 + share * (spelled - 0.25))


def _shares(contributions: np.ndarray) -> np.ndarray:
    """Divide contributions by the largest of the sum's sign; the others are 0."""
    upright = np.nan_to_num(contributions) * np.sign(np.nansum(contributions))
    return np.maximum(upright, 0) / max(upright.max(), 1e-300)


def name_seqlets(
    seqlets: pd.DataFrame,
    contributions: np.ndarray,
    codes: np.ndarray,
    motifs: Sequence[Motif],
    threshold: float = MOST_Q,
) -> pd.DataFrame:
    """Name the known motif that each seqlet is most like, by Tomtom.

    Parameters
    ----------
    seqlets
        From :func:`find_seqlets`.
    contributions, codes
        Of the sequences: ``(sequences, length)``; codes are uint8.
    motifs
        Known ones.
    threshold
        Largest q-value of a likeness, over the motifs.

    Returns
    -------
    The seqlets with motif, alt, motif_strand (along the sequence), motif_start, motif_end (in
    the sequence), motif_p, motif_q; without a motif that is like it they are missing.
    """
    columns = ["motif", "alt", "motif_strand", "motif_start", "motif_end", "motif_p", "motif_q"]
    if seqlets.empty or not motifs:
        return seqlets.reindex(columns=[*seqlets.columns, *columns])
    queries = [
        as_motif(
            contributions[its.row, its.start : its.end], codes[its.row, its.start : its.end],
            str(its.Index),
        )
        for its in seqlets.itertuples()
    ]  # fmt: skip
    found = compare(queries, motifs, threshold).drop_duplicates("Query_ID")
    by_name = {motif.name: motif for motif in motifs}
    seqlet = found["Query_ID"].astype(seqlets.index.dtype)
    start = seqlets["start"].loc[seqlet].to_numpy() - found["Optimal_offset"].to_numpy()
    width = found["Target_ID"].map({name: motif.width for name, motif in by_name.items()})
    named = pd.DataFrame(
        {
            "motif": found["Target_ID"],
            "alt": found["Target_ID"].map({name: motif.alt for name, motif in by_name.items()}),
            "motif_strand": found["Orientation"],
            "motif_start": start,
            "motif_end": start + width.to_numpy(),
            "motif_p": found["p-value"],
            "motif_q": found["q-value"],
        }
    )
    return seqlets.join(named.set_index(seqlet.to_numpy()))
