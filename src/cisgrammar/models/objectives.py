"""What training minimises and watches: the losses of models that have none of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor

from cisgrammar.data.split import Inputs, Split

if TYPE_CHECKING:
    from cisgrammar.models.base import SequenceModel

EVALUATION_BATCH = 1024


class Objective(Protocol):
    """What a model minimises and watches. One without its own takes :class:`SquaredError`."""

    least_gain: float  # a watched value this little below the best so far is no better

    def optimizer(self, model: SequenceModel, learning_rate: float) -> torch.optim.Optimizer:
        """Make what moves the weights."""

    def batches(self, order: Tensor, batch_size: int) -> Sequence[Tensor]:
        """Cut the rows of an epoch, in random order, into batches."""

    def losses(
        self, models: list[SequenceModel], split: Split, rows: Tensor, generator: torch.Generator
    ) -> Tensor:
        """Give each model's loss in one batch: ``(models,)``."""

    def metrics(self, models: list[SequenceModel], split: Split) -> list[dict[str, float]]:
        """Give each model's columns of the history after an epoch, validation_loss among them."""

    def watched(self, metrics: dict[str, float]) -> float:
        """Give the value whose lowest decides the best epoch."""


class SquaredError:
    """Hepkema et al. (2023): mean squared error, Adam, weights of the lowest validation error."""

    least_gain = 0.0

    def optimizer(self, model: SequenceModel, learning_rate: float) -> torch.optim.Optimizer:
        """Make Adam with its usual settings."""
        return torch.optim.Adam(model.parameters(), lr=learning_rate, fused=True)

    def batches(self, order: Tensor, batch_size: int) -> Sequence[Tensor]:
        """Cut off one batch after the other; the last may be small."""
        return order.split(batch_size)

    def losses(
        self, models: list[SequenceModel], split: Split, rows: Tensor, generator: torch.Generator
    ) -> Tensor:
        """Average squared errors."""
        assert isinstance(split.targets, Tensor)
        error = predict_each(models, split.inputs.rows(rows)) - split.targets[rows]
        # by row, then over rows: a flat sum's last digits depend on the number of threads
        return error.square().mean(dim=2).mean(dim=1)

    def metrics(self, models: list[SequenceModel], split: Split) -> list[dict[str, float]]:
        """Measure the error on the validation part."""
        losses = mean_squared_errors(models, split, split.validation)
        return [{"validation_loss": loss} for loss in losses]

    def watched(self, metrics: dict[str, float]) -> float:
        """Watch the validation loss."""
        return metrics["validation_loss"]


def predict_each(models: list[SequenceModel], inputs: Inputs) -> Tensor:
    """Predict with several models of one kind: ``(models, batch, targets)``."""
    if len(models) == 1:
        return models[0](inputs).unsqueeze(0)
    together: Any = type(models[0])  # has the ability `side_by_side`
    return together.forward_side_by_side(models, inputs)


@torch.no_grad()
def mean_squared_errors(models: list[SequenceModel], split: Split, rows: Tensor) -> list[float]:
    """Mean squared error of several models of one kind."""
    assert isinstance(split.targets, Tensor)
    for model in models:
        model.eval()
    total = torch.zeros(len(models), dtype=torch.float64, device=rows.device)
    for batch in rows.split(EVALUATION_BATCH):
        error = predict_each(models, split.inputs.rows(batch)) - split.targets[batch]
        total += error.square_().sum(dim=2, dtype=torch.float64).sum(dim=1)
    return (total / (len(rows) * split.targets.shape[1])).tolist()
