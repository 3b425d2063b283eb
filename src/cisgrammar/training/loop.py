"""One training loop for every family."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
import torch
from anndata import AnnData
from anndata.abc import CSRDataset
from scipy import sparse
from torch import Tensor, nn

from cisgrammar.common.files import whole_file
from cisgrammar.data.folds import TRAIN, VALIDATION, rows_of
from cisgrammar.data.open_entries import OpenEntries

logger = logging.getLogger(__name__)

EVALUATION_BATCH = 1024


@dataclass(frozen=True)
class Split:
    """The sequences and targets of one fold's training and validation parts, on one device."""

    codes: Tensor  # uint8 (sequences, length)
    targets: Tensor | OpenEntries  # float32 (sequences, targets), or which of them are 1
    train: Tensor  # int64 rows
    validation: Tensor  # int64 rows

    @classmethod
    def of_fold(
        cls, dataset: AnnData, folds: pd.DataFrame, fold: int, device: torch.device | str = "cpu"
    ) -> Split:
        """Take a fold out of dataset.h5ad and folds.tsv.

        With an AnnData that was read with ``backed="r"`` nothing is held twice; sparse targets
        stay sparse.
        """
        targets: Tensor | OpenEntries
        if sparse.issparse(dataset.X) or isinstance(dataset.X, CSRDataset):
            targets = OpenEntries.of_matrix(dataset.X, device)
        else:
            targets = torch.from_numpy(np.ascontiguousarray(dataset.X[:].T)).to(device)
        return cls(
            torch.from_numpy(np.ascontiguousarray(dataset.varm["codes"])).to(device),
            targets,
            torch.from_numpy(rows_of(folds, fold, TRAIN)).to(device),
            torch.from_numpy(rows_of(folds, fold, VALIDATION)).to(device),
        )

    def digest(self) -> str:
        """Name the data by what is in them."""
        digest = hashlib.sha256()
        if isinstance(self.targets, OpenEntries):
            targets = [self.targets.offsets, self.targets.cells]
        else:
            targets = [self.targets]
        for tensor in (self.codes, *targets, self.train, self.validation):
            digest.update(tensor.cpu().numpy().data)
        return digest.hexdigest()


class Objective(Protocol):
    """What a family minimises and watches. A family without its own takes :class:`SquaredError`."""

    least_gain: float  # a watched value this little below the best so far is no better

    def optimizer(self, model: nn.Module, learning_rate: float) -> torch.optim.Optimizer:
        """Make what moves the weights."""

    def batches(self, order: Tensor, batch_size: int) -> Sequence[Tensor]:
        """Cut the rows of an epoch, in random order, into batches."""

    def losses(
        self, models: list[nn.Module], split: Split, rows: Tensor, generator: torch.Generator
    ) -> Tensor:
        """Give each model's loss in one batch: ``(models,)``."""

    def figures(self, models: list[nn.Module], split: Split) -> list[dict[str, float]]:
        """Give each model's columns of the history after an epoch, validation_loss among them."""

    def watched(self, figures: dict[str, float]) -> float:
        """Give the value whose lowest decides the best epoch."""


class SquaredError:
    """Hepkema et al. (2023): mean squared error, Adam, weights of the lowest validation error."""

    least_gain = 0.0

    def optimizer(self, model: nn.Module, learning_rate: float) -> torch.optim.Optimizer:
        """Make Adam with its usual settings."""
        return torch.optim.Adam(model.parameters(), lr=learning_rate, fused=True)

    def batches(self, order: Tensor, batch_size: int) -> Sequence[Tensor]:
        """Cut off one batch after the other; the last may be small."""
        return order.split(batch_size)

    def losses(
        self, models: list[nn.Module], split: Split, rows: Tensor, generator: torch.Generator
    ) -> Tensor:
        """Average squared errors."""
        assert isinstance(split.targets, Tensor)
        error = _predict_each(models, split.codes[rows]) - split.targets[rows]
        # by row, then over rows: a flat sum's last digits depend on the number of threads
        return error.square().mean(dim=2).mean(dim=1)

    def figures(self, models: list[nn.Module], split: Split) -> list[dict[str, float]]:
        """Measure the error on the validation part."""
        losses = mean_squared_errors(models, split, split.validation)
        return [{"validation_loss": loss} for loss in losses]

    def watched(self, figures: dict[str, float]) -> float:
        """Watch the validation loss."""
        return figures["validation_loss"]


