"""What can be asked of some models: a protocol for each ability that the registry may name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, Self, runtime_checkable

from torch import Tensor, nn

from cisgrammar.data.draws import Draws
from cisgrammar.data.split import Inputs
from cisgrammar.models.contribution_rules import Rules
from cisgrammar.models.conv_layers import ConvLayer
from cisgrammar.models.kmer_regression import KmerRegression


@runtime_checkable
class SideBySide(Protocol):
    """``side_by_side``: several models of one shape are trained on the same batches at once."""

    @classmethod
    def forward_side_by_side(cls, models: list[Self], inputs: Inputs) -> Tensor:
        """Predict with each: ``(models, batch, targets)``, as each alone would."""


@runtime_checkable
class HasFilters(Protocol):
    """``filters``: the first layer reads as motifs, and a linear head weighs them."""

    filter_width: int
    bins: int  # stretches of the sequence in which each filter has a maximum
    head: nn.Linear

    def head_weights(self) -> Tensor:
        """Give what the head makes of each activation: ``(targets, filters, bins)``."""

    def scan(self, codes: Tensor) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Find each filter's best window in whole sequences, batch by batch.

        Yields maxima, positions and whether on the reverse strand, ``(batch, filters)``.
        """

    def activations(self, codes: Tensor) -> Tensor:
        """Give what the head reads: ``(sequences, filters, bins)``."""

    def influence_and_effect(self, codes: Tensor) -> tuple[Tensor, Tensor]:
        """Score how each filter moves each target: two tables ``(filters, bins, targets)``."""


@runtime_checkable
class EmbedsCells(Protocol):
    """``embeds_cells``: sequences are described by a few numbers, and each cell weighs them."""

    head: nn.Linear  # weight (cells, bottleneck), bias: the cells' intercepts

    def embed(self, codes: Tensor, draws: Draws | None = None) -> Tensor:
        """Describe sequences: uint8 ``(batch, length)`` to ``(batch, bottleneck)``."""

    def cell_weights(self) -> tuple[Tensor, Tensor]:
        """Give each cell's weights and intercept, with what its batch adds."""


class Changed(Protocol):
    """Sequences whose layers are kept, to be asked what changes in them do."""

    def embed(self) -> Tensor:
        """Describe the unchanged sequences: ``(sequences, bottleneck)``."""

    def embed_changed(self, rows: Tensor, starts: Tensor, patches: Tensor) -> Tensor:
        """Describe sequences in which bases are replaced: ``(changes, bottleneck)``."""


@runtime_checkable
class Inserts(EmbedsCells, Protocol):
    """``inserts``: what a few changed bases do costs no pass through the whole network."""

    def changed_sequences(self, codes: Tensor) -> Changed:
        """Run sequences once, and keep what their changes need."""


@runtime_checkable
class HasKmers(Protocol):
    """``kmers``: weights of k-mers, each of which can be read."""

    def kmer_regressions(self) -> dict[str, KmerRegression]:
        """Give the regression of ``levels`` and that of ``differences``."""


@runtime_checkable
class Substitutes(Protocol):
    """``substitutes``: what each base of a sequence does is asked without as many whole passes."""

    def substitution_effects(self, inputs: Inputs, first: int, end: int) -> Tensor:
        """Predict what every substitution from one position to another changes.

        Parameters
        ----------
        inputs
            The sequences.
        first, end
            The positions that are mutated, from ``first`` up to and without ``end``.

        Returns
        -------
        Change of each target, ``(sequences, targets, 4, positions)``, rows A, C, G, T; 0 for the
        base that stands there, and all 0 at an N.
        """


@runtime_checkable
class ReadsBases(Protocol):
    """``reads_bases``: a prediction can be followed back to bases."""

    def predict_bases(self, bases: Tensor, inputs: Inputs, rules: Rules) -> Tensor:
        """Predict from bases as numbers, so that gradients reach them.

        Parameters
        ----------
        bases
            float32 ``(batch, length, 4)``: 1 for the base that stands there, 1/4 of each for N.
        inputs
            The same sequences; what else there is beside codes is read from them.
        rules
            How activations and maxima are followed back.

        Returns
        -------
        ``(batch, targets)``, as the model in evaluation.
        """


@runtime_checkable
class HasConvolutions(Protocol):
    """``convolutions``: the lower part is plain convolutions, whose neurons can be read."""

    def convolutions(self) -> dict[str, list[ConvLayer]]:
        """Describe the layers of each of its networks, from the sequence upwards, by name."""


@runtime_checkable
class HasMembers(Protocol):
    """Several members are averaged: no ability of a kind of model, but of one so trained.

    They weigh alike, unless the model is an :class:`~cisgrammar.models.base.Ensemble`.
    """

    def predict_members(self, inputs: Inputs) -> Tensor:
        """Predict a batch with each member: ``(members, batch, targets)``."""


PROTOCOLS: dict[str, type] = {
    "side_by_side": SideBySide,
    "filters": HasFilters,
    "embeds_cells": EmbedsCells,
    "inserts": Inserts,
    "kmers": HasKmers,
    "substitutes": Substitutes,
    "convolutions": HasConvolutions,
    "reads_bases": ReadsBases,
}
