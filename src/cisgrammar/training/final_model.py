"""A fold's final model: built and trained with the hyperparameters that tuning found."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import pandas as pd
import torch
from anndata import AnnData

from cisgrammar.common.seeds import derive_seed
from cisgrammar.data.split import Split
from cisgrammar.models.base import SequenceModel
from cisgrammar.models.checkpoints import build_model
from cisgrammar.models.registry import MODELS
from cisgrammar.training.loop import Checkpoints, train

logger = logging.getLogger(__name__)


def train_final(
    name: str,
    dataset: AnnData,
    folds: pd.DataFrame,
    fold: int,
    settings: Mapping[str, Any],
    best: Mapping[str, Any],
    training: Mapping[str, Any],
    device: torch.device | str,
    checkpoints: Checkpoints | None = None,
) -> tuple[SequenceModel, pd.DataFrame]:
    """Train the final model of a fold; models of controls are trained alike.

    Parameters
    ----------
    name
        Of the model, in the registry.
    dataset, folds, fold
        dataset.h5ad, folds.tsv, and which fold.
    settings
        The sections ``network`` and ``training`` of the model's config, in one.
    best
        hyperparameters.json: also the seeds of weights and of the order of sequences.
    training
        epochs, patience; members, where the model has more than one; retries, how often one that
        has collapsed is trained again with other seeds.
    device
        Where to train.
    checkpoints
        Where to keep the state of unfinished training; None keeps none.

    Returns
    -------
    The model with the weights of its best epoch, and its history. Several members are joined as
    the model says (:meth:`cisgrammar.models.base.SequenceModel.join`); the history then has a
    column ``member``, and ``attempt`` where there may be retries.

    Raises
    ------
    Diverged
        If no epoch had a finite validation loss.
    """
    implementation = MODELS[name].load()
    split = Split.of_fold(dataset, folds, fold, device, implementation.read_inputs)
    settings = implementation.complete_settings(settings, dataset)
    settings = implementation.choose_settings(settings, split)
    n_members = training.get("members", 1)
    members, histories = [], []
    for member in range(n_members):
        model, history = _train_member(
            name, split, dataset.n_obs, settings, best, training, member,
            checkpoints.of_member(member) if checkpoints else None,
        )  # fmt: skip
        members.append(model)
        histories.append(history.assign(member=member) if n_members > 1 else history)
    return implementation.join(members, split).eval(), pd.concat(histories, ignore_index=True)


def _train_member(
    name: str,
    split: Split,
    n_targets: int,
    settings: Mapping[str, Any],
    best: Mapping[str, Any],
    training: Mapping[str, Any],
    member: int,
    checkpoints: Checkpoints | None,
) -> tuple[SequenceModel, pd.DataFrame]:
    """Train a member; the parts that have collapsed are tried with other seeds, if any may be."""

    def fresh(attempt: int) -> SequenceModel:
        seed = _seed(best["seed"], member, attempt)
        model = build_model(name, n_targets, settings, best, seed).to(split.device)
        model.prepare(split)
        return model

    def fit(model: SequenceModel, part: str, attempt: int) -> pd.DataFrame:
        return train(
            model,
            split,
            learning_rate=best["learning_rate"],
            batch_size=best["batch_size"],
            epochs=training["epochs"],
            patience=training["patience"],
            seed=_seed(best["order_seed"], member, attempt),
            checkpoints=checkpoints.of_attempt(part, attempt) if checkpoints else None,
        )

    model, retries = fresh(0), training.get("retries", 0)
    history = fit(model, "", 0)
    if not retries:
        return model, history
    history["attempt"] = 0
    for label, part in model.parts().items():
        attempt = 0
        while part.has_collapsed(split):
            logger.warning(
                "member %d, %s: predictions are the same for all sequences (attempt %d of %d)",
                member, label, attempt + 1, retries + 1,
            )  # fmt: skip
            if attempt == retries:
                break
            attempt += 1
            part.load_state_dict(fresh(attempt).parts()[label].state_dict())
            again = fit(part, label, attempt).assign(attempt=attempt)
            if "part" in history:
                others = history[history["part"] != label]
                again = pd.concat([others, again.assign(part=label)], ignore_index=True)
            history = again
    return model, history


def _seed(seed: int, member: int, attempt: int) -> int:
    """Give the first member the fold's own seed, and the others some that derive from it."""
    seed = derive_seed(seed, "member", member) if member else seed
    return derive_seed(seed, "attempt", attempt) if attempt else seed