@dataclass(frozen=True)
class Checkpoints:
    """Where training that may be killed keeps its state, and how often.

    Parameters
    ----------
    path
        The file. Training that finds its own state there goes on from it, to the same result;
        the state of another training (other data, settings or models) is replaced. It stays when
        training ends: remove it once the model is written.
    every
        Epochs from one to the next.
    """

    path: Path
    every: int = 10


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
    checkpoints: Checkpoints | None = None,
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
        Epochs in a row without a new best value of what the family watches (the validation loss,
        unless it has an objective of its own) that end the training; at least 1. None never
        stops early.
    seed
        Seed of the order of sequences, and of what else a family draws.
    on_epoch
        Called with epoch and validation loss; may raise to stop.
    checkpoints
        Where to keep the state of unfinished training; None keeps none.

    Returns
    -------
    Columns epoch (from 1), train_loss, the family's figures (validation_loss), best.

    Raises
    ------
    Diverged
        If no epoch had a finite validation loss.

    Notes
    -----
    Hepkema et al. (2023), Methods, "Training the neural network": early stopping, and the weights
    of the best epoch (which the original's code forgot).
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
        checkpoints=checkpoints,
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
    checkpoints: Checkpoints | None = None,
) -> list[pd.DataFrame | None]:
    """Train several models of one family on the same batches, each as if it were alone.

    Parameters
    ----------
    models, learning_rates
        Models of one shape, and Adam's step for each.
    split, batch_size, epochs, patience, seed, checkpoints
        As for :func:`train`; the order of sequences is the same for all.
    stop
        Called after each epoch, model by model, with the model's number, epoch and validation
        loss; a model for which it gives true is trained no further.

    Returns
    -------
    For each model what :func:`train` returns, None where no loss was finite.
    """
    generator = torch.Generator().manual_seed(seed)
    objective = objective_of(models[0], split)
    runs = [
        _Run(i, model, objective.optimizer(model, learning_rate))
        for i, (model, learning_rate) in enumerate(zip(models, learning_rates, strict=True))
    ]
    going, done = runs, 0
    if checkpoints is not None:
        identity = _identity(models, split, learning_rates, batch_size, patience, seed)
        going, done = _resume(checkpoints, identity, runs, generator)
    for epoch in range(done + 1, epochs + 1):
        if not going:
            break
        train_losses = _epoch(objective, split, going, batch_size, generator)
        figures = objective.figures([run.model for run in going], split)
        for run, train_loss, values in zip(going, train_losses, figures, strict=True):
            row = {"epoch": epoch, "train_loss": train_loss, **values}
            run.note(row, objective.watched(values), objective.least_gain)
        going = [
            run
            for run, values in zip(going, figures, strict=True)
            if not stop(run.number, epoch, values["validation_loss"])
            and np.isfinite(values["validation_loss"])
            and (patience is None or epoch - run.best_epoch < patience)
        ]
        if checkpoints is not None and (epoch % checkpoints.every == 0 or not going):
            _keep(checkpoints, identity, runs, going, epoch, generator)
    return [run.finish() for run in runs]


def objective_of(model: nn.Module, split: Split) -> Objective:
    """Give a family's own objective, or the one for numbers."""
    own = getattr(model, "objective", None)
    return SquaredError() if own is None else own(split)


