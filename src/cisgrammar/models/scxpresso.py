"""scXpresso: mean expression of cell populations from long promoters and features of the mRNA."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, cast

import numpy as np
import pandas as pd
import torch
from anndata import AnnData
from scipy.optimize import nnls
from torch import Tensor, nn

from cisgrammar.common.errors import InputError
from cisgrammar.data.split import Inputs, Split, read_codes
from cisgrammar.models.base import Ensemble, SequenceModel
from cisgrammar.models.contribution_rules import Rules
from cisgrammar.models.conv_layers import ConvLayer
from cisgrammar.models.layer_lengths import layer_lengths, shortest_window
from cisgrammar.models.scxpresso_changes import substitution_effects
from cisgrammar.models.scxpresso_network import PopulationNetwork
from cisgrammar.models.scxpresso_objective import EVALUATION_BATCH, StandardisedError

logger = logging.getLogger(__name__)


class Scxpresso(SequenceModel):
    """The networks of Michielsen et al. (2024), one for each level of labels, in one model.

    Parameters
    ----------
    n_targets
        Outputs: populations.
    groups
        For each network, named by its level, the targets that it predicts; each target is in one.
    sizes
        As for :class:`~cisgrammar.models.scxpresso_network.PopulationNetwork`.

    Notes
    -----
    Networks share nothing. Each is trained as if it were alone, with a best epoch and a plateau
    of its own, so that a network of cell types can be held against one of the tissue.
    """

    name: ClassVar[str] = "scxpresso"
    search: ClassVar[dict[str, str]] = {"learning_rate": "log_uniform", "batch_size": "choice"}

    def __init__(self, n_targets: int, groups: Mapping[str, Sequence[int]], **sizes: Any) -> None:
        super().__init__()
        self.n_targets, self._sizes = n_targets, sizes
        self.levels = list(groups)
        self.networks = nn.ModuleList(
            PopulationNetwork(columns, **sizes) for columns in groups.values()
        )
        columns = [column for its in groups.values() for column in its]
        self._order = np.argsort(columns).tolist()
        self.recipe: dict[str, Any] = {}
        self.weighs_members = True

    @classmethod
    def build(
        cls,
        n_targets: int,
        settings: Mapping[str, Any],
        hyperparameters: Mapping[str, Any],
        generator: torch.Generator,
    ) -> Scxpresso:
        """Make a model with PyTorch's usual initial weights, as published.

        Uniform between plus and minus one over the root of a layer's inputs, biases included.
        """
        model = cls(n_targets, settings["groups"], **{key: settings[key] for key in SIZES})
        with torch.no_grad():
            for layer in model.modules():
                if isinstance(layer, (nn.Conv1d, nn.Linear)):
                    bound = layer.weight[0].numel() ** -0.5
                    layer.weight.uniform_(-bound, bound, generator=generator)
                    assert layer.bias is not None
                    layer.bias.uniform_(-bound, bound, generator=generator)
        model.recipe = {key: settings[key] for key in ("plateau_epochs", "plateau_factor")}
        model.weighs_members = settings["member_weights"] == "validation"
        for network in model.parts().values():
            network.recipe = model.recipe
        return model

    @classmethod
    def complete_settings(cls, settings: Mapping[str, Any], dataset: AnnData) -> dict[str, Any]:
        """Add the sequences' length, what features there are, and each network's targets.

        Raises
        ------
        InputError
            If pooling leaves nothing of the sequences, or there are no features to read.
        """
        length = dataset.varm["codes"].shape[1]
        n_features = cls.read_inputs(dataset[:, :0])["features"].shape[1]
        if settings["inputs"] != "features" and layer_lengths(length, settings)[-1] < 1:
            raise InputError(
                f"scxpresso: the windows are {length:,} bases long, and of these both poolings "
                f"leave no position. With `scxpresso.network.pool` {settings['pool']} and "
                f"`second_pool` {settings['second_pool']} a window has at least "
                f"{shortest_window(settings):,} bases: make the windows longer or the pools "
                "smaller."
            )
        if settings["inputs"] != "sequence" and not n_features:
            raise InputError(
                "scxpresso: `scxpresso.network.inputs` asks for features of genes, but the data "
                "set has none. Set it to `sequence`, or ask for features in `populations`."
            )
        levels = dataset.obs["level"].astype(str).to_numpy()
        if settings["share_levels"]:
            levels[:] = "all levels"
        groups = {level: np.flatnonzero(levels == level).tolist() for level in pd.unique(levels)}
        lacking = np.isnan(dataset.varm["features"]).any(axis=0) if n_features else np.empty(0)
        flagged = np.flatnonzero(lacking).tolist() if settings["flags"] else []
        found = {"length": length, "n_features": n_features, "flagged": flagged, "groups": groups}
        return {**settings, **found}

    @classmethod
    def choose_settings(cls, settings: Mapping[str, Any], split: Split) -> dict[str, Any]:
        """Leave out flags of features that all training genes have: nothing is learned of them."""
        lacking = split.inputs["features"][split.train].isnan().any(dim=0).tolist()
        return {**settings, "flagged": [i for i in settings["flagged"] if lacking[i]]}

    def sizes(self) -> dict[str, Any]:
        """Keyword arguments that make an empty model of this shape."""
        groups = {level: network.columns for level, network in self.parts().items()}
        return {"n_targets": self.n_targets, "groups": groups, **self._sizes}

    @staticmethod
    def read_inputs(dataset: AnnData) -> Inputs:
        """Take codes and features; genes whose features nobody knows have none."""
        codes = read_codes(dataset).codes
        known = "features" in dataset.varm
        features = dataset.varm["features"] if known else np.empty((len(codes), 0))
        return Inputs(codes, features=torch.tensor(np.asarray(features), dtype=torch.float32))

    def prepare(self, split: Split) -> None:
        """Fit each network's scalers."""
        for network in self.parts().values():
            network.prepare(split)

    def parts(self) -> Mapping[str, PopulationNetwork]:
        """Name the networks by their levels: each is trained as if it were alone."""
        networks = cast(Iterable[PopulationNetwork], self.networks)
        return dict(zip(self.levels, networks, strict=True))

    def objective(self, split: Split) -> StandardisedError:
        """Say what a search minimises and watches, of all networks at once."""
        return StandardisedError(self.recipe)

    @classmethod
    def join(cls, members: list[Scxpresso], split: Split) -> SequenceModel:  # type: ignore[override]
        """Average members; how much each network counts, the validation part decides.

        Notes
        -----
        Michielsen et al. (2024) take the mean. A network that has missed what others have learned
        then counts as much as these.
        """
        if len(members) == 1 or not members[0].weighs_members:
            return super().join(members, split)  # type: ignore[arg-type, return-value]
        weights = torch.empty(len(members), members[0].n_targets, device=split.device)
        for level, first in members[0].parts().items():
            its = weigh_networks([member.parts()[level] for member in members], split)
            weights[:, first.columns] = its[:, None].to(weights)
            logger.info("%s: members weigh %s", level, ", ".join(f"{x:.2f}" for x in its))
        return Ensemble(members, weights)

    def forward(self, inputs: Inputs) -> Tensor:
        """Predict a batch in the targets' unit: ``(batch, targets)``."""
        return torch.cat([network(inputs) for network in self.networks], dim=1)[:, self._order]

    def predict_bases(self, bases: Tensor, inputs: Inputs, rules: Rules) -> Tensor:
        """Predict from bases as numbers; see :class:`~cisgrammar.models.abilities.ReadsBases`."""
        each = [network.predict_bases(bases, inputs, rules) for network in self.parts().values()]
        return torch.cat(each, dim=1)[:, self._order]

    def convolutions(self) -> dict[str, list[ConvLayer]]:
        """Describe the two layers of each network that reads sequence, by level."""
        return {
            level: network.described()
            for level, network in self.parts().items()
            if network.reads_sequence
        }

    def substitution_effects(self, inputs: Inputs, first: int, end: int) -> Tensor:
        """Predict what every substitution changes, in the targets' unit.

        See :meth:`cisgrammar.models.abilities.Substitutes.substitution_effects`.
        """
        effects = [
            substitution_effects(network, inputs, first, end) * network.target_std[:, None, None]
            for network in self.parts().values()
        ]
        return torch.cat(effects, dim=1)[:, self._order]


