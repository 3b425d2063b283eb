"""Seqlets: short stretches that contribute more to a prediction than chance would have it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cisgrammar.common.seeds import derive_seed
from cisgrammar.genome.sequence import N
from cisgrammar.interpret.mutagenesis import label_motifs
from cisgrammar.motifs.fimo import hits
from cisgrammar.motifs.meme import Motif

WIDTH = 15  # bases of a seqlet
FLANK = 5  # on both sides, where a motif may reach to
ERROR = 0.05  # chance that a shuffled sequence has a seqlet
SCAN_P = 1e-3  # of a motif's match, before contributions are asked
MOST_P = 0.05  # of chance that contributions follow a motif as closely
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
    row, start, end (in the sequence), contribution (sum, with its sign), p: the share of shuffled
    sequences whose largest sum, without its sign, is as large. By row, the largest first. Seqlets
    do not overlap.
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
                found.append((row, start, start + width, sums[row, start], p[row, start]))
    table = pd.DataFrame(found, columns=COLUMNS)
    return table.astype({"row": int, "start": int, "end": int})


def _sums(contributions: np.ndarray, width: int) -> np.ndarray:
    """Add up every stretch: ``(sequences, length - width + 1)``, none of shorter sequences."""
    if contributions.shape[1] < width:
        return np.empty((len(contributions), 0))
    windows = np.lib.stride_tricks.sliding_window_view(contributions, width, axis=1)
    return windows.sum(axis=2)


def name_seqlets(
    seqlets: pd.DataFrame,
    contributions: np.ndarray,
    codes: np.ndarray,
    motifs: Sequence[Motif],
    *,
    seed: int,
) -> pd.DataFrame:
    """Name the motif that each seqlet's bases and their contributions are like.

    Parameters
    ----------
    seqlets
        From :func:`find_seqlets`.
    contributions, codes
        Of the sequences: ``(sequences, length)``; codes are uint8.
    motifs
        Known ones.
    seed
        Of the shuffles by which a likeness is judged.

    Returns
    -------
    The seqlets with motif, alt, motif_strand (along the sequence), motif_start, motif_end (in
    the sequence), motif_r and motif_p
    (:func:`cisgrammar.interpret.mutagenesis.label_motifs`); empty or NaN where no motif matches
    that overlaps half of itself with the seqlet.
    """
    length = codes.shape[1]
    columns = ["motif", "alt", "motif_strand", "motif_start", "motif_end", "motif_r", "motif_p"]
    if seqlets.empty or not motifs:
        return seqlets.reindex(columns=[*seqlets.columns, *columns])
    size = min(int((seqlets["end"] - seqlets["start"]).iloc[0]) + 2 * FLANK, length)
    firsts = np.clip(seqlets["start"].to_numpy() - FLANK, 0, length - size)
    places = firsts[:, None] + np.arange(size)
    rows = seqlets["row"].to_numpy()[:, None]
    words, scores = codes[rows, places], np.nan_to_num(contributions[rows, places])
    words[np.isnan(contributions[rows, places])] = N  # nothing is known there
    fitting = [motif for motif in motifs if motif.width <= size]
    found = hits(words, [str(i) for i in range(len(words))], fitting, SCAN_P)
    matrices = {motif.name: motif.matrix for motif in fitting}
    by_seqlet, table = dict(list(found.groupby("sequence_name", sort=False))), []
    starts, ends = (seqlets[column].to_numpy() - firsts for column in ("start", "end"))
    for i, (word, score) in enumerate(zip(words, scores, strict=True)):
        if str(i) not in by_seqlet:
            continue
        its = by_seqlet[str(i)]
        shared = np.minimum(its["stop"], ends[i]) - np.maximum(its["start"] - 1, starts[i])
        its = its[2 * shared >= its["stop"] - its["start"] + 1]
        best = label_motifs(
            score.astype(np.float64), word, its, matrices, seed=derive_seed(seed, "seqlet", i)
        ).head(1)
        for hit in best[best["p"] <= MOST_P].itertuples():
            at = (hit.start + firsts[i], hit.end + firsts[i])
            table.append((seqlets.index[i], hit.motif, hit.alt, hit.strand, *at, hit.r, hit.p))
    named = pd.DataFrame(table, columns=["seqlet", *columns]).set_index("seqlet")
    return seqlets.join(named)
