"""hybrid: ridge regression on k-mers and small networks, each with its own weights."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from scipy.optimize import nnls
from threadpoolctl import threadpool_limits
from torch import Tensor, nn

from cisgrammar.data.augmentation import shifted
from cisgrammar.data.draws import Draws
from cisgrammar.data.split import Inputs, Split
from cisgrammar.models.base import SequenceModel
from cisgrammar.models.binned_network import BinnedNetwork
from cisgrammar.models.kmer_features import KmerFeatures, choose_features
from cisgrammar.models.kmer_regression import KmerRegression
from cisgrammar.models.objectives import WeightedSquaredError, level_and_differences, on_device

logger = logging.getLogger(__name__)

BATCH = 1024
RECIPE = ("centred", "max_shift", "weight_decay")
KMERS = ("level_kmers", "difference_kmers")


class Hybrid(SequenceModel):
    """Regressions on k-mers in closed form, and small networks beside them.

    A sequence's targets are taken apart into their level (the mean over targets) and how they
    differ from it, each target's mean over sequences set aside. Levels and differences have a
    ridge regression each, with k-mers, strands, bins and penalty chosen on the validation part.
    The networks learn both at once, one network for each member. Regressions and networks are
    then weighed by non-negative least squares on the validation part, apart for levels and
    differences: what does not help gets 0.

    While it is trained a model is one network and nothing else.

    Parameters
    ----------
    n_targets
        Outputs: pools.
    filters, width, bins, both_strands, hidden, dropout
        Of a network: see :class:`~cisgrammar.models.binned_network.BinnedNetwork`.
    n_networks
        Networks that are averaged.
    level_kmers, difference_kmers
        Of the two regressions: see :class:`~cisgrammar.models.kmer_regression.KmerRegression`.
    """

    name: ClassVar[str] = "hybrid"
    search: ClassVar[dict[str, str]] = {
        "learning_rate": "log_uniform",
        "batch_size": "choice",
        "dropout": "choice",
    }
    target_mean: Tensor  # (targets,)
    scale: Tensor  # of a network's outputs: of levels, of differences
    level_weights: Tensor  # of networks and k-mers
    difference_weights: Tensor
    networks: nn.ModuleList

    def __init__(
        self,
        n_targets: int,
        filters: int,
        width: int,
        bins: int,
        both_strands: bool,
        hidden: int,
        dropout: float,
        n_networks: int = 1,
        level_kmers: Mapping[str, Any] | None = None,
        difference_kmers: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self._network: dict[str, Any] = {
            "filters": filters,
            "width": width,
            "bins": bins,
            "both_strands": both_strands,
            "hidden": hidden,
            "dropout": dropout,
        }
        networks = [BinnedNetwork(n_targets, **self._network) for _ in range(n_networks)]
        self.networks = nn.ModuleList(networks)
        self.level_kmers = KmerRegression(1, **(level_kmers or {}))
        self.difference_kmers = KmerRegression(n_targets, **(difference_kmers or {}))
        self.register_buffer("target_mean", torch.zeros(n_targets))
        self.register_buffer("scale", torch.ones(2))
        self.register_buffer("level_weights", torch.tensor([1.0, 0.0]))
        self.register_buffer("difference_weights", torch.tensor([1.0, 0.0]))
        self.recipe: dict[str, Any] = {}

    @classmethod
    def choose_settings(cls, settings: Mapping[str, Any], split: Split) -> dict[str, Any]:
        """Choose k-mers by the validation part; a network reads strands and bins as they do."""
        level, differences = level_and_differences(_targets(split), split.train)
        chosen = [_choose_kmers(settings, split, wanted) for wanted in (level, differences)]
        kmers = [KmerRegression(1, each.blocks, each.both_strands).sizes() for each in chosen]
        bins = max(bins for each in chosen for _, bins in each.blocks)
        both = all(each.both_strands for each in chosen)
        return {
            **settings,
            **dict(zip(KMERS, kmers, strict=True)),
            "bins": settings["bins"] or bins,
            "strands": settings["strands"] or ("both" if both else "forward"),
        }

    @classmethod
    def build(
        cls,
        n_targets: int,
        settings: Mapping[str, Any],
        hyperparameters: Mapping[str, Any],
        generator: torch.Generator,
    ) -> Hybrid:
        """Make one network, to be trained."""
        model = cls(
            n_targets,
            settings["filters"],
            settings["width"],
            settings["bins"],
            settings["strands"] == "both",
            settings["hidden"],
            hyperparameters["dropout"],
        )
        network: BinnedNetwork = model.networks[0]  # type: ignore[assignment]
        network.initialise(generator)
        model.recipe = {key: settings[key] for key in (*RECIPE, *KMERS)}
        return model

    def sizes(self) -> dict[str, Any]:
        """Keyword arguments that make an empty model of this shape."""
        return self._network | {
            "n_targets": len(self.target_mean),
            "n_networks": len(self.networks),
            "level_kmers": self.level_kmers.sizes(),
            "difference_kmers": self.difference_kmers.sizes(),
        }

    def prepare(self, split: Split) -> None:
        """Take the targets' means and spreads from the training part."""
        targets = _targets(split)
        level, differences = level_and_differences(targets, split.train)
        level, differences = level[split.train], differences[split.train]
        up = WeightedSquaredError(self.recipe["centred"], split).weight ** 0.5
        spread = (level.square().mean() + up**2 * differences.square().mean()).sqrt().item() or 1.0
        self.target_mean.copy_(targets[split.train].double().mean(dim=0))
        self.scale.copy_(torch.tensor([spread, spread / up]))

    def objective(self, split: Split) -> Objective:
        """Weigh levels and differences, shift sequences, decay weights."""
        return Objective(self.recipe, split)

    @classmethod
    def join(cls, members: list[Hybrid], split: Split) -> Hybrid:  # type: ignore[override]
        """Put networks and k-mers together: fit the regressions, then the weight of each part."""
        first = members[0]
        kmers = {key: first.recipe[key] for key in KMERS}
        model = cls(**first.sizes() | kmers | {"n_networks": len(members)}).to(split.device)
        model.networks = nn.ModuleList(network for each in members for network in each.networks)
        model.target_mean.copy_(first.target_mean)
        model.scale.copy_(first.scale)
        level, differences = level_and_differences(_targets(split), split.train)
        model.level_kmers.fit(split, level)
        model.difference_kmers.fit(split, differences)
        model.eval()
        model._weigh_parts(split, level, differences)
        return model

    def forward(self, inputs: Inputs) -> Tensor:
        """Predict: ``(batch, targets)``."""
        return self.combine(*self.predict_parts(inputs))

    def predict_members(self, inputs: Inputs) -> Tensor:
        """Predict with each network in place of their average: ``(networks, batch, targets)``."""
        kmers = self._kmers(inputs.codes)
        return torch.stack(
            [self.combine(self._scaled(network(inputs.codes)), kmers) for network in self.networks]
        )

    def kmer_regressions(self) -> dict[str, KmerRegression]:
        """Give the regression of levels and that of differences, each as it predicts by itself."""
        return {"levels": self.level_kmers, "differences": self.difference_kmers}

    def predict_parts(self, inputs: Inputs) -> tuple[Tensor, Tensor]:
        """Say what networks and k-mers predict, the targets' means set aside.

        Returns
        -------
        Two of ``(batch, targets)``.
        """
        each = [self._scaled(network(inputs.codes)) for network in self.networks]
        return torch.stack(each).mean(dim=0), self._kmers(inputs.codes)

    def combine(self, networks: Tensor, kmers: Tensor) -> Tensor:
        """Weigh what the parts say of levels and of differences, and add the targets' means."""
        predicted = self.target_mean
        parts = (networks, kmers)
        of_parts = zip(parts, self.level_weights, self.difference_weights, strict=True)
        for part, level_weight, difference_weight in of_parts:
            level = part.mean(dim=1, keepdim=True)
            predicted = predicted + level_weight * level + difference_weight * (part - level)
        return predicted

    def _scaled(self, outputs: Tensor) -> Tensor:
        """Turn a network's outputs into units of the targets."""
        level = outputs.mean(dim=1, keepdim=True)
        return self.scale[0] * level + self.scale[1] * (outputs - level)

    def _kmers(self, codes: Tensor) -> Tensor:
        """Predict by k-mers, the targets' means set aside: ``(batch, targets)``."""
        return self.level_kmers(codes) + self.difference_kmers(codes)

    @torch.no_grad()
    def _weigh_parts(self, split: Split, level: Tensor, differences: Tensor) -> None:
        """Find the weights that predict the validation part best, none of them negative."""
        rows = split.validation
        batches = [self.predict_parts(batch) for batch in split.inputs.rows(rows).batches(BATCH)]
        parts = torch.stack([torch.cat(part) for part in zip(*batches, strict=True)])
        levels = parts.mean(dim=2, keepdim=True)
        weights = self.level_weights, self.difference_weights
        weights[0].copy_(_least_squares(levels, level[rows]))
        weights[1].copy_(_least_squares(parts - levels, differences[rows]))
        for what, values in zip(("levels", "differences"), weights, strict=True):
            logger.info("%s: networks %.2f, k-mers %.2f", what, *values.tolist())


