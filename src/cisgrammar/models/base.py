"""What every model is: a network with a name, a search space, named inputs and an objective."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Self

import torch
from anndata import AnnData
from torch import Tensor, nn

from cisgrammar.data.split import Inputs, Split, read_codes
from cisgrammar.models.objectives import Objective, SquaredError


class SequenceModel(nn.Module):
    """The part of a model that tuning, training and evaluation know.

    A model is a subclass. It has to have ``name``, ``search``, ``build``, ``sizes`` and
    ``forward``; the rest has defaults. What else can be asked of a model are abilities: see
    :mod:`cisgrammar.models.abilities`.
    """

    name: ClassVar[str]
    search: ClassVar[dict[str, str]]  # hyperparameter -> ``log_uniform`` or ``choice``
    recipe: Mapping[str, Any] = MappingProxyType({})  # what else decides how it is trained

    @classmethod
    def build(
        cls,
        n_targets: int,
        settings: Mapping[str, Any],
        hyperparameters: Mapping[str, Any],
        generator: torch.Generator,
    ) -> Self:
        """Make a freshly initialised model.

        Parameters
        ----------
        n_targets
            Number of outputs.
        settings
            The sections ``network`` and ``training`` of the model's config, in one, and what
            :meth:`complete_settings` added.
        hyperparameters
            One value for each entry of ``search``.
        generator
            What weights are drawn from.
        """
        raise NotImplementedError

    def sizes(self) -> dict[str, Any]:
        """Keyword arguments that make an empty model of this shape: numbers, text and lists."""
        raise NotImplementedError

    def forward(self, inputs: Inputs) -> Tensor:
        """Predict a batch: ``(batch, targets)``."""
        raise NotImplementedError

    @classmethod
    def complete_settings(cls, settings: Mapping[str, Any], dataset: AnnData) -> dict[str, Any]:
        """Add to the settings what the network takes from the data."""
        return dict(settings)

    @staticmethod
    def read_inputs(dataset: AnnData) -> Inputs:
        """Take what the model reads out of a data set, or out of some of its sequences."""
        return read_codes(dataset)

    def objective(self, split: Split) -> Objective:
        """Say what training minimises and watches."""
        return SquaredError()
