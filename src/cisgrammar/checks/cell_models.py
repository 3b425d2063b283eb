"""Checks of what models of single cells need: peaks for one batch, cell types, regions."""

from __future__ import annotations

from pathlib import Path

from cisgrammar.checks.findings import Findings
from cisgrammar.checks.settings import InputFiles, Settings
from cisgrammar.data.cells_by_peaks import check_batch
from cisgrammar.genome.regions import read_bed


def check_batch_size(files: InputFiles, settings: Settings, found: Findings) -> None:
    """Check that there are peaks enough to train on."""
    if found.targets is None:
        return
    for model in settings.cell_models:
        n_trained = int(model.trained * len(found.targets.unique()))
        found.attempt(check_batch, n_trained, model.batch_size)


def report_start(files: InputFiles, settings: Settings, found: Findings) -> None:
    """Say what the weights of cells start from."""
    for model in settings.cell_models:
        if model.start is None:
            continue
        key = f"`{model.name}.training.start`"
        if model.start == "random":
            text = "chance, as published"
            note = (
                "where few peaks are open in a cell, cells need many passes to come apart: "
                f"see {key}"
            )
        else:
            text = "components of the training peaks"
            note = (
                "each shrunk by noise: the fewer peaks are open in a cell, the less it starts "
                f"with. {key}: random is the published start"
            )
        found.add(f"start of cells ({model.name})", text, note)


def check_cell_types(files: InputFiles, settings: Settings, found: Findings) -> None:
    """Warn where nothing tells cells apart."""
    labelled = settings.counts.cell_type is not None or settings.cells.clusters
    if settings.cell_models and not labelled:
        note = (
            "regions to mutate, peaks to denoise and the heat map of TF activity are chosen and "
            "drawn by cell type: set `cells.clusters: 1.0`, or name labels in `counts.cell_type`"
        )
        found.add("labels", "no cell types", note, warning=True)


def check_mutated(files: InputFiles, settings: Settings, found: Findings) -> None:
    """Check the regions to mutate, where they are there: a download may be still to come."""
    for model in settings.cell_models:
        if model.mutated and Path(model.mutated).is_file():
            found.attempt(read_bed, model.mutated, f"{model.name}.mutagenesis.bed")
