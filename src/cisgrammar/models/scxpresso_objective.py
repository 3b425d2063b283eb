"""How scXpresso is trained: squared error of standardised targets, smaller steps on a plateau."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from cisgrammar.data.draws import Draws
from cisgrammar.data.split import Split

EVALUATION_BATCH = 128
LEAST_DECREASE = 1e-4  # a relative decrease below this is none, as in torch's ReduceLROnPlateau


class StandardisedError:
    """Michielsen et al. (2024), "Training scXpresso", as an objective.

    Parameters
    ----------
    recipe
        ``plateau_epochs``: so many epochs may pass without a lower validation loss before the
        step is multiplied by ``plateau_factor``.

    Notes
    -----
    What a plateau is counted by is kept in the optimizer's state, so that training goes on from a
    checkpoint as if it had not stopped.
    """

    least_gain = 0.0
    recordable = False  # its step size is changed on the way

    def __init__(self, recipe: Mapping[str, Any]) -> None:
        self.recipe = recipe
        self._optimizers: dict[Any, torch.optim.Optimizer] = {}

    def optimizer(self, model: Any, learning_rate: float) -> torch.optim.Optimizer:
        """Make Adam with its usual settings."""
        optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate, fused=True)
        for group in optimizer.param_groups:
            group.update(best=float("inf"), epochs_without_gain=0)
        self._optimizers[model] = optimizer
        return optimizer

    def batches(self, order: Tensor, batch_size: int) -> Sequence[Tensor]:
        """Cut off one batch after the other; the last may be small."""
        return order.split(batch_size)

    def losses(self, models: list[Any], split: Split, rows: Tensor, draws: Draws) -> Tensor:
        """Average squared errors over genes and populations."""
        # each model drops as if it were alone
        seed = int(torch.randint(2**62, (1,), generator=draws.generator))
        each = []
        for model in models:
            dropout = Draws(torch.Generator().manual_seed(seed), rows.device)
            each.append(torch.stack(_errors(model, split, rows, dropout)).sum())
        return torch.stack(each)

    @torch.no_grad()
    def metrics(self, models: list[Any], split: Split) -> list[dict[str, float]]:
        """Measure the error on the validation part, and shorten the step on a plateau."""
        metrics = []
        for model in models:
            model.eval()
            total = torch.zeros((), dtype=torch.float64)
            for rows in split.validation.split(EVALUATION_BATCH):
                errors = torch.stack(_errors(model, split, rows)).mean()
                total += errors.double().cpu() * len(rows)
            loss = float(total / len(split.validation))
            group = self._optimizers[model].param_groups[0]
            metrics.append({"validation_loss": loss, "learning_rate": group["lr"]})
            self._watch_plateau(group, loss)
        return metrics

    def watched(self, metrics: dict[str, float]) -> float:
        """Watch the validation loss."""
        return metrics["validation_loss"]

    def _watch_plateau(self, group: dict[str, Any], loss: float) -> None:
        if loss < group["best"] * (1 - LEAST_DECREASE):
            group.update(best=loss, epochs_without_gain=0)
            return
        group["epochs_without_gain"] += 1
        if group["epochs_without_gain"] > self.recipe["plateau_epochs"]:
            group["lr"] *= self.recipe["plateau_factor"]
            group["epochs_without_gain"] = 0


def _errors(model: Any, split: Split, rows: Tensor, dropout: Draws | None = None) -> list[Tensor]:
    """Mean squared error of each of a model's networks in a batch."""
    assert isinstance(split.targets, Tensor)
    inputs, targets = split.inputs.rows(rows), split.targets[rows]
    errors = []
    for network in model.parts().values():
        error = network.standardised(inputs, dropout) - network.standardise(targets)
        # by gene, then over genes: a flat sum's last digits depend on the number of threads
        errors.append(error.square().mean(dim=1).mean())
    return errors
