"""Checks of populations of cells: their sizes, the genes' windows and features, bulk expression."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import pandas as pd

from cisgrammar.cells.populations import count_populations
from cisgrammar.checks.findings import Findings, with_sizes
from cisgrammar.checks.settings import InputFiles, Settings
from cisgrammar.common.inputs import examples
from cisgrammar.counts.labels import UNLABELLED
from cisgrammar.data.gene_features import GenomeFiles, describe_features
from cisgrammar.data.populations import (
    Steps,
    describe_genes,
    label_levels,
    place_genes,
    read_bulk,
)


def check_populations(files: InputFiles, settings: Settings, found: Findings) -> None:
    """Check that there are populations, and name those that are too small."""
    section = settings.populations
    if section is None or found.labelled is None:
        return
    labels = found.attempt(label_levels, found.labelled, section["levels"], files.named_counts)
    if labels is None:
        return
    counted = found.attempt(count_populations, labels, section["min_cells"], UNLABELLED)
    if counted is None:
        return
    kept, dropped = counted
    found.populations = kept.index
    note = f"left out: {_sizes(dropped)}" if len(dropped) else ""
    found.add("populations", f"{len(kept)}: {_sizes(kept)}", note, bool(len(dropped)))


def _sizes(populations: pd.DataFrame) -> str:
    names = populations["level"] + "/" + populations["label"]
    return with_sizes(pd.Series(populations["n_cells"].to_numpy(), names))


def check_gene_features(files: InputFiles, settings: Settings, found: Findings) -> None:
    """Check windows, half-life features, the user's table and bulk expression."""
    section, names = settings.populations, found.genes
    if section is None or names is None or found.tss is None or found.problems.messages:
        return
    assert files.annotation is not None  # the TSSs are from there
    genome = GenomeFiles(
        files.fasta, files.work, files.annotation, section["half_life"]["cds_gtf"],
        asdict(settings.genome),
    )  # fmt: skip
    window = {key: section[key] for key in ("upstream", "downstream", "drop_chromosomes")}
    placed = found.attempt(place_genes, names.unique(), genome, **window)
    if placed is None:
        return
    genes, _, steps = placed
    described = found.attempt(describe_genes, genes, genome, section, steps)
    if described is not None:
        genes, features = described
        _report(found, genes, features, steps)
    _check_bulk(found, section, genes, settings.genome.min_overlap)


def _report(found: Findings, genes: pd.DataFrame, features: pd.DataFrame, steps: Steps) -> None:
    counted = describe_features(features)["features"]
    dropped = [f"{step}: {n:,}" for step, n in steps if step.startswith("dropped") and n]
    found.add("genes of populations", f"{len(genes):,}", "; ".join(dropped))
    partly = counted[counted["missing"] > 0]
    note = "; ".join(f"{row.feature} of {row.missing:,}" for row in partly.itertuples())
    if note:
        note = f"not known: {note} genes. That they are not known may tell of expression by itself"
    names = ", ".join(counted["feature"]) or "none: models read sequence alone"
    found.add("gene features", names, note, bool(note))


def _check_bulk(
    found: Findings, section: Mapping[str, Any], genes: pd.DataFrame, min_overlap: float
) -> None:
    if section["bulk"] is None:
        return
    bulk = found.attempt(read_bulk, **section["bulk"], genes=genes, min_overlap=min_overlap)
    if bulk is not None:
        known = int(bulk.notna().all(axis=1).sum())
        there = f"{examples(bulk)}: {known:,} of {len(genes):,} genes"
        note = f"{len(genes) - known:,} genes are dropped" if known < len(genes) else ""
        found.add("bulk expression", there, note, known < len(genes) / 2)
