"""A fold's final model: built and trained with the hyperparameters that tuning found."""

from __future__ import annotations

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
        epochs, patience; members, where the model has more than one.
    device
        Where to train.
    checkpoints
        Where to keep the state of unfinished training; None keeps none.

    Returns
    -------
    The model with the weights of its best epoch, and its history. Several members are joined as
    the model says (:meth:`cisgrammar.models.base.SequenceModel.join`); the history then has a
    column ``member``.

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
        model = build_model(name, dataset.n_obs, settings, best, _seed(best["seed"], member))
        model = model.to(device)
        model.prepare(split)
        history = train(
            model,
            split,
            learning_rate=best["learning_rate"],
            batch_size=best["batch_size"],
            epochs=training["epochs"],
            patience=training["patience"],
            seed=_seed(best["order_seed"], member),
            checkpoints=checkpoints.of_member(member) if checkpoints else None,
        )
        members.append(model)
        histories.append(history.assign(member=member) if n_members > 1 else history)
    return implementation.join(members, split).eval(), pd.concat(histories, ignore_index=True)


def _seed(seed: int, member: int) -> int:
    """Give the first member the fold's own seed, and the others some that derive from it."""
    return derive_seed(seed, "member", member) if member else seed
