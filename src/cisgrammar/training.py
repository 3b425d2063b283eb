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
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate, fused=True)
    best_loss, best_epoch, best_state = np.inf, 0, None
    rows = []
    for epoch in range(1, epochs + 1):
        train_loss = _epoch(model, split, optimizer, batch_size, generator)
        loss = mean_squared_error(model, split, split.validation)
        rows.append({"epoch": epoch, "train_loss": train_loss, "validation_loss": loss})
        if loss < best_loss:
            best_loss, best_epoch = loss, epoch
            best_state = {k: v.detach().clone() for k, v in model.state_dict().items()}
        if on_epoch is not None:
            on_epoch(epoch, loss)
        if not np.isfinite(loss) or (patience is not None and epoch - best_epoch >= patience):
            break
    if best_state is None:
        raise Diverged(f"the validation loss was not finite at learning rate {learning_rate:.3g}")
    model.load_state_dict(best_state)
    model.eval()
    history = pd.DataFrame(rows)
    history["best"] = history["epoch"] == best_epoch
    logger.info("best validation loss %.6g in epoch %d of %d", best_loss, best_epoch, epoch)
    return history


def _epoch(
    model: nn.Module,
    split: Split,
    optimizer: torch.optim.Optimizer,
    batch_size: int,
    generator: torch.Generator,
) -> float:
    model.train()
    order = torch.randperm(len(split.train), generator=generator).to(split.train.device)
    total = torch.zeros((), dtype=torch.float64, device=split.train.device)
    for rows in split.train[order].split(batch_size):
        optimizer.zero_grad(set_to_none=True)
        error = model(split.codes[rows]) - split.targets[rows]
        # by row, then over rows: a flat sum's last digits depend on the number of threads
        loss = error.square().mean(dim=1).mean()
        loss.backward()
        optimizer.step()
        total += loss.detach() * len(rows)
    return total.item() / len(split.train)


@torch.no_grad()
def predict(model: nn.Module, codes: Tensor) -> Tensor:
    """Predict in batches: codes ``(sequences, length)`` to ``(sequences, targets)``."""
    model.eval()
    return torch.cat([model(batch) for batch in codes.split(EVALUATION_BATCH)])


@torch.no_grad()
def mean_squared_error(model: nn.Module, split: Split, rows: Tensor) -> float:
    """Mean squared error over some sequences and all targets."""
    model.eval()
    total = torch.zeros((), dtype=torch.float64, device=rows.device)
    for batch in rows.split(EVALUATION_BATCH):
        error = model(split.codes[batch]) - split.targets[batch]
        total += error.square_().sum(dim=1, dtype=torch.float64).sum()
    return total.item() / (len(rows) * split.targets.shape[1])
