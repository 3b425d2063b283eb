"""Contributions of bases on the genome's plus strand: a track, seqlets as BED and table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyBigWig

from cisgrammar.common.files import whole_file
from cisgrammar.interpret.contributions import Attributions, motif_names
from cisgrammar.interpret.seqlets import find_seqlets, name_seqlets
from cisgrammar.motifs.meme import Motif

SEQLET_COLUMNS = [
    "sequence", "chrom", "start", "end", "contribution", "p", "motif", "alt", "motif_strand",
    "motif_start", "motif_end", "motif_p", "motif_q",
]  # fmt: skip


def chromosome_sizes(folder: str | Path, windows: pd.DataFrame) -> dict[str, int]:
    """Find how long chromosomes are, for the header of a track.

    Parameters
    ----------
    folder
        Of the results of a data set, where ``genome/*.fai`` may be.
    windows
        chrom, end. A chromosome that no index has is as long as its windows reach.
    """
    sizes = windows.groupby("chrom", sort=True)["end"].max().astype(int).to_dict()
    for index in sorted(Path(folder).glob("genome/*.fai")):
        lines = [line.split("\t") for line in index.read_text(encoding="utf-8").splitlines()]
        there = {line[0]: int(line[1]) for line in lines}
        if set(sizes) <= set(there):
            return there
    return {str(chrom): size for chrom, size in sizes.items()}


def write_bigwig(attributions: Attributions, sizes: Mapping[str, int], path: str | Path) -> None:
    """Write what each base contributes as a bigWig; where windows overlap, their mean.

    Parameters
    ----------
    attributions
        Of windows in the genome.
    sizes
        Length of each chromosome; what windows have beyond it is left out.
    path
        The file.
    """
    with whole_file(path) as temporary:
        track = pyBigWig.open(str(temporary), "w")
        track.addHeader([(chrom, size) for chrom, size in sizes.items()])
        for chrom in sizes:
            for start, values in stretches_of(attributions, chrom, sizes[chrom]):
                track.addEntries(chrom, start, values=values, span=1, step=1)
        track.close()


def stretches_of(
    attributions: Attributions, chrom: str, size: int
) -> Iterator[tuple[int, np.ndarray]]:
    """Yield start and contributions of each unbroken stretch of a chromosome's plus strand."""
    rows = np.flatnonzero((attributions.windows["chrom"] == chrom).to_numpy())
    if not len(rows):
        return
    windows, values = attributions.windows.iloc[rows], attributions.contributions[rows]
    minus = (windows["strand"] == "-").to_numpy()
    values[minus] = values[minus, ::-1]
    places = windows["start"].to_numpy()[:, None] + np.arange(values.shape[1])
    known = ~np.isnan(values) & (places >= 0) & (places < size)
    places, number = np.unique(places[known], return_inverse=True)
    if not len(places):
        return
    means = np.bincount(number, values[known]) / np.bincount(number)
    breaks = np.flatnonzero(np.diff(places) > 1) + 1
    for its, part in zip(np.split(places, breaks), np.split(means, breaks), strict=True):
        yield int(its[0]), part


def seqlet_table(attributions: Attributions, motifs: Sequence[Motif] = ()) -> pd.DataFrame:
    """Find seqlets, name the motifs that they are like, and place them in the genome.

    Parameters
    ----------
    attributions
        Of windows in the genome.
    motifs
        Known ones; without any, seqlets have no names.

    Returns
    -------
    sequence, chrom, start (0-based), end, contribution (sum), p, motif, alt, motif_strand,
    motif_start, motif_end, motif_p, motif_q: by sequence, the largest contribution first.
    """
    contributions, length = attributions.contributions, attributions.codes.shape[1]
    found = find_seqlets(contributions, attributions.chance)
    found = name_seqlets(found, contributions, attributions.codes, motifs)
    windows = attributions.windows.iloc[found["row"].to_numpy(dtype=np.int64)]
    minus, origin = (windows["strand"] == "-").to_numpy(), windows["start"].to_numpy()
    table = found.assign(sequence=windows.index.to_numpy(), chrom=windows["chrom"].to_numpy())
    for first, last in (("start", "end"), ("motif_start", "motif_end")):
        one, other = found[first].to_numpy(dtype=float), found[last].to_numpy(dtype=float)
        table[first] = origin + np.where(minus, length - other, one)
        table[last] = origin + np.where(minus, length - one, other)
    turned = found["motif_strand"].map({"+": "-", "-": "+"})
    table["motif_strand"] = found["motif_strand"].where(~minus, turned)
    whole = dict.fromkeys(("start", "end", "motif_start", "motif_end"), "Int64")
    return table.astype(whole)[SEQLET_COLUMNS].reset_index(drop=True)


def write_seqlets(seqlets: pd.DataFrame, path: str | Path) -> None:
    """Write seqlets as BED6: the motif's name or a dot, up to 1000 by contribution, its strand."""
    largest = seqlets["contribution"].abs().max()
    table = pd.DataFrame(
        {
            "chrom": seqlets["chrom"],
            "start": seqlets["start"],
            "end": seqlets["end"],
            "name": motif_names(seqlets).str.replace(r"\s", "_", regex=True),
            "score": (1000 * seqlets["contribution"].abs() / largest).fillna(0).round().astype(int),
            "strand": seqlets["motif_strand"].fillna("."),
        }
    )
    table.loc[table["name"] == "", "name"] = "."
    inside = table[table["start"] >= 0].sort_values(["chrom", "start", "end"], kind="stable")
    with whole_file(path) as temporary:
        inside.to_csv(temporary, sep="\t", header=False, index=False, lineterminator="\n")
