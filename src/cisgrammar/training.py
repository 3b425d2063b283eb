"""One training loop for every family."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from anndata import AnnData
from torch import Tensor, nn

from cisgrammar.folds import TRAIN, VALIDATION, rows_of

logger = logging.getLogger(__name__)

EVALUATION_BATCH = 1024


@dataclass(frozen=True)
class Split:
    """The sequences and targets of one fold's training and validation parts, on one device."""

    codes: Tensor  # uint8 (sequences, length)
    targets: Tensor  # float32 (sequences, targets)
    train: Tensor  # int64 rows
    validation: Tensor  # int64 rows

    @classmethod
    def of_fold(
        cls, dataset: AnnData, folds: pd.DataFrame, fold: int, device: torch.device | str = "cpu"
    ) -> Split:
        """Take a fold out of dataset.h5ad and folds.tsv."""
        return cls(
            torch.from_numpy(np.ascontiguousarray(dataset.varm["codes"])).to(device),
            torch.from_numpy(np.ascontiguousarray(dataset.X.T)).to(device),
            torch.from_numpy(rows_of(folds, fold, TRAIN)).to(device),
            torch.from_numpy(rows_of(folds, fold, VALIDATION)).to(device),
        )


class Diverged(RuntimeError):
    """No epoch had a finite validation loss."""


def train(
    model: nn.Module,
    split: Split,
    *,
    learning_rate: float,
    batch_size: int,
    epochs: int,
    patience: int | None,
    seed: int,
    on_epoch: Callable[[int, float], None] | None = None,
) -> pd.DataFrame:
    """Train a model in place; it ends with the weights of its best epoch.

    Parameters
    ----------
    model
        On the same device as the data.
    split
        Sequences and targets of one fold.
    learning_rate, batch_size
        Adam's step and the sequences in one.
    epochs
        The most passes over the training part.
    patience
        Epochs in a row without a new best validation loss that end the training; at least 1.
        None never stops early.
    seed
        Seed of the order of sequences.
    on_epoch
        Called with epoch and validation loss; may raise to stop.

    Returns
    -------
    Columns epoch (from 1), train_loss, validation_loss, best.

    Raises
    ------
    Diverged
        If no epoch had a finite validation loss.

    Notes
    -----
    Hepkema et al. (2023), Methods, "Training the neural network": mean squared error, Adam,
    early stopping, weights of the lowest validation error (which the original's code forgot).
    """

    def stop(_: int, epoch: int, loss: float) -> bool:
        if on_epoch is not None:
            on_epoch(epoch, loss)
        return False

    (history,) = train_side_by_side(
        [model],
        split,
        learning_rates=[learning_rate],
        batch_size=batch_size,
        epochs=epochs,
        patience=patience,
        seed=seed,
        stop=stop,
    )
    if history is None:
        raise Diverged(f"the validation loss was not finite at learning rate {learning_rate:.3g}")
    return history


def train_side_by_side(
    models: list[nn.Module],
    split: Split,
    *,
    learning_rates: list[float],
    batch_size: int,
    epochs: int,
    patience: int | None,
    seed: int,
    stop: Callable[[int, int, float], bool],
) -> list[pd.DataFrame | None]:
    """Train several models of one family on the same batches, each as if it were alone.

    Parameters
    ----------
    models, learning_rates
        Models of one shape, and Adam's step for each.
    split, batch_size, epochs, patience, seed
        As for :func:`train`; the order of sequences is the same for all.
    stop
        Called after each epoch, model by model, with the model's number, epoch and validation
        loss; a model for which it gives true is trained no further.

    Returns
    -------
    For each model what :func:`train` returns, None where no loss was finite.
    """
    generator = torch.Generator().manual_seed(seed)
    runs = [_Run(i, m, lr) for i, (m, lr) in enumerate(zip(models, learning_rates, strict=True))]
    going = runs
    for epoch in range(1, epochs + 1):
        train_losses = _epoch([run.model for run in going], split, going, batch_size, generator)
        losses = mean_squared_errors([run.model for run in going], split, split.validation)
        for run, train_loss, loss in zip(going, train_losses, losses, strict=True):
            run.note(epoch, train_loss, loss)
        going = [
            run
            for run, loss in zip(going, losses, strict=True)
            if not stop(run.number, epoch, loss)
            and np.isfinite(loss)
            and (patience is None or epoch - run.best_epoch < patience)
        ]
        if not going:
            break
    return [run.finish() for run in runs]


