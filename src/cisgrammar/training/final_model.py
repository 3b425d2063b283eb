"""A fold's final model: built and trained with the hyperparameters that tuning found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import torch
from anndata import AnnData

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
        epochs, patience.
    device
        Where to train.
    checkpoints
        Where to keep the state of unfinished training; None keeps none.

    Returns
    -------
    The model with the weights of its best epoch, and its history.

    Raises
    ------
    Diverged
        If no epoch had a finite validation loss.
    """
    implementation = MODELS[name].load()
    split = Split.of_fold(dataset, folds, fold, device, implementation.read_inputs)
    settings = implementation.complete_settings(settings, dataset)
    model = build_model(name, dataset.n_obs, settings, best, best["seed"]).to(device)
    history = train(
        model,
        split,
        learning_rate=best["learning_rate"],
        batch_size=best["batch_size"],
        epochs=training["epochs"],
        patience=training["patience"],
        seed=best["order_seed"],
        checkpoints=checkpoints,
    )
    return model, history
