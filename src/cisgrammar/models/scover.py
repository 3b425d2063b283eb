"""scover: one convolution, ELU, global maximum, one linear layer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cisgrammar.data.split import Inputs
from cisgrammar.models.base import SequenceModel
from cisgrammar.models.kernels.conv_maxpool import (
    ConvMaxPool,
    conv_maxpool,
    conv_maxpool_side_by_side,
)

SCAN_BATCH = 1024


class Scover(SequenceModel):
    """The network of Hepkema et al. (2023), Methods, "Convolutional neural network architecture".

    Parameters
    ----------
    n_targets
        Outputs: pools.
    filters, width
        Number and width of the convolution's filters; no bias, forward strand only.
    """

    name: ClassVar[str] = "scover"
    search: ClassVar[dict[str, str]] = {
        "learning_rate": "log_uniform",
        "sigma_motifs": "log_uniform",
        "sigma_net": "log_uniform",
        "batch_size": "choice",
    }

    def __init__(self, n_targets: int, filters: int, width: int) -> None:
        super().__init__()
        self.motifs = ConvMaxPool(filters, width)  # (filters, 4, width)
        self.head = nn.Linear(filters, n_targets)  # (targets, filters)

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
        model = cls(n_targets, settings["filters"], settings["width"])
        with torch.no_grad():
            std = hyperparameters["sigma_motifs"] ** 2
            model.motifs.weight.normal_(0, std, generator=generator)
            model.head.weight.normal_(0, hyperparameters["sigma_net"] ** 2, generator=generator)
            model.head.bias.fill_(1e-5)
        return model

    def sizes(self) -> dict[str, int]:
        """Keyword arguments that make an empty model of this shape."""
        filters, _, width = self.motifs.weight.shape
        return {"n_targets": self.head.out_features, "filters": filters, "width": width}

    @property
    def filter_width(self) -> int:
        """Bases that a filter reads."""
        return self.motifs.weight.shape[2]

    def forward(self, inputs: Inputs) -> Tensor:
        """Predict: ``(batch, targets)``."""
        # ELU rises monotonically: the maximum may come first
        return self.head(F.elu(self.motifs(inputs.codes)))

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
        maxima = conv_maxpool_side_by_side(inputs.codes, [model.motifs.weight for model in models])
        activations = F.elu(torch.stack(maxima))  # (models, batch, filters)
        weights = torch.stack([model.head.weight for model in models])  # (models, targets, filters)
        biases = torch.stack([model.head.bias for model in models])  # (models, targets)
        return torch.baddbmm(biases[:, None], activations, weights.transpose(1, 2))

    @torch.no_grad()
    def scan(self, codes: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield maxima (before ELU) and their positions, ``(batch, filters)``, batch by batch."""
        for batch in codes.split(SCAN_BATCH):
            yield conv_maxpool(batch, self.motifs.weight)

    @torch.no_grad()
    def activations(self, codes: Tensor) -> Tensor:
        """Give what the head reads: ``(sequences, filters)``."""
        return F.elu(torch.cat([maxima for maxima, _ in self.scan(codes)]))

    @torch.no_grad()
    def influence(self, codes: Tensor) -> Tensor:
        """Score how much each filter moves each target, on average over sequences.

        Parameters
        ----------
        codes
            uint8 ``(sequences, length)``.

        Returns
        -------
        ``(filters, targets)``, in units of the targets.

        Notes
        -----
        Hepkema et al. (2023), Methods, "Leave-one-out analysis and influence scores": the mean
        of prediction minus prediction without the filter. The head is linear, so this is
        exactly mean activation times weight, and nothing has to be left out.
        """
        return self.influence_and_effect(codes)[0]

    @torch.no_grad()
    def influence_and_effect(self, codes: Tensor) -> tuple[Tensor, Tensor]:
        """Score each filter's influence and, in the same pass, its effect on each target.

        Parameters
        ----------
        codes
            uint8 ``(sequences, length)``.

        Returns
        -------
        influence
            As :meth:`influence`.
        effect
            ``(filters, targets)``: weight times the standard deviation of the activation over
            sequences. So far does the prediction move when the motif's activation rises by one
            standard deviation.

        Notes
        -----
        Influence changes its sign where a filter's mean activation is below 0, which depends on
        nothing but where the filter's scores happen to lie: a repressor then has positive
        influence. The effect has the sign of the weight, always.
        """
        n = len(codes)
        total = squares = torch.zeros((), dtype=torch.float64, device=codes.device)
        for maxima, _ in self.scan(codes):
            activation = F.elu(maxima).double()
            total = total + activation.sum(dim=0)
            squares = squares + activation.square().sum(dim=0)
        mean = total / n  # (filters,)
        spread = (squares / n - mean.square()).clamp(min=0).sqrt()
        weight = self.head.weight.T.double()  # (filters, targets)
        return (weight * mean[:, None]).float(), (weight * spread[:, None]).float()