@torch.no_grad()
def weigh_networks(networks: Sequence[PopulationNetwork], split: Split) -> Tensor:
    """Find the weights whose average predicts the validation part best.

    Parameters
    ----------
    networks
        Trained alike on the training part.
    split
        Of it the validation part is predicted.

    Returns
    -------
    float64 ``(networks,)``, none negative, with a sum of 1: of all such weights those of the
    lowest squared error of standardised targets.
    """
    assert isinstance(split.targets, Tensor)
    rows = split.validation.split(EVALUATION_BATCH)
    wanted = networks[0].standardise(split.targets[split.validation])
    each = [
        torch.cat([network.eval().standardised(split.inputs.rows(its)) for its in rows])
        for network in networks
    ]
    errors = torch.stack([(one - wanted).flatten() for one in each], dim=1).double().cpu().numpy()
    # weights w of any sum s: |E w|^2 + (1 - s)^2 is lowest where |E w / s|^2 is
    rows_of_sum = np.ones((1, len(networks)))
    stacked = np.concatenate([errors / len(errors) ** 0.5, rows_of_sum])
    weights, _ = nnls(stacked, np.append(np.zeros(len(errors)), 1.0))
    return torch.from_numpy(weights / weights.sum())


SIZES = (
    "length", "n_features", "inputs", "flagged", "filters", "width", "pool", "second_filters",
    "second_width", "second_pool", "hidden", "dropout", "head", "head_hidden", "head_dropout",
)  # fmt: skip