class _Run:
    """One model in training: its optimizer, losses so far and best weights."""

    def __init__(self, number: int, model: nn.Module, learning_rate: float) -> None:
        self.number, self.model = number, model
        self.optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate, fused=True)
        self.best_loss, self.best_epoch = np.inf, 0
        self.best_state: dict[str, Tensor] | None = None
        self.rows: list[dict[str, float]] = []

    def note(self, epoch: int, train_loss: float, loss: float) -> None:
        self.rows.append({"epoch": epoch, "train_loss": train_loss, "validation_loss": loss})
        if loss < self.best_loss:
            self.best_loss, self.best_epoch = loss, epoch
            state = self.model.state_dict()
            self.best_state = {key: value.detach().clone() for key, value in state.items()}

    def finish(self) -> pd.DataFrame | None:
        if self.best_state is None:
            return None
        self.model.load_state_dict(self.best_state)
        self.model.eval()
        history = pd.DataFrame(self.rows)
        history["best"] = history["epoch"] == self.best_epoch
        logger.info(
            "best validation loss %.6g in epoch %d of %d",
            self.best_loss, self.best_epoch, len(history),
        )  # fmt: skip
        return history


def _epoch(
    models: list[nn.Module],
    split: Split,
    runs: list[_Run],
    batch_size: int,
    generator: torch.Generator,
) -> list[float]:
    for model in models:
        model.train()
    order = torch.randperm(len(split.train), generator=generator).to(split.train.device)
    total = torch.zeros(len(models), dtype=torch.float64, device=split.train.device)
    for rows in split.train[order].split(batch_size):
        for run in runs:
            run.optimizer.zero_grad(set_to_none=True)
        error = _predict_each(models, split.codes[rows]) - split.targets[rows]
        # by row, then over rows: a flat sum's last digits depend on the number of threads
        losses = error.square().mean(dim=2).mean(dim=1)  # (models,)
        losses.sum().backward()
        for run in runs:
            run.optimizer.step()
        total += losses.detach() * len(rows)
    return (total / len(split.train)).tolist()


def _predict_each(models: list[nn.Module], codes: Tensor) -> Tensor:
    """Predict with several models of one family: ``(models, batch, targets)``."""
    if len(models) == 1:
        return models[0](codes).unsqueeze(0)
    return type(models[0]).side_by_side(models, codes)


@torch.no_grad()
def predict(model: nn.Module, codes: Tensor) -> Tensor:
    """Predict in batches: codes ``(sequences, length)`` to ``(sequences, targets)``."""
    model.eval()
    return torch.cat([model(batch) for batch in codes.split(EVALUATION_BATCH)])


def mean_squared_error(model: nn.Module, split: Split, rows: Tensor) -> float:
    """Mean squared error over some sequences and all targets."""
    return mean_squared_errors([model], split, rows)[0]


@torch.no_grad()
def mean_squared_errors(models: list[nn.Module], split: Split, rows: Tensor) -> list[float]:
    """Mean squared error of several models of one family."""
    for model in models:
        model.eval()
    total = torch.zeros(len(models), dtype=torch.float64, device=rows.device)
    for batch in rows.split(EVALUATION_BATCH):
        error = _predict_each(models, split.codes[batch]) - split.targets[batch]
        total += error.square_().sum(dim=2, dtype=torch.float64).sum(dim=1)
    return (total / (len(rows) * split.targets.shape[1])).tolist()
