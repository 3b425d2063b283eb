"""A fold's final model: built and trained with the hyperparameters that tuning found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import torch
from anndata import AnnData

from cisgrammar import models
from cisgrammar.training.loop import Checkpoints, Split, train


def train_final(
    family: str,
    dataset: AnnData,
    folds: pd.DataFrame,
    fold: int,
    settings: Mapping[str, Any],
    best: Mapping[str, Any],
    training: Mapping[str, Any],
    device: torch.device | str,
    checkpoints: Checkpoints | None = None,
) -> tuple[models.Model, pd.DataFrame]:
    """Train the final model of a fold; models of controls are trained alike.

    Parameters
    ----------
    family
        Name in the registry of models.
    dataset, folds, fold
        dataset.h5ad, folds.tsv, and which fold.
    settings
        The family's section of the config.
    best
        hyperparameters.json: also the seeds of weights and of the order of sequences.
    training
        The config's section ``training``: epochs, patience.
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
    split = Split.of_fold(dataset, folds, fold, device)
    settings = models.complete_settings(family, settings, dataset.obs)
    model = models.build(family, dataset.n_obs, settings, dict(best), best["seed"]).to(device)
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
