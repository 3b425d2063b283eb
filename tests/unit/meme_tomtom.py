"""MEME's Tomtom restated from its procedure, plainly and slowly, to compare ours with.

Nothing is approximated: medians are found by sorting, the null distribution of every run of
query columns by convolution, that of the best alignment by multiplying distributions.
"""

from dataclasses import dataclass

import numpy as np

BINS = 100  # of scores, as in tomtom.c
PSEUDOCOUNT, DEFAULT_SITES = 0.1, 20


@dataclass(frozen=True)
class Match:
    """The better strand of a target: MEME's columns."""

    p: float
    offset: int
    overlap: int
    orientation: str


def smoothed(motif):
    """Add 0.1 x background (uniform) to the counts of each column."""
    sites = motif.n_sites if motif.n_sites > 0 else DEFAULT_SITES
    return (motif.matrix * sites + PSEUDOCOUNT * 0.25) / (sites + PSEUDOCOUNT)


def matches(query, targets):
    """Compare one motif with all targets: a :class:`Match` for each."""
    strands = [s for t in targets for s in (smoothed(t), smoothed(t)[::-1, ::-1])]
    scores, zero = _integer_scores(smoothed(query), np.hstack(strands))
    null = _Null(scores, zero)
    found, first = [], 0
    for i, strand in enumerate(strands):
        width = strand.shape[1]
        score, overlap, offset = _best_alignment(scores[:, first : first + width] - zero)
        first += width
        found.append(Match(null.p(score, width), offset, overlap, "+-"[i % 2]))
    # MEME sorts by p-value, then the longer overlap, then +; the first is kept.
    pairs = zip(found[::2], found[1::2], strict=True)
    return [min(pair, key=lambda m: (m.p, -m.overlap, m.orientation)) for pair in pairs]


def _integer_scores(query, columns):
    """Scores ``(width, columns)`` as integers of 0..BINS, and the integer that means 0."""
    scores = -np.sqrt(((query[:, :, None] - columns[:, None, :]) ** 2).sum(axis=0))
    ranked = np.sort(scores, axis=1)
    n = scores.shape[1]
    # MEME's positions are one below those of the median.
    low, high = int(np.floor(n / 2)) - 1, int(np.ceil(n / 2)) - 1
    scores -= ((ranked[:, low] + ranked[:, high]) / 2)[:, None]
    floor = np.floor(scores.min())
    scale = np.floor(BINS / (scores.max() - floor))
    return np.floor((scores - floor) * scale + 0.5).astype(int), int(-floor * scale)


def _best_alignment(scores):
    """Highest sum over an overlap of one or more; of equals the longest, then the first."""
    n_query, n_target = scores.shape
    sums = []
    for offset in range(1 - n_query, n_target):
        diagonal = np.diagonal(scores, offset)
        sums.append((diagonal.sum(), len(diagonal), -offset))
    score, overlap, offset = max(sums)
    return score, overlap, -offset


class _Null:
    """How the best alignment with random columns scores."""

    def __init__(self, scores, zero):
        n_query = len(scores)
        histograms = [np.bincount(row, minlength=BINS + 1) / row.size for row in scores]
        self.n_query, self.lowest = n_query, -n_query * zero
        size = n_query * (BINS + zero) + 1
        self.runs = {}  # (first, last + 1): probabilities of sums from `lowest` on
        for first in range(n_query):
            pmf = np.ones(1)
            for last in range(first, n_query):
                pmf = np.convolve(pmf, histograms[last])
                start = -(last + 1 - first) * zero - self.lowest
                self.runs[first, last + 1] = np.zeros(size)
                self.runs[first, last + 1][start : start + len(pmf)] = pmf
        self.tails = {}

    def p(self, score, width):
        """Chance that the best of all alignments on both strands scores as much."""
        if width not in self.tails:
            self.tails[width] = self._tail(width)
        return self.tails[width][score - self.lowest]

    def _tail(self, width):
        """Tail of the maximum: adding up what is left keeps small p-values exact."""
        none_above = 0.0  # log of the chance that no alignment reaches a score
        for offset in range(1 - self.n_query, width):
            run = max(-offset, 0), min(self.n_query, width - offset)
            tail = np.cumsum(self.runs[run][::-1])[::-1]
            with np.errstate(divide="ignore"):
                none_above = none_above + 2 * np.log1p(-np.minimum(tail, 1))
        return -np.expm1(none_above)
