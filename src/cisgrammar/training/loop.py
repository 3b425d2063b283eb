"""One training loop for every model."""

from __future__ import annotations

import glob
import hashlib
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from cisgrammar.common.files import whole_file
from cisgrammar.data.split import Split
from cisgrammar.models.base import SequenceModel
from cisgrammar.training.steps import Steps

logger = logging.getLogger(__name__)


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
        Epochs from one to the next; None keeps nothing.
    """

    path: Path
    every: int | None = 10

    @classmethod
    def of_config(cls, path: str | Path, section: Mapping[str, Any]) -> Checkpoints:
        """Take the epochs from a model's section of the config, where it says any."""
        return cls(Path(path), section.get("training", {}).get("checkpoint_epochs"))

    def of_member(self, member: int) -> Checkpoints:
        """Give an ensemble's member, counted from 0, a file of its own."""
        return self._beside(str(member)) if member else self

    def of_attempt(self, part: str, attempt: int) -> Checkpoints:
        """Give a part's repeated training, counted from 1, a file of its own; 0 is the first."""
        return (
            self._beside(f"{hashlib.sha256(part.encode()).hexdigest()[:8]}.{attempt}")
            if attempt
            else self
        )

    def _beside(self, suffix: str) -> Checkpoints:
        return replace(self, path=self.path.with_name(f"{self.path.name}.{suffix}"))

    def remove(self) -> None:
        """Remove the file, and those of members: the model is written."""
        for path in (self.path, *self.path.parent.glob(f"{glob.escape(self.path.name)}.*")):
            path.unlink(missing_ok=True)


class Diverged(RuntimeError):
    """No epoch had a finite validation loss."""


def train(
    model: SequenceModel,
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
        On the same device as the data. One that has parts is trained part by part on the same
        batches: each as if it were alone, with a best epoch of its own.
    split
        Sequences and targets of one fold.
    learning_rate, batch_size
        Adam's step and the sequences in one.
    epochs
        The most passes over the training part.
    patience
        Epochs in a row without a new best value of what the model watches (the validation loss,
        unless it has an objective of its own) that end the training; at least 1. None never
        stops early.
    seed
        Seed of the order of sequences, and of what else a model draws.
    on_epoch
        Called with epoch and validation loss; may raise to stop.
    checkpoints
        Where to keep the state of unfinished training; None keeps none.

    Returns
    -------
    Columns epoch (from 1), train_loss, the objective's metrics (validation_loss), best; ``part``
    where the model has several.

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

    parts = model.parts()
    histories = train_side_by_side(
        list(parts.values()),
        split,
        learning_rates=[learning_rate] * len(parts),
        batch_size=batch_size,
        epochs=epochs,
        patience=patience,
        seed=seed,
        stop=stop,
        checkpoints=checkpoints,
    )
    told = []
    for name, history in zip(parts, histories, strict=True):
        if history is None:
            raise Diverged(
                f"the validation loss was not finite at learning rate {learning_rate:.3g}"
            )
        told.append(history.assign(part=name) if len(parts) > 1 else history)
    model.eval()
    return pd.concat(told, ignore_index=True)


def train_side_by_side(
    models: list[SequenceModel],
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
    """Train several models of one kind on the same batches, each as if it were alone.

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
    objective = models[0].objective(split)
    runs = [
        _Run(i, model, objective.optimizer(model, learning_rate))
        for i, (model, learning_rate) in enumerate(zip(models, learning_rates, strict=True))
    ]
    going, done = runs, 0
    steps: Steps | None = None
    if checkpoints is not None and checkpoints.every is None:
        checkpoints = None
    if checkpoints is not None:
        identity = _identity(models, split, learning_rates, batch_size, patience, seed)
        going, done = _resume(checkpoints, identity, runs, generator)
    for epoch in range(done + 1, epochs + 1):
        if not going:
            break
        if steps is None or len(steps.models) != len(going):
            models, optimizers = [run.model for run in going], [run.optimizer for run in going]
            steps = Steps(objective, split, models, optimizers, generator)
        train_losses = _epoch(steps, batch_size)
        metrics = objective.metrics([run.model for run in going], split)
        for run, train_loss, values in zip(going, train_losses, metrics, strict=True):
            row = {"epoch": epoch, "train_loss": train_loss, **values}
            run.note(row, objective.watched(values), objective.least_gain)
        going = [
            run
            for run, values in zip(going, metrics, strict=True)
            if not stop(run.number, epoch, values["validation_loss"])
            and np.isfinite(values["validation_loss"])
            and (patience is None or epoch - run.best_epoch < patience)
        ]
        if checkpoints is not None and _is_due(checkpoints, epoch, going):
            _keep(checkpoints, identity, runs, going, epoch, generator)
    return [run.finish() for run in runs]


class _Run:
    """One model in training: its optimizer, metrics so far and best weights."""

    def __init__(self, number: int, model: SequenceModel, optimizer: torch.optim.Optimizer) -> None:
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


def _epoch(steps: Steps, batch_size: int) -> list[float]:
    """Train on each sequence of the training part once; give each model's mean loss."""
    for model in steps.models:
        model.train()
    train = steps.split.train
    order = torch.randperm(len(train), generator=steps.generator).to(train.device)
    steps.total.zero_()
    for rows in steps.objective.batches(train[order], batch_size):
        steps(rows)
    return (steps.total / len(train)).tolist()


def _is_due(checkpoints: Checkpoints, epoch: int, going: list[_Run]) -> bool:
    return not going or (checkpoints.every is not None and epoch % checkpoints.every == 0)


def _identity(models: list[SequenceModel], split: Split, *settings: object) -> str:
    """Name a training by all that decides its outcome, but for the number of epochs."""
    about = [[type(m).__name__, repr(dict(m.recipe))] for m in models]
    digest = hashlib.sha256(json.dumps([about, settings]).encode())
    for tensor in _tensors(models):
        digest.update(tensor.detach().cpu().contiguous().numpy().data)
    digest.update(split.digest().encode())
    return digest.hexdigest()


def _tensors(models: list[SequenceModel]) -> Iterator[Tensor]:
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
