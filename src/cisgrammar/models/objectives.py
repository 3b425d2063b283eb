"""What training minimises and watches: the losses of models that have none of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor

from cisgrammar.data.draws import Draws
from cisgrammar.data.split import Inputs, Split

if TYPE_CHECKING:
    from cisgrammar.models.base import SequenceModel

EVALUATION_BATCH = 1024


class Objective(Protocol):
    """What a model minimises and watches. One without its own takes :class:`SquaredError`."""

    least_gain: float  # a watched value this little below the best so far is no better
    recordable: bool
    """Whether a step can be played again on a GPU as it was recorded once.

    Then :meth:`losses` has shapes that follow from the number of rows alone, reads nothing back
    from the GPU, and draws by ``draws`` alone; and the optimizer's settings never change.
    """

    def optimizer(self, model: SequenceModel, learning_rate: float) -> torch.optim.Optimizer:
        """Make what moves the weights."""

    def batches(self, order: Tensor, batch_size: int) -> Sequence[Tensor]:
        """Cut the rows of an epoch, in random order, into batches."""

    def losses(
        self, models: list[SequenceModel], split: Split, rows: Tensor, draws: Draws
    ) -> Tensor:
        """Give each model's loss in one batch: ``(models,)``."""

    def metrics(self, models: list[SequenceModel], split: Split) -> list[dict[str, float]]:
        """Give each model's columns of the history after an epoch, validation_loss among them."""

    def watched(self, metrics: dict[str, float]) -> float:
        """Give the value whose lowest decides the best epoch."""


def on_device(model: torch.nn.Module) -> dict[str, Any]:
    """Give the settings of an optimizer that suit a model's device."""
    return {"fused": True, "capturable": next(model.parameters()).is_cuda}


class SquaredError:
    """Hepkema et al. (2023): mean squared error, Adam, weights of the lowest validation error."""

    least_gain = 0.0
    recordable = True

    def optimizer(self, model: SequenceModel, learning_rate: float) -> torch.optim.Optimizer:
        """Make Adam with its usual settings."""
        return torch.optim.Adam(model.parameters(), lr=learning_rate, **on_device(model))

    def batches(self, order: Tensor, batch_size: int) -> Sequence[Tensor]:
        """Cut off one batch after the other; the last may be small."""
        return order.split(batch_size)

    def losses(
        self, models: list[SequenceModel], split: Split, rows: Tensor, draws: Draws
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


class WeightedSquaredError(SquaredError):
    """Squared error in which levels and differences between targets have weights of their own.

    An error is taken apart into its mean over targets, which is that of a sequence's level, and
    the differences from it. Where genes differ far more than cell types do, the squared error is
    nearly all about levels, and a network learns little else.

    Parameters
    ----------
    centred
        0 weighs both as they are. 1 weighs differences up until those of the training targets have
        the variance of the levels; between, that weight to this power. They are never weighed down.
    split
        Its training part gives the two variances.
    """

    def __init__(self, centred: float, split: Split) -> None:
        assert isinstance(split.targets, Tensor)
        parts = level_and_differences(split.targets, split.train)
        spreads = [part[split.train].double().square().mean().item() for part in parts]
        ratio = spreads[0] / spreads[1] if min(spreads) > 0 else 1.0
        self.weight = max(ratio, 1.0) ** centred

    def losses(
        self, models: list[SequenceModel], split: Split, rows: Tensor, draws: Draws
    ) -> Tensor:
        """Average weighted squared errors."""
        assert isinstance(split.targets, Tensor)
        predicted = predict_each(models, split.inputs.rows(rows))
        return self.mean(predicted - split.targets[rows])

    @torch.no_grad()
    def metrics(self, models: list[SequenceModel], split: Split) -> list[dict[str, float]]:
        """Measure the weighted error on the validation part."""
        assert isinstance(split.targets, Tensor)
        for model in models:
            model.eval()
        total = torch.zeros(len(models), dtype=torch.float64, device=split.device)
        for rows in split.validation.split(EVALUATION_BATCH):
            error = predict_each(models, split.inputs.rows(rows)) - split.targets[rows]
            total += self.mean(error.double()) * len(rows)
        return [{"validation_loss": loss} for loss in (total / len(split.validation)).tolist()]

    def mean(self, error: Tensor) -> Tensor:
        """Average squares of errors ``(models, batch, targets)``: ``(models,)``."""
        level = error.mean(dim=2, keepdim=True)
        by_row = level.square().squeeze(2) + self.weight * (error - level).square().mean(dim=2)
        return by_row.mean(dim=1)


def level_and_differences(targets: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
    """Take targets apart, each target's mean over some rows set aside.

    Parameters
    ----------
    targets
        ``(sequences, targets)``.
    rows
        Sequences of the means, int64 ``(n,)``: the training part.

    Returns
    -------
    Levels ``(sequences, 1)``, the mean over targets, and differences ``(sequences, targets)``
    from it; float32. Their sum is the targets less the means.
    """
    centred = targets.double() - targets[rows].double().mean(dim=0)
    level = centred.mean(dim=1, keepdim=True)
    return level.float(), (centred - level).float()


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
