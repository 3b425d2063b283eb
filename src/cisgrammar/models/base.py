"""What every model is: a network with a name, a search space, named inputs and an objective."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, Self, cast

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
            One value for each entry of :meth:`search_space`.
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
    def search_space(cls, settings: Mapping[str, Any]) -> dict[str, tuple[str, list[Any]]]:
        """Say what tuning searches: each hyperparameter's kind, and its range or choices."""
        return {name: (kind, settings["search"][name]) for name, kind in cls.search.items()}

    @classmethod
    def complete_settings(cls, settings: Mapping[str, Any], dataset: AnnData) -> dict[str, Any]:
        """Add to the settings what the network takes from the data."""
        return dict(settings)

    @classmethod
    def choose_settings(cls, settings: Mapping[str, Any], split: Split) -> dict[str, Any]:
        """Choose, where the settings leave it open, by a fold's training and validation parts."""
        return dict(settings)

    @staticmethod
    def read_inputs(dataset: AnnData) -> Inputs:
        """Take what the model reads out of a data set, or out of some of its sequences."""
        return read_codes(dataset)

    def objective(self, split: Split) -> Objective:
        """Say what training minimises and watches."""
        return SquaredError()

    def prepare(self, split: Split) -> None:
        """Fit, before training, what needs no steps. Only the training part may be looked at."""

    def parts(self) -> Mapping[str, SequenceModel]:
        """Name the parts that are trained as if each were alone; the whole, if it has none."""
        return {"whole": self}

    def has_collapsed(self, split: Split) -> bool:
        """Say whether training has failed so that it is to be tried with another seed."""
        return False

    @classmethod
    def join(cls, members: list[Self], split: Split) -> SequenceModel:
        """Make one model of a fold's trained members, such as their average.

        Parameters
        ----------
        members
            One or more, trained alike but for their seeds.
        split
            What they were trained on; the validation part may decide how members are weighed.
        """
        return members[0] if len(members) == 1 else Ensemble(members)


class Ensemble(SequenceModel):
    """The average of trained models of one kind and shape.

    Parameters
    ----------
    members
        The models; the ensemble has their name.
    weights
        Of each member in each target's average, ``(members, targets)``, or ``(members, 1)`` for
        all targets; over members they sum to 1. None weighs all members alike.
    """

    weights: Tensor

    def __init__(self, members: Sequence[SequenceModel], weights: Tensor | None = None) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        if weights is None:
            weights = torch.full((len(members), 1), 1 / len(members))
        self.register_buffer("weights", weights)

    @property
    def _first(self) -> SequenceModel:
        return cast(SequenceModel, self.members[0])

    @property
    def name(self) -> str:  # type: ignore[override]
        """Name of the members in the registry."""
        return self._first.name

    def sizes(self) -> dict[str, Any]:
        """Keyword arguments that make an empty member."""
        return self._first.sizes()

    def read_inputs(self, dataset: AnnData) -> Inputs:  # type: ignore[override]
        """Take what each member reads out of a data set."""
        return self._first.read_inputs(dataset)

    def predict_members(self, inputs: Inputs) -> Tensor:
        """Predict a batch with each member: ``(members, batch, targets)``."""
        return torch.stack([member(inputs) for member in self.members])

    def forward(self, inputs: Inputs) -> Tensor:
        """Predict a batch, averaged over members: ``(batch, targets)``."""
        return (self.weights[:, None] * self.predict_members(inputs)).sum(dim=0)


def members_of(model: SequenceModel) -> list[tuple[SequenceModel, Tensor]]:
    """List the models whose average an ensemble is; of any other model itself alone.

    Returns
    -------
    Each with its weight in each target's average: ``(targets,)``, or ``(1,)`` for all.
    """
    if not isinstance(model, Ensemble):
        return [(model, torch.ones(1))]
    return list(zip(cast(Iterable[SequenceModel], model.members), model.weights, strict=True))