class _Run:
    """One model in training: its optimizer, figures so far and best weights."""

    def __init__(self, number: int, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        self.number, self.model, self.optimizer = number, model, optimizer
        self.best, self.best_epoch = np.inf, 0
        self.best_state: dict[str, Tensor] | None = None
        self.rows: list[dict[str, float]] = []

    def note(self, row: dict[str, float], watched: float, least_gain: float) -> None:
        self.rows.append(row)
        if watched < self.best - least_gain:
            self.best, self.best_epoch = watched, int(row["epoch"])
            state = self.model.state_dict()
            self.best_state = {key: value.detach().clone() for key, value in state.items()}

    def state(self) -> dict[str, Any]:
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "best": self.best,
            "best_epoch": self.best_epoch,
            "best_state": self.best_state,
            "rows": self.rows,
        }

    def restore(self, state: dict[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.best, self.best_epoch = state["best"], state["best_epoch"]
        self.best_state, self.rows = state["best_state"], state["rows"]

    def finish(self) -> pd.DataFrame | None:
        if self.best_state is None:
            return None
        self.model.load_state_dict(self.best_state)
        self.model.eval()
        history = pd.DataFrame(self.rows)
        history["best"] = history["epoch"] == self.best_epoch
        loss = history.loc[history["best"], "validation_loss"].item()
        logger.info(
            "validation loss %.6g in the best epoch, %d of %d",
            loss, self.best_epoch, len(history),
        )  # fmt: skip
        return history


def _epoch(
    objective: Objective,
    split: Split,
    runs: list[_Run],
    batch_size: int,
    generator: torch.Generator,
) -> list[float]:
    models = [run.model for run in runs]
    for model in models:
        model.train()
    order = torch.randperm(len(split.train), generator=generator).to(split.train.device)
    total = torch.zeros(len(models), dtype=torch.float64, device=split.train.device)
    for rows in objective.batches(split.train[order], batch_size):
        for run in runs:
            run.optimizer.zero_grad(set_to_none=True)
        losses = objective.losses(models, split, rows, generator)
        losses.sum().backward()
        for run in runs:
            run.optimizer.step()
        total += losses.detach() * len(rows)
    return (total / len(split.train)).tolist()


def _identity(models: list[nn.Module], split: Split, *settings: object) -> str:
    """Name a training by all that decides its outcome, but for the number of epochs."""
    about = [[type(m).__name__, repr(getattr(m, "recipe", None))] for m in models]
    digest = hashlib.sha256(json.dumps([about, settings]).encode())
    for tensor in _tensors(models):
        digest.update(tensor.detach().cpu().contiguous().numpy().data)
    digest.update(split.digest().encode())
    return digest.hexdigest()


def _tensors(models: list[nn.Module]) -> Iterator[Tensor]:
    for model in models:
        yield from model.state_dict().values()


def _keep(
    checkpoints: Checkpoints,
    identity: str,
    runs: list[_Run],
    going: list[_Run],
    epoch: int,
    generator: torch.Generator,
) -> None:
    state = {
        "identity": identity,
        "epoch": epoch,
        "generator": generator.get_state(),
        "going": [run.number for run in going],
        "runs": [run.state() for run in runs],
    }
    with whole_file(checkpoints.path) as temporary, temporary.open("wb") as handle:
        torch.save(state, handle)


def _resume(
    checkpoints: Checkpoints, identity: str, runs: list[_Run], generator: torch.Generator
) -> tuple[list[_Run], int]:
    """Take up what an earlier call left: the runs that go on, and the epochs that are done."""
    if not checkpoints.path.exists():
        return runs, 0
    try:
        state = torch.load(checkpoints.path, map_location="cpu", weights_only=True)
        if state["identity"] != identity:
            raise ValueError("of another training")
    except Exception as error:
        logger.info("%s: not used, training starts anew (%r)", checkpoints.path, error)
        return runs, 0
    for run, kept in zip(runs, state["runs"], strict=True):
        run.restore(kept)
    generator.set_state(state["generator"])
    logger.info("%s: training goes on after epoch %d", checkpoints.path, state["epoch"])
    return [run for run in runs if run.number in state["going"]], state["epoch"]


def _predict_each(models: list[nn.Module], codes: Tensor) -> Tensor:
    """Predict with several models of one family: ``(models, batch, targets)``."""
    if len(models) == 1:
        return models[0](codes).unsqueeze(0)
    family: Any = type(models[0])
    return family.side_by_side(models, codes)


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
    assert isinstance(split.targets, Tensor)
    for model in models:
        model.eval()
    total = torch.zeros(len(models), dtype=torch.float64, device=rows.device)
    for batch in rows.split(EVALUATION_BATCH):
        error = _predict_each(models, split.codes[batch]) - split.targets[batch]
        total += error.square_().sum(dim=2, dtype=torch.float64).sum(dim=1)
    return (total / (len(rows) * split.targets.shape[1])).tolist()