class Objective(WeightedSquaredError):
    """What a network of the hybrid minimises; its sequences are shifted and its weights decay."""

    def __init__(self, recipe: Mapping[str, Any], split: Split) -> None:
        super().__init__(recipe["centred"], split)
        self.recipe = recipe

    def optimizer(self, model: SequenceModel, learning_rate: float) -> torch.optim.Optimizer:
        """Make AdamW."""
        decay = self.recipe["weight_decay"]
        return torch.optim.AdamW(
            model.parameters(), lr=learning_rate, weight_decay=decay, **on_device(model)
        )

    def batches(self, order: Tensor, batch_size: int) -> Sequence[Tensor]:
        """Cut into batches of nearly one size: a batch of one has no variance to normalise by."""
        return order.tensor_split(max(len(order) // batch_size, 1))

    def losses(self, models: list[Any], split: Split, rows: Tensor, draws: Draws) -> Tensor:
        """Average the weighted squared error of shifted sequences, with dropout."""
        (model,) = models
        codes = shifted(split.inputs.codes[rows], draws, self.recipe["max_shift"])
        predicted = model._scaled(model.networks[0](codes, draws)) + model.target_mean
        return self.mean((predicted - _targets(split)[rows])[None])


def _targets(split: Split) -> Tensor:
    assert isinstance(split.targets, Tensor)
    return split.targets


def _choose_kmers(settings: Mapping[str, Any], split: Split, wanted: Tensor) -> KmerFeatures:
    """Choose what the settings leave open of k, strands and bins."""
    strands = settings["kmer_strands"]
    with threadpool_limits(1):  # BLAS adds in another order on another number of threads
        return choose_features(
            split.inputs.codes.cpu().numpy(),
            wanted.cpu().numpy(),
            split.train.cpu().numpy(),
            split.validation.cpu().numpy(),
            k=settings["k"],
            both_strands=None if strands is None else strands == "both",
            bins=settings["kmer_bins"],
        )


def _least_squares(parts: Tensor, wanted: Tensor) -> Tensor:
    """Weigh parts ``(2, sequences, targets)`` to sum to ``(sequences, targets)``."""
    columns = parts.flatten(1).T.double().cpu().numpy()
    weights, _ = nnls(columns, wanted.flatten().double().cpu().numpy())
    return torch.from_numpy(weights)
