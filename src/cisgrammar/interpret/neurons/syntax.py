"""Syntax: in which order, how far apart, a neuron's motifs stand, as a tree of joins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from cisgrammar.interpret.neurons.facets import Facet
from cisgrammar.interpret.neurons.segments import Segment

OUTLIER = 4  # bases from the median, beyond which a gap may be left out
KEPT = 0.8  # share of the sequences that must remain


@dataclass(frozen=True)
class Site:
    """An entry of the dictionary within a facet: where, and on which strand."""

    entry: str
    strand: str
    start: int
    end: int

    @property
    def word(self) -> str:
        """Entry and strand."""
        return f"{self.entry}{self.strand}"


@dataclass(frozen=True)
class Node:
    """A motif of a neuron, or two nodes that stand next to each other.

    Parameters
    ----------
    words
        Its motifs from left to right.
    left, right
        What it joins; None of a motif.
    gaps
        Least and most bases between both; negative where they overlap.
    facets
        Numbers of the facets that show it.
    weight
        Sequences of these.
    """

    words: tuple[str, ...]
    left: Node | None = None
    right: Node | None = None
    gaps: tuple[int, int] | None = None
    facets: tuple[int, ...] = ()
    weight: int = 0

    @property
    def text(self) -> str:
        """Write it in brackets, with the gaps: ``(m0+ [3] m1-)``."""
        if self.left is None or self.right is None or self.gaps is None:
            return self.words[0]
        low, high = self.gaps
        gap = f"{low}" if low == high else f"{low}..{high}"
        return f"({self.left.text} [{gap}] {self.right.text})"

    @property
    def kind(self) -> str:
        """``hard``: one gap; ``soft``: a range; ``motif``."""
        if self.gaps is None:
            return "motif"
        return "hard" if self.gaps[0] == self.gaps[1] else "soft"

    def joins(self) -> list[Node]:
        """List the joins in it, the innermost first."""
        if self.left is None or self.right is None:
            return []
        return [*self.left.joins(), *self.right.joins(), self]


def sites_of(
    neuron: int, n_facets: int, segments: Sequence[Segment], named: pd.DataFrame
) -> list[list[Site]]:
    """List the sites in each facet of a neuron, from left to right; one where entries overlap.

    Parameters
    ----------
    neuron, n_facets
        Whose.
    segments
        Of the layer.
    named
        Of :func:`cisgrammar.interpret.neurons.dictionary.annotate`.
    """
    sites: list[list[Site]] = [[] for _ in range(n_facets)]
    for segment in segments:
        if segment.neuron == neuron and segment.motif.name in named.index:
            row = named.loc[segment.motif.name]
            sites[segment.facet].append(
                Site(row["entry"], row["strand"], int(row["start"]), int(row["end"]))
            )
    return [_apart(sorted(each, key=lambda site: site.start)) for each in sites]


def _apart(sites: Sequence[Site]) -> list[Site]:
    """Leave out, from left to right, what lies on another site by half of the shorter or more."""
    kept: list[Site] = []
    for site in sites:
        shared = kept[-1].end - site.start if kept else 0
        widths = [each.end - each.start for each in (site, *kept[-1:])]
        if 2 * shared < min(widths):
            kept.append(site)
    return kept


def syntax_tree(facets: Sequence[Facet], sites: Sequence[Sequence[Site]]) -> Node | None:
    """Join the motifs of a neuron that stand together, those at the narrowest gap first.

    Parameters
    ----------
    facets
        Of the neuron.
    sites
        Of each facet.

    Returns
    -------
    The tree of its longest combination; None where no facet shows two motifs.

    Notes
    -----
    Wei et al. (2023), "Motif syntax tree". Facets of other strands or of other motifs are not
    aligned to the longest combination; those that lack some of its motifs are. Of ties for the
    longest, the one with the most sequences is taken. A gap is the range over facets, without
    outliers where most sequences remain. The published code does not shorten its list of mean
    gaps after a join, so that ties look at the wrong ones.
    """
    combinations: dict[tuple[str, ...], int] = {}
    for facet, its in zip(facets, sites, strict=True):
        words = tuple(site.word for site in its)
        combinations[words] = combinations.get(words, 0) + len(facet.rows)
    longest = max(combinations, key=lambda words: (len(words), combinations[words]), default=())
    if len(longest) < 2:
        return None
    nodes = []
    for i, word in enumerate(longest):
        showing = [k for k, its in enumerate(sites) if _aligned(its, longest)[i] is not None]
        weight = sum(len(facets[k].rows) for k in showing)
        nodes.append((i, i, Node((word,), facets=tuple(showing), weight=weight)))
    aligned = [_aligned(its, longest) for its in sites]
    while len(nodes) > 1:
        found = [_joined(a, b, aligned, facets) for a, b in pairwise(nodes)]
        widths = [
            (node.gaps[1] - node.gaps[0], node.gaps[0]) if node.gaps else (10**6, 0)
            for node in found
        ]
        k = min(range(len(found)), key=widths.__getitem__)
        if found[k].gaps is None:
            break
        nodes[k : k + 2] = [(nodes[k][0], nodes[k + 1][1], found[k])]
    return max((node for _, _, node in nodes), key=lambda node: len(node.words))


def _aligned(sites: Sequence[Site], words: tuple[str, ...]) -> list[Site | None]:
    """Match a facet's sites to a combination in order: all of them, or none of the facet."""
    found: list[Site | None] = [None] * len(words)
    at = 0
    for site in sites:
        while at < len(words) and words[at] != site.word:
            at += 1
        if at == len(words):
            return [None] * len(words)
        found[at] = site
        at += 1
    return found


def _joined(
    left: tuple[int, int, Node],
    right: tuple[int, int, Node],
    aligned: Sequence[Sequence[Site | None]],
    facets: Sequence[Facet],
) -> Node:
    """Join two neighbours, over the facets that show both."""
    gaps, weights, showing = [], [], []
    for k, sites in enumerate(aligned):
        a, b = sites[left[1]], sites[right[0]]
        if a is not None and b is not None:
            gaps.append(b.start - a.end)
            weights.append(len(facets[k].rows))
            showing.append(k)
    spans = gap_range(np.array(gaps), np.array(weights)) if gaps else None
    words = left[2].words + right[2].words
    return Node(words, left[2], right[2], spans, tuple(showing), sum(weights))


def gap_range(gaps: np.ndarray, weights: np.ndarray) -> tuple[int, int]:
    """Give the least and most of gaps, without outliers where most of the weight remains.

    Examples
    --------
    >>> gap_range(np.array([3, 3, 20]), np.array([50, 45, 5]))
    (3, 3)
    """
    order = np.argsort(gaps, kind="stable")
    middle = gaps[order][np.searchsorted(np.cumsum(weights[order]), weights.sum() / 2)]
    near = np.abs(gaps - middle) <= OUTLIER
    kept = gaps[near] if weights[near].sum() >= KEPT * weights.sum() else gaps
    return int(kept.min()), int(kept.max())
