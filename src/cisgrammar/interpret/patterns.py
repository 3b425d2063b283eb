"""Patterns: what recurs in contributions of bases, found by TF-MoDISco."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numba
import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view

from cisgrammar.common.errors import InputError
from cisgrammar.interpret.contributions import Attributions, read_contributions
from cisgrammar.motifs.clusters import core_consensus
from cisgrammar.motifs.meme import Motif, information_content

LEAST_SHARE = 0.3  # of a pattern's highest position, at its ends
WINDOW = 21  # bases whose sum makes a seqlet, in TF-MoDISco
LEAST_LENGTH = 41  # of these, with what is laid about them
PATTERN_COLUMNS = [
    *("motif", "label", "minus", "sign", "seqlets", "contribution", "information", "consensus"),
]
logger = logging.getLogger(__name__)
SEQLET_COLUMNS = ["motif", "sequence", "chrom", "start", "end", "strand", "contribution"]


@dataclass(frozen=True)
class Pattern:
    """Seqlets that look alike.

    Parameters
    ----------
    motif
        How often each base stands at each position, from the first to the last position that
        contributes a good share of what the best one does; ``n_sites`` counts the seqlets.
    contributions
        What each base contributes there, mean over the seqlets: ``(4, width)``.
    seqlets
        row (of the sequence), start, end (of the motif, 0-based in the sequence), strand (``+`` is
        that of the sequence), contribution (sum over the motif).
    """

    motif: Motif
    contributions: np.ndarray
    seqlets: pd.DataFrame

    @property
    def sign(self) -> str:
        """Say whether the pattern raises (``+``) or lowers (``-``) the prediction."""
        return "+" if self.contributions.sum() > 0 else "-"


def find_patterns(
    codes: np.ndarray,
    hypothetical: np.ndarray,
    prefix: str = "",
    *,
    max_seqlets: int = 2000,
    min_seqlets: int = 20,
    n_runs: int = 2,
) -> list[Pattern]:
    """Cluster the stretches that contribute most.

    Parameters
    ----------
    codes
        uint8 ``(sequences, length)``.
    hypothetical
        ``(sequences, 4, length)``: what each base would contribute; NaN counts as nothing.
    prefix
        Before the motifs' names, which are ``pos0``, ``pos1``, ..., ``neg0``, ...
    max_seqlets
        The most of each sign that are clustered: those that come first in the sequences' order.
    min_seqlets
        The least of a pattern.
    n_runs
        Of Leiden's clustering, of which the best is taken.

    Returns
    -------
    Patterns that raise the prediction, those with the most seqlets first, and then those that
    lower it.

    Raises
    ------
    InputError
        If sequences are too short.

    Notes
    -----
    Shrikumar et al. (2018), in Schreiber's modisco-lite. It runs in one thread, with seeds of its
    own, so that the same contributions give the same patterns.
    """
    if codes.shape[1] < LEAST_LENGTH:
        raise InputError(
            f"patterns: sequences of {codes.shape[1]} bases are too short for TF-MoDISco, which "
            f"cuts seqlets of {LEAST_LENGTH} out of them. Set `attributions.patterns: false`."
        )
    scores = np.nan_to_num(hypothetical).transpose(0, 2, 1).astype(np.float32, order="C")
    bases = np.eye(5, 4, dtype=np.float32)[codes]  # nothing of an N
    sums = sliding_window_view((bases * scores).sum(axis=2), WINDOW, axis=1).sum(axis=2)
    if not sums.min() < 0 < sums.max():
        logger.warning("%sno patterns are sought: all stretches have one sign", prefix)
        return []
    from modiscolite.tfmodisco import TFMoDISco  # slow to import

    threads = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        found = TFMoDISco(
            bases,
            scores,
            max_seqlets_per_metacluster=max_seqlets,
            min_metacluster_size=min_seqlets,
            final_min_cluster_size=min_seqlets,
            n_leiden_runs=n_runs,
        )
    finally:
        numba.set_num_threads(threads)
    return [
        _pattern(f"{prefix}{sign}{number}", pattern, bases * scores)
        for sign, patterns in zip(("pos", "neg"), found, strict=True)
        for number, pattern in enumerate(patterns or [])
    ]


def _pattern(name: str, found, actual: np.ndarray) -> Pattern:  # type: ignore[no-untyped-def]
    """Trim a pattern of modisco-lite, and say where its seqlets are."""
    height = np.abs(found.contrib_scores).sum(axis=1)
    inside = np.flatnonzero(height >= LEAST_SHARE * height.max())
    first, end = int(inside[0]), int(inside[-1]) + 1
    counts = found.sequence[first:end].T + 1e-9  # a column of Ns alone has none
    rows = []
    for seqlet in found.seqlets:
        turned = seqlet.is_revcomp
        start = seqlet.end - end if turned else seqlet.start + first
        its = (int(seqlet.example_idx), int(start), int(start) + end - first)
        rows.append((*its, "-" if turned else "+", actual[its[0], its[1] : its[2]].sum()))
    seqlets = pd.DataFrame(rows, columns=["row", "start", "end", "strand", "contribution"])
    motif = Motif(name, counts / counts.sum(axis=0), len(rows))
    return Pattern(motif, found.contrib_scores[first:end].T, seqlets)


def describe_patterns(patterns: Sequence[Pattern], found: Attributions) -> pd.DataFrame:
    """Describe the patterns of one label.

    Returns
    -------
    motif, label, minus, sign, seqlets (how many), contribution (mean sum over the motif),
    information (bits), consensus.
    """
    rows = [
        (
            *(pattern.motif.name, found.label or "", found.minus or "", pattern.sign),
            *(len(pattern.seqlets), pattern.seqlets["contribution"].mean()),
            *(
                information_content(pattern.motif.matrix).sum(),
                core_consensus(pattern.motif.matrix),
            ),
        )
        for pattern in patterns
    ]
    return pd.DataFrame(rows, columns=PATTERN_COLUMNS)


def place_seqlets(patterns: Sequence[Pattern], found: Attributions) -> pd.DataFrame:
    """Place the seqlets of patterns in the genome.

    Returns
    -------
    motif, sequence, chrom, start (0-based), end, strand (of the genome), contribution.
    """
    length, each = found.codes.shape[1], []
    for pattern in patterns:
        its = pattern.seqlets
        windows = found.windows.iloc[its["row"].to_numpy()]
        minus, origin = (windows["strand"] == "-").to_numpy(), windows["start"].to_numpy()
        start, end = its["start"].to_numpy(), its["end"].to_numpy()
        turned = its["strand"].map({"+": "-", "-": "+"})
        each.append(
            pd.DataFrame(
                {
                    "motif": pattern.motif.name,
                    "sequence": windows.index.to_numpy(),
                    "chrom": windows["chrom"].to_numpy(),
                    "start": origin + np.where(minus, length - end, start),
                    "end": origin + np.where(minus, length - start, end),
                    "strand": its["strand"].where(~minus, turned),
                    "contribution": its["contribution"],
                }
            )
        )
    return pd.concat(each, ignore_index=True) if each else pd.DataFrame(columns=SEQLET_COLUMNS)


def patterns_of_labels(
    files: Sequence[str], folder: str | Path, **how: int
) -> tuple[list[Motif], pd.DataFrame, pd.DataFrame]:
    """Find the patterns of several labels.

    Parameters
    ----------
    files
        Names of the labels' files, without their ending; motifs are called after them.
    folder
        Where these are: :func:`cisgrammar.interpret.contributions.write_contributions`.
    how
        As for :func:`find_patterns`.

    Returns
    -------
    Motifs, and the tables of :func:`describe_patterns` and :func:`place_seqlets`.
    """
    motifs, tables, seqlets = [], [], []
    for file in files:
        found = read_contributions(Path(folder) / f"{file}.h5")
        patterns = find_patterns(found.codes, found.hypothetical, f"{file}_", **how)
        motifs += [pattern.motif for pattern in patterns]
        tables.append(describe_patterns(patterns, found))
        seqlets.append(place_seqlets(patterns, found))
    both = (pd.concat(each, ignore_index=True) for each in (tables, seqlets))
    return motifs, *both
