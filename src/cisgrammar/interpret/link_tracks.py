"""Links as tracks: BEDPE, UCSC's interact, and a BED of peaks for each cell type."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from cisgrammar.common.files import whole_file

HIGHEST = 1000  # UCSC's scores go from 0 to it
COLOURS = {"+": "213,94,0", "-": "0,114,178", "": "120,120,120"}
INTERACT = (
    'track type=interact name="{name}" description="{name}: peaks and the genes they drive" '
    "interactDirectional=true useScore=on visibility=full\n"
)


def _scores(score: pd.Series) -> np.ndarray:
    """Scale scores to 0 to 1000, the highest 1000."""
    top = score.max() if len(score) else 1.0
    return np.rint(HIGHEST * score.clip(lower=0) / (top or 1.0)).astype(int).to_numpy()


def write_bedpe(links: pd.DataFrame, promoters: pd.DataFrame, path: str | Path) -> None:
    """Write peak and promoter of each link.

    Parameters
    ----------
    links
        gene, gene_name, peak, chrom, start, end, promoter_peak, link_score.
    promoters
        start and end by name of the promoter's peak.
    path
        Ten columns: the last two are strands, which peaks have none of.
    """
    ends = promoters.loc[links["promoter_peak"], ["start", "end"]].to_numpy()
    names = links["gene_name"] + "|" + links["peak"]
    rows = zip(links["chrom"], links["start"], links["end"], links["chrom"], ends[:, 0],
               ends[:, 1], names, _scores(links["link_score"]), strict=True)  # fmt: skip
    _write((("\t".join(map(str, row)) + "\t.\t.\n") for row in rows), path)


def write_interact(
    links: pd.DataFrame, promoters: pd.DataFrame, path: str | Path, name: str
) -> None:
    """Write UCSC's interact format, a track line first.

    Parameters
    ----------
    links, promoters, path
        As for :func:`write_bedpe`; also sign and best_cell_type.
    name
        Of the track.
    """
    ends = promoters.loc[links["promoter_peak"], ["start", "end"]].to_numpy()
    lines = [INTERACT.format(name=name)]
    scores = _scores(links["link_score"])
    for link, (start, end), score in zip(links.itertuples(), ends, scores, strict=True):
        fields = (
            link.chrom, min(link.start, start), max(link.end, end),
            f"{link.gene_name}|{link.peak}", score, f"{link.link_score:.6g}", link.best_cell_type,
            COLOURS[link.sign], link.chrom, link.start, link.end, link.peak, ".", link.chrom,
            start, end, link.gene_name, ".",
        )  # fmt: skip
        # columns are told apart by blanks there, so that names must have none
        lines.append("\t".join(str(field).replace(" ", "_") for field in fields) + "\n")
    _write(lines, path)


def write_beds(links: pd.DataFrame, folder: str | Path) -> list[Path]:
    """Write the linking peaks of each cell type, BED6: name is the genes, strand a dot.

    Parameters
    ----------
    links
        gene_name, peak, chrom, start, end, link_score, best_cell_type.
    folder
        Gets ``{cell type}.bed``, with a number in place of what a file's name cannot hold.
    """
    paths = []
    for number, (cell_type, its) in enumerate(links.groupby("best_cell_type", sort=True)):
        merged = its.assign(score=_scores(its["link_score"])).groupby(
            ["chrom", "start", "end", "peak"], sort=True, as_index=False, observed=True
        )
        table = merged.agg(genes=("gene_name", ",".join), score=("score", "max"))
        safe = str(cell_type) if str(cell_type).replace("_", "").isalnum() else f"type{number}"
        path = Path(folder) / f"{safe}.bed"
        rows = zip(*(table[column] for column in ("chrom", "start", "end", "genes", "score")),
                   strict=True)  # fmt: skip
        _write(("\t".join(map(str, row)) + "\t.\n" for row in rows), path)
        paths.append(path)
    return paths


def _write(lines: Iterable[str], path: str | Path) -> None:
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.writelines(lines)
