"""The network in the published implementation's layers and in cisgrammar's, with equal weights."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from measure import ROOT  # noqa: F401 (puts cisgrammar on the path)
from torch import Tensor, nn

os.environ.setdefault("MKL_CBWR", "AUTO,STRICT")  # as cisgrammar.common.threads does
from cisgrammar.data.split import Inputs, Split
from cisgrammar.models.kernels.conv_maxpool import ConvMaxPool
from cisgrammar.models.objectives import SquaredError
from cisgrammar.training.steps import Steps

FILTERS, WIDTH, TARGETS = 600, 12, 1000  # Hepkema et al. (2023), kidney
LENGTH = 1000
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


class Published(nn.Module):
    """Conv2d, ELU, MaxPool2d, Linear, as in Hepkema et al. (2023)."""

    def __init__(self, length: int, filters: int = FILTERS, width: int = WIDTH) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(1, filters, (width, 4), bias=False)
        self.pool = nn.MaxPool2d((length - width + 1, 1))
        self.head = nn.Linear(filters, TARGETS)

    def forward(self, one_hot: Tensor) -> Tensor:
        """Predict: one-hot ``(batch, 1, length, 4)`` to ``(batch, targets)``."""
        return self.head(self.pool(F.elu(self.convolution(one_hot))).flatten(1))

    @torch.no_grad()
    def copy_to(self, motifs: ConvMaxPool, head: nn.Linear) -> None:
        """Give the weights to cisgrammar's layers of the same sizes."""
        motifs.weight.copy_(self.convolution.weight[:, 0].transpose(1, 2))
        head.load_state_dict(self.head.state_dict())


class Fast(nn.Module):
    """The same network on codes."""

    def __init__(self, like: Published, precision: str = "fp32") -> None:
        super().__init__()
        filters, _, width, _ = like.convolution.weight.shape
        self.motifs = ConvMaxPool(filters, width, precision)
        self.head = nn.Linear(filters, TARGETS)
        like.copy_to(self.motifs, self.head)

    def forward(self, codes: Tensor) -> Tensor:
        """Predict: codes ``(batch, length)`` to ``(batch, targets)``."""
        return self.head(F.elu(self.motifs(codes)).flatten(1))


class OfCodes(SquaredError):
    """Mean squared error of a network on codes."""

    def losses(self, models: list, split: Split, rows: Tensor, draws: object) -> Tensor:
        """Of one network."""
        return F.mse_loss(models[0](split.inputs.codes[rows]), split.targets[rows])[None]


def trained_step(network: nn.Module, codes: Tensor, targets: Tensor) -> Callable[[], None]:
    """Give the same step as training takes it: on a GPU it is recorded and played."""
    rows = torch.arange(len(codes), device=codes.device)
    objective = OfCodes()
    optimizer = objective.optimizer(network.to(codes.device), 1e-3)
    split = Split(Inputs(codes), targets, rows, rows)
    return partial(Steps(objective, split, [network], [optimizer], torch.Generator()), rows)


class Step:
    """One training step: forward, mean squared error, backward, Adam."""

    def __init__(self, network: nn.Module, sequences: Tensor, targets: Tensor, fused: bool) -> None:
        self.network = network.to(sequences.device)
        self.sequences, self.targets = sequences, targets
        self.optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, fused=fused)

    def __call__(self) -> Tensor:
        """Take the step; gives the loss before it."""
        self.optimizer.zero_grad()
        loss = F.mse_loss(self.network(self.sequences), self.targets)
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    @torch.no_grad()
    def validate(self) -> Tensor:
        """Give the loss without training."""
        return F.mse_loss(self.network(self.sequences), self.targets)


def random_data(batch: int, length: int) -> tuple[Tensor, Tensor]:
    """Make codes and targets."""
    generator = torch.Generator().manual_seed(0)
    codes = torch.randint(0, 4, (batch, length), dtype=torch.uint8, generator=generator)
    targets = torch.randn(batch, TARGETS, generator=generator)
    return codes.to(DEVICE), targets.to(DEVICE)


def spell_out(codes: Tensor) -> Tensor:
    """Make one-hot ``(batch, 1, length, 4)`` of codes without N."""
    return F.one_hot(codes.long(), 4).float()[:, None]
