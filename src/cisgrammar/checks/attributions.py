"""Checks of what contributions of bases are asked for: regions, names and labels."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import pandas as pd

from cisgrammar.checks.findings import Findings
from cisgrammar.checks.settings import InputFiles, Settings
from cisgrammar.common.inputs import examples, nearest
from cisgrammar.genome.fasta import match_chromosomes
from cisgrammar.genome.regions import read_bed
from cisgrammar.models.registry import MODELS, POPULATIONS


def check_attributions(files: InputFiles, settings: Settings, found: Findings) -> None:
    """Check that the regions, names and labels of the section are those of the data."""
    section = settings.attributions
    if section is None:
        return
    _check_regions(files, section["bed"], found)
    _check_names(section["names"], found)
    labels = [*(section["labels"] or []), *(x for pair in section["differences"] for x in pair)]
    for name in section["models"]:
        known = _labels_of(name, section["by"], settings, found)
        if known is None:
            continue
        absent = [label for label in dict.fromkeys(labels) if label not in known]
        if absent:
            found.problems.add(
                f"attributions: {examples(absent)} is none of the {len(known):,} labels that "
                f"{name} predicts: {examples(sorted(known), 10)}.{nearest(absent[0], known)} "
                "Correct `attributions.labels` or `attributions.differences`, or say in "
                "`attributions.models` which models are asked."
            )


def _labels_of(
    model: str, by: str | None, settings: Settings, found: Findings
) -> Collection[str] | None:
    """Give the labels of a model's targets as far as they are known before a run."""
    if MODELS[model].data is POPULATIONS:
        return None if found.populations is None else found.populations.tolist()
    column = by or "cell_type"
    clustered = column == "cell_type" and settings.cells.clusters
    if found.labelled is None or clustered or column not in found.labelled:
        return None
    return pd.unique(found.labelled[column].astype(str)).tolist()


def _check_regions(files: InputFiles, bed: str | None, found: Findings) -> None:
    if bed is None or not Path(bed).is_file():  # a download may be still to come
        return
    regions = found.attempt(read_bed, bed, "attributions.bed")
    if regions is None or found.sizes is None:
        return
    there = pd.unique(regions["chrom"])
    names = match_chromosomes(there, found.sizes)
    if not names:
        found.problems.add(
            f"{bed}: none of its chromosomes ({examples(there)}) is in {files.fasta} "
            f"({examples(list(found.sizes))}). They are named differently, or the regions are of "
            "another species: correct `attributions.bed`."
        )
    n = int(regions["chrom"].isin(names).sum())
    note = f"{len(regions) - n:,} are on other chromosomes and left out" if n < len(regions) else ""
    found.add("regions to explain", f"{n:,} of {len(regions):,}", note, n < len(regions))


def _check_names(names: Sequence[str] | None, found: Findings) -> None:
    if names is None or found.targets is None:
        return
    known = set(found.targets.astype(str))
    if found.genes is not None:  # beside peaks, scXpresso learns genes
        known |= set(found.genes.astype(str))
    if found.tss is not None:
        known |= set(found.tss["gene_name"].astype(str))
    if absent := [name for name in names if name not in known]:
        found.problems.add(
            f"attributions: {len(absent):,} of {len(names):,} names ({examples(absent)}) are "
            f"neither genes nor peaks of the data.{nearest(absent[0], list(known))} Correct "
            "`attributions.names`."
        )
