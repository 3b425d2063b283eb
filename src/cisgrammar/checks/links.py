"""Checks of links of peaks and genes: promoters and candidates, and the files of truth."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from cisgrammar.checks.findings import Findings
from cisgrammar.checks.settings import InputFiles, Settings
from cisgrammar.evaluate.link_truth import read_pairs, read_places
from cisgrammar.genome.candidates import Candidates, find_candidates
from cisgrammar.genome.fasta import match_chromosomes
from cisgrammar.genome.gene_match import genes_of_counts
from cisgrammar.genome.peaks import place

READERS: dict[str, Callable[[str], pd.DataFrame]] = {
    "pairs": read_pairs,
    "enhancers": read_places,
    "interactions": lambda path: read_places(path, 6),
    "eqtls": read_places,
}


def check_links(files: InputFiles, settings: Settings, found: Findings) -> None:
    """Check that genes have promoters and candidates, and read what is known about links."""
    section = settings.links
    if section is None or found.problems.messages:
        return
    if found.targets is not None and found.genes is not None and found.tss is not None:
        result = found.attempt(_candidates, files, settings, section, found)
        if result is not None:
            candidates, left_out = result
            n = len(candidates) + len(left_out)
            reasons = left_out["reason"].value_counts()
            note = "; ".join(f"{reason}: {number:,}" for reason, number in reasons.items())
            text = f"{len(candidates):,} of {n:,} genes, {len(candidates.peaks):,} pairs"
            found.add("links", text, note, len(candidates) < n / 2)
    for kind, path in section["truth"].items():
        if path and Path(path).is_file():
            table = found.attempt(READERS[kind], path)
            if table is not None:
                found.add(f"truth of links ({kind})", f"{len(table):,} rows")


def _candidates(
    files: InputFiles, settings: Settings, section: dict[str, Any], found: Findings
) -> tuple[Candidates, pd.DataFrame]:
    assert found.targets is not None and found.genes is not None and found.tss is not None
    where = ", ".join(map(str, files.of_peaks))
    peaks = place(found.targets.unique(), where, files.peak_bed)[0]
    style = settings.genome.chromosomes
    mapping = match_chromosomes(found.tss["chrom"], peaks["chrom"].unique(), style)
    tss, _ = genes_of_counts(found.genes.unique(), found.tss, mapping)
    tss = tss.assign(chrom=tss["chrom"].map(mapping))
    reach = {key: section[key] for key in ("reach", "promoter_reach")}
    candidates, left_out, _ = find_candidates(peaks, tss, **reach)
    return candidates, left_out
