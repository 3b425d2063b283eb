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
FDR = 0.05
NULL_QUANTILES = (0.2, 0.8)  # between them sums are taken to be of chance
SCAN_P = 1e-3  # of a motif's match, before contributions are asked
MOST_P = 0.05  # of chance that contributions follow a motif as closely
COLUMNS = ["row", "start", "end", "contribution", "p"]


def find_seqlets(contributions: np.ndarray, width: int = WIDTH, fdr: float = FDR) -> pd.DataFrame:
    """Find the stretches whose sum of contributions is larger than those of the rest.

    Parameters
    ----------
    contributions
        Of the bases that stand there: ``(sequences, length)``; NaN where nothing was asked.
    width
        Bases of a stretch.
    fdr
        Share of chance that is allowed among the seqlets, by Benjamini and Hochberg.

    Returns
    -------
    row, start, end (in the sequence), contribution (sum, with its sign), p. In each sequence the
    largest first; seqlets do not overlap.

    Notes
    -----
    As in TF-MoDISco (Shrikumar et al. 2018): most stretches hold no site, so a Laplace
    distribution is laid through the inner part of all sums, about their median and apart for the
    two sides. A stretch's p-value is that distribution's tail.
    """
    if contributions.shape[1] < width or not len(contributions):
        return pd.DataFrame(columns=COLUMNS)
    sums = np.lib.stride_tricks.sliding_window_view(contributions, width, axis=1).sum(axis=2)
    p = _tails(sums)
    limit = _threshold(p[np.isfinite(p)], fdr)
    found = []
    for row in np.flatnonzero((p <= limit).any(axis=1)):
        places = np.flatnonzero(p[row] <= limit)
        free = np.ones(sums.shape[1], dtype=bool)
        for start in places[np.argsort(-np.abs(sums[row, places]), kind="stable")]:
            if free[start]:
                free[max(start - width + 1, 0) : start + width] = False
                found.append((row, start, start + width, sums[row, start], p[row, start]))
    table = pd.DataFrame(found, columns=COLUMNS)
    return table.astype({"row": int, "start": int, "end": int})


def _tails(sums: np.ndarray) -> np.ndarray:
    """Give the p-value of each sum; NaN stays NaN."""
    p = np.full(sums.shape, np.nan)
    known = np.isfinite(sums)
    if not known.any():
        return p
    values = sums[known]
    low, middle, high = np.quantile(values, (NULL_QUANTILES[0], 0.5, NULL_QUANTILES[1]))
    above = values >= middle
    # a side of a Laplace distribution falls from 1/2 at its middle to 1/5 at that quantile
    scale = np.where(above, high - middle, middle - low) / np.log(0.5 / NULL_QUANTILES[0])
    distance = np.abs(values - middle)
    # where nothing varies, whatever differs stands out
    tail = np.exp(-distance / np.where(scale > 0, scale, np.inf))
    tail[(scale == 0) & (distance > 0)] = 0
    p[known] = np.where(np.sign(values) == np.where(above, 1, -1), tail, 1)
    return p


def _threshold(p: np.ndarray, fdr: float) -> float:
    """Find the largest p-value that counts, by Benjamini and Hochberg; below 0 if none does."""
    ordered = np.sort(p)
    passing = np.flatnonzero(ordered <= fdr * np.arange(1, len(p) + 1) / max(len(p), 1))
    return float(ordered[passing[-1]]) if passing.size else -1.0


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
