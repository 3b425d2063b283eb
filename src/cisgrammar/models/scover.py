"""scover: one convolution, ELU, the maximum (or one in each bin), one linear layer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, get_args

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cisgrammar.data.split import Inputs, Split
from cisgrammar.models.base import SequenceModel
from cisgrammar.models.contribution_rules import Rules
from cisgrammar.models.conv_layers import ConvLayer
from cisgrammar.models.kernels.conv_maxpool import (
    ConvMaxPool,
    Strands,
    conv_maxpool,
    conv_maxpool_side_by_side,
)
from cisgrammar.models.kernels.stretches import stretches

SCAN_BATCH = 1024


class Scover(SequenceModel):
    """The network of Hepkema et al. (2023), Methods, "Convolutional neural network architecture".

    Parameters
    ----------
    n_targets
        Outputs: pools.
    filters, width
        Number and width of the convolution's filters; no bias.
    strands
        "both" lets each filter lie on either strand. The paper's is "forward".
    bins
        Stretches of the sequence with a maximum, and weights in the head, of their own. The
        paper's is 1.
    n_members
        Models that were trained apart and are averaged: each has so many of the filters, one
        after the other.
    """

    name: ClassVar[str] = "scover"
    search: ClassVar[dict[str, str]] = {
        "learning_rate": "log_uniform",
        "sigma_motifs": "log_uniform",
        "sigma_net": "log_uniform",
        "batch_size": "choice",
    }

    def __init__(
        self,
        n_targets: int,
        filters: int,
        width: int,
        strands: Strands = "forward",
        bins: int = 1,
        n_members: int = 1,
    ) -> None:
        super().__init__()
        self.n_members = n_members
        self.member_biases: Tensor | None
        biases = torch.zeros(n_members, n_targets) if n_members > 1 else None
        self.register_buffer("member_biases", biases)
        self.motifs = ConvMaxPool(filters, width, strands=strands, bins=bins)
        self.head = nn.Linear(bins * filters, n_targets)  # all filters of a bin, then the next

    @classmethod
    def search_space(cls, settings: Mapping[str, Any]) -> dict[str, tuple[str, list[Any]]]:
        """Search the strands too where the config says so."""
        space = super().search_space(settings)
        if settings.get("strands") == "search":
            space["strands"] = ("choice", list(get_args(Strands)))
        return space

    @classmethod
    def build(
        cls,
        n_targets: int,
        settings: Mapping[str, Any],
        hyperparameters: Mapping[str, Any],
        generator: torch.Generator,
    ) -> Scover:
        """Make a model with the published initial weights.

        Normal with mean 0 and standard deviation ``sigma ** 2`` (the paper's N(0, sigma^2)
        as its code reads it), head biases 1e-5.
        """
        chosen = {**settings, **hyperparameters}  # strands may be searched
        reading = {key: chosen[key] for key in ("strands", "bins") if key in chosen}
        model = cls(n_targets, settings["filters"], settings["width"], **reading)
        with torch.no_grad():
            std = hyperparameters["sigma_motifs"] ** 2
            model.motifs.weight.normal_(0, std, generator=generator)
            model.head.weight.normal_(0, hyperparameters["sigma_net"] ** 2, generator=generator)
            model.head.bias.fill_(1e-5)
        return model

    def sizes(self) -> dict[str, Any]:
        """Keyword arguments that make an empty model of this shape."""
        filters, _, width = self.motifs.weight.shape
        return {
            "n_targets": self.head.out_features,
            "filters": filters,
            "width": width,
            "strands": self.motifs.strands,
            "bins": self.bins,
            "n_members": self.n_members,
        }

    @classmethod
    def join(cls, members: list[Scover], split: Split) -> Scover:  # type: ignore[override]
        """Average members: the head being linear, that is one model with the filters of all."""
        if len(members) == 1:
            return members[0]
        n, sizes = len(members), members[0].sizes()
        model = cls(**sizes | {"filters": n * sizes["filters"], "n_members": n}).to(split.device)
        heads = [each._head_by_bin() for each in members]  # (targets, bins, filters)
        with torch.no_grad():
            model.motifs.weight.copy_(torch.cat([each.motifs.weight for each in members]))
            model.head.weight.copy_(torch.cat(heads, dim=2).flatten(1) / n)
            model.member_biases = torch.stack([each.head.bias.detach() for each in members])
            model.head.bias.copy_(model.member_biases.mean(dim=0))
        return model

    def predict_members(self, inputs: Inputs) -> Tensor:
        """Predict with each member: ``(members, batch, targets)``."""
        read = _read(self.motifs(inputs.codes)).unflatten(1, (self.bins, self.n_members, -1))
        heads = self._head_by_bin().unflatten(2, (self.n_members, -1))
        each = torch.einsum("nbmf,tbmf->mnt", read, heads)
        biases = self.head.bias[None] if self.member_biases is None else self.member_biases
        return self.n_members * each + biases[:, None]

    def _head_by_bin(self) -> Tensor:
        return self.head.weight.unflatten(1, (self.bins, -1))

    @property
    def filter_width(self) -> int:
        """Bases that a filter reads."""
        return self.motifs.weight.shape[2]

    @property
    def bins(self) -> int:
        """Stretches of the sequence with a maximum of their own."""
        return self.motifs.bins

    def forward(self, inputs: Inputs) -> Tensor:
        """Predict: ``(batch, targets)``."""
        return self.head(_read(self.motifs(inputs.codes)))

    def predict_bases(self, bases: Tensor, inputs: Inputs, rules: Rules) -> Tensor:
        """Predict from bases as numbers; see :class:`~cisgrammar.models.abilities.ReadsBases`."""
        x = bases.transpose(1, 2)
        weights: list[Tensor] = [self.motifs.weight]
        if self.motifs.strands == "both":
            weights.append(self.motifs.weight.flip(1, 2))
        scores = torch.stack([F.conv1d(x, weight) for weight in weights], dim=2)
        maxima = [  # (batch, filters)
            rules.highest(scores[..., first:end].flatten(2))
            for first, end in stretches(scores.shape[3], self.bins).tolist()
        ]
        return self.head(rules.activate(F.elu, torch.cat(maxima, dim=1)))

    @classmethod
    def forward_side_by_side(cls, models: list[Scover], inputs: Inputs) -> Tensor:
        """Predict with several models at once, as one wide convolution and batched heads.

        Parameters
        ----------
        models
            Of one shape.
        inputs
            A batch.

        Returns
        -------
        ``(models, batch, targets)``, what each alone predicts up to float rounding.
        """
        maxima = conv_maxpool_side_by_side(
            inputs.codes,
            [model.motifs.weight for model in models],
            strands=models[0].motifs.strands,
            bins=models[0].bins,
        )
        activations = torch.stack([_read(each) for each in maxima])  # (models, batch, inputs)
        weights = torch.stack([model.head.weight for model in models])  # (models, targets, inputs)
        biases = torch.stack([model.head.bias for model in models])  # (models, targets)
        return torch.baddbmm(biases[:, None], activations, weights.transpose(1, 2))

    def convolutions(self) -> dict[str, list[ConvLayer]]:
        """Describe its one layer, as it reads the forward strand."""
        weight = self.motifs.weight.detach().cpu().numpy()
        bias = np.zeros(len(weight), np.float32)
        return {self.name: [ConvLayer(weight, bias, after="elu")]}

    def head_weights(self) -> Tensor:
        """Give what the head makes of each activation: ``(targets, filters, bins)``."""
        return self._head_by_bin().transpose(1, 2)

    @torch.no_grad()
    def scan(self, codes: Tensor) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Find the best window of each filter in each whole sequence, batch by batch.

        Yields
        ------
        Maxima (before ELU), positions and whether on the reverse strand, ``(batch, filters)``.
        """
        for batch in codes.split(SCAN_BATCH):
            found = conv_maxpool(batch, self.motifs.weight, strands=self.motifs.strands)
            yield found.maxima[..., 0], found.positions[..., 0], found.reverse[..., 0]

    @torch.no_grad()
    def activations(self, codes: Tensor) -> Tensor:
        """Give what the head reads: ``(sequences, filters, bins)``."""
        return torch.cat([F.elu(self.motifs(batch)) for batch in codes.split(SCAN_BATCH)])

    @torch.no_grad()
    def influence_and_effect(self, codes: Tensor) -> tuple[Tensor, Tensor]:
        """Score how much each filter moves each target from each bin, over sequences.

        Parameters
        ----------
        codes
            uint8 ``(sequences, length)``.

        Returns
        -------
        influence
            ``(filters, bins, targets)``, in units of the targets: the mean of prediction minus
            prediction without the filter's maximum in the bin. A filter's own influence is the
            sum over its bins.
        effect
            ``(filters, bins, targets)``: weight times the standard deviation of the activation
            over sequences. So far does the prediction move when the motif's activation in the
            bin rises by one standard deviation; summed over bins, when it does in all of them.

        Notes
        -----
        Hepkema et al. (2023), Methods, "Leave-one-out analysis and influence scores". The head
        is linear, so the influence is exactly mean activation times weight, and nothing has to be
        left out.

        Influence changes its sign where a filter's mean activation is below 0, which depends on
        nothing but where the filter's scores happen to lie: a repressor then has positive
        influence. The effect has the sign of the weight, always.
        """
        n = len(codes)
        total = squares = torch.zeros((), dtype=torch.float64, device=codes.device)
        for batch in codes.split(SCAN_BATCH):
            activation = F.elu(self.motifs(batch)).double()
            total = total + activation.sum(dim=0)
            squares = squares + activation.square().sum(dim=0)
        mean = total / n  # (filters, bins)
        spread = (squares / n - mean.square()).clamp(min=0).sqrt()
        weight = self.head_weights().permute(1, 2, 0).double()  # (filters, bins, targets)
        return (weight * mean[:, :, None]).float(), (weight * spread[:, :, None]).float()


def _read(maxima: Tensor) -> Tensor:
    """Turn maxima ``(batch, filters, bins)`` into the head's input, as they lie in memory."""
    # ELU rises monotonically: the maximum may come first
    return F.elu(maxima.transpose(1, 2).flatten(1))
