"""The dictionary of a layer: its motifs, each once, whichever strand, and how much is chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cisgrammar.common.seeds import derive_seed
from cisgrammar.interpret.neurons.segments import Segment
from cisgrammar.motifs.meme import Motif, consensus
from cisgrammar.motifs.tomtom import best_p_values, compare, q_values, shuffle_columns

GROUPED = 0.01  # q-value of segments that are one entry
NAMED = 0.001  # q-value of an entry that a segment of another group is called by
LEAST_INFORMATION = 6.0  # bits of an entry: less is found anywhere
OWN = 0.05  # and of the entry of its own group
ENOUGH = 100  # motifs that p-values are estimated from
MOST = 3000  # segments, the best of a layer, of which entries are made


@dataclass(frozen=True)
class Entry:
    """A motif of a layer.

    Parameters
    ----------
    name
        ``m0``, ``m1``, ...
    motif
        The segment of the group with the highest score: the best example of it.
    segments
        Names of the segments of its group.
    """

    name: str
    motif: Motif
    segments: list[str]


def build_dictionary(segments: Sequence[Segment], seed: int = 1) -> list[Entry]:
    """Group the segments of a layer that resemble each other on either strand.

    Parameters
    ----------
    segments
        Of all neurons.
    seed
        For the shuffled motifs that fill up a small set.

    Returns
    -------
    Entries, the one with the best example first.

    Notes
    -----
    Wei et al. (2023), "Dictionary", who compare one strand and build it neuron by neuron. Greedy
    here: from the segment with the highest score on, each opens an entry or joins the first whose
    segment it matches. Published groups keep their longest segment; in deep layers it is the one
    with the most chance neighbours. Segments with little information open none.
    """
    known = [segment for segment in segments if segment.information >= LEAST_INFORMATION]
    good = sorted(known, key=lambda s: (-round(s.score, 6), s.motif.name))[:MOST]
    motifs = [segment.motif for segment in good]
    if not motifs:
        return []
    alike = _q_among(motifs, seed) < GROUPED
    opened: list[int] = []
    members: dict[int, list[str]] = {}
    for i, motif in enumerate(motifs):
        owner = next((j for j in opened if alike[i, j] or alike[j, i]), None)
        if owner is None:
            opened.append(i)
            members[i] = []
            owner = i
        members[owner].append(motif.name)
    return [
        Entry(
            f"m{k}",
            Motif(f"m{k}", motifs[i].matrix, motifs[i].n_sites),
            members[i],
        )
        for k, i in enumerate(opened)
    ]


def _q_among(motifs: list[Motif], seed: int) -> np.ndarray:
    """Compare motifs with each other: q-values ``(n, n)``."""
    targets = filled_up(motifs, seed)
    return q_values(best_p_values(motifs, targets))[:, : len(motifs)]


def filled_up(motifs: Sequence[Motif], seed: int) -> list[Motif]:
    """Add column-shuffled motifs where there are too few to estimate p-values from."""
    filled, turn = list(motifs), 0
    while motifs and len(filled) < ENOUGH:
        shuffled = shuffle_columns(motifs, derive_seed(seed, "fill up", turn))
        filled += [Motif(f"{m.name}~{turn}", m.matrix, m.n_sites) for m in shuffled]
        turn += 1
    return filled


def annotate(segments: Sequence[Segment], entries: Sequence[Entry], seed: int = 1) -> pd.DataFrame:
    """Say which entry each segment shows, and where it lies.

    Returns
    -------
    segment (index), entry, strand, start, end (in the neuron's field, 0-based, half-open), q;
    segments that show none are left out.
    """
    columns = ["entry", "strand", "start", "end", "q"]
    names = {entry.name for entry in entries}
    widths = {entry.name: entry.motif.width for entry in entries}
    if not entries:
        return pd.DataFrame(columns=columns, index=pd.Index([], name="segment"))
    targets = filled_up([entry.motif for entry in entries], seed)
    table = compare([s.motif for s in segments], targets, OWN)
    owners = {name: entry.name for entry in entries for name in entry.segments}
    own = table["Query_ID"].map(owners) == table["Target_ID"]
    called = table["Target_ID"].isin(names) & (own | (table["q-value"] <= NAMED))
    table = table.assign(own=own)[called].sort_values("own", ascending=False, kind="stable")
    wide = table["Target_ID"].map(widths)
    wide_own = table["Query_ID"].map({s.motif.name: s.motif.width for s in segments})
    table = table[table["Overlap"] >= 0.5 * np.minimum(wide, wide_own)]
    best = table.drop_duplicates("Query_ID").set_index("Query_ID").rename_axis("segment")
    starts = best.index.map({s.motif.name: s.start for s in segments})
    start = starts.to_numpy(dtype=int) - best["Optimal_offset"].to_numpy(dtype=int)
    return pd.DataFrame(
        {
            "entry": best["Target_ID"],
            "strand": best["Orientation"],
            "start": start,
            "end": start + best["Target_ID"].map(widths).to_numpy(dtype=int),
            "q": best["q-value"],
        }
    )[columns]


def entry_table(entries: Sequence[Entry], segments: Sequence[Segment]) -> pd.DataFrame:
    """Describe entries: entry, consensus, width, information, n_segments, n_neurons, segments."""
    by_name = {segment.motif.name: segment for segment in segments}
    rows = [
        {
            "entry": entry.name,
            "consensus": consensus(entry.motif.matrix),
            "width": entry.motif.width,
            "information": max(by_name[name].information for name in entry.segments),
            "n_segments": len(entry.segments),
            "n_neurons": len({by_name[name].neuron for name in entry.segments}),
        }
        for entry in entries
    ]
    columns = ["entry", "consensus", "width", "information", "n_segments", "n_neurons"]
    return pd.DataFrame(rows, columns=columns)
