"""Which models there are, what they learn from and what can be asked of them.

Snakemake reads this when it starts, so it imports no torch. A new model is one file with one
class, one entry here, and one schema of its section in `workflow/schemas/models/`.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cisgrammar.models.base import SequenceModel


@dataclass(frozen=True)
class DataKind:
    """What models learn from: targets x sequences in one file, and the folds of the sequences.

    Parameters
    ----------
    name
        One word.
    description
        What they are, for messages.
    dataset, folds
        Paths below ``results/{name}/``.
    requires
        Sections of the config that these data are made by.
    """

    name: str
    description: str
    dataset: str
    folds: str
    requires: tuple[str, ...] = ()


@dataclass(frozen=True)
class ModelSpec:
    """A model, as the pipeline knows it.

    Parameters
    ----------
    name
        Names it in the config, in paths and in checkpoints.
    title
        Its name as papers write it.
    implementation
        ``module:Class`` of its :class:`~cisgrammar.models.base.SequenceModel`.
    data
        What it learns from.
    abilities
        What can be asked of it; each is a protocol in :mod:`cisgrammar.models.abilities`, or
        says what its targets are: ``dense_targets`` fit in memory as numbers.
    """

    name: str
    title: str
    implementation: str
    data: DataKind
    abilities: frozenset[str]

    @property
    def module(self) -> str:
        """Dotted name of the module with its class."""
        return self.implementation.partition(":")[0]

    def load(self) -> type[SequenceModel]:
        """Import its class."""
        module, _, name = self.implementation.partition(":")
        return getattr(importlib.import_module(module), name)


POOLS = DataKind("pools", "pools of cells", "dataset.h5ad", "folds.tsv")
CELLS = DataKind(
    "cells", "the peaks of cells", "accessibility.h5ad", "peak_folds.tsv", requires=("peaks",)
)
POPULATIONS = DataKind(
    "populations",
    "populations of cells",
    "populations.h5ad",
    "population_folds.tsv",
    requires=("populations",),
)

MODELS = {
    spec.name: spec
    for spec in (
        ModelSpec(
            "scover",
            "scover",
            "cisgrammar.models.scover:Scover",
            POOLS,
            frozenset({"convolutions", "dense_targets", "filters", "reads_bases", "side_by_side"}),
        ),
        ModelSpec(
            "hybrid",
            "hybrid",
            "cisgrammar.models.hybrid:Hybrid",
            POOLS,
            frozenset({"dense_targets", "kmers"}),
        ),
        ModelSpec(
            "scbasset",
            "scBasset",
            "cisgrammar.models.scbasset:Scbasset",
            CELLS,
            frozenset({"convolutions", "embeds_cells", "inserts", "reads_bases"}),
        ),
        ModelSpec(
            "scxpresso",
            "scXpresso",
            "cisgrammar.models.scxpresso:Scxpresso",
            POPULATIONS,
            frozenset({"by_population", "convolutions", "reads_bases", "substitutes"}),
        ),
    )
}


def models_with(ability: str, among: list[str] | None = None) -> list[str]:
    """List the models that have an ability, of some or of all, in their order."""
    names = MODELS if among is None else among
    return [name for name in names if ability in MODELS[name].abilities]
