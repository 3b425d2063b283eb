"""Small data sets of populations x genes, and the settings of scXpresso."""

from pathlib import Path

import numpy as np
import pandas as pd
import torch
import yaml
from anndata import AnnData

from cisgrammar.common.config import fill_in
from cisgrammar.data.folds import TEST, TRAIN, VALIDATION

SCHEMA = Path(__file__).parents[2] / "workflow/schemas/models/scxpresso.yaml"
BEST = {"learning_rate": 0.002, "batch_size": 16, "seed": 3, "order_seed": 4}
SMALL = {"filters": 6, "second_filters": 5, "hidden": 8, "pool": 6, "second_pool": 4}


def settings_of(**changes):
    """Give the settings as rules do: network and training in one, with some values changed."""
    section = fill_in({}, yaml.safe_load(SCHEMA.read_text()))
    settings = {**section["network"], **section["training"], "search": section["search"]}
    assert set(changes) <= set(settings)
    return settings | changes


def made_populations(n_genes=80, length=120, levels=("tissue", "type", "type", "type"), seed=1):
    """Draw genes whose expression follows their features and a motif."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 4, (n_genes, length), dtype=np.uint8)
    has_motif = rng.random(n_genes) < 0.5
    codes[has_motif, 40:46] = [0, 0, 2, 2, 1, 3]
    features = rng.normal(3, 2, (n_genes, 3)).astype(np.float32)
    effects = rng.normal(1, 0.3, (len(levels), 1))
    targets = effects * (has_motif + features[:, 0] / 2) - np.arange(len(levels))[:, None]
    features[rng.random(features.shape) < 0.1] = np.nan
    obs = pd.DataFrame(
        {"level": levels, "label": [f"p{i}" for i in range(len(levels))], "n_cells": 50},
        index=[f"{level}:p{i}" for i, level in enumerate(levels)],
    )
    dataset = AnnData(targets.astype(np.float32), obs=obs)
    dataset.var_names = [f"gene{i}" for i in range(n_genes)]
    dataset.varm["codes"], dataset.varm["features"] = codes, features
    n_test = n_genes // 5
    parts = [TRAIN] * (n_genes - 2 * n_test) + [VALIDATION] * n_test + [TEST] * n_test
    return dataset, pd.DataFrame({"gene_id": dataset.var_names, "fold0": parts})


def build(dataset, **changes):
    """Make a fresh network for a data set."""
    from cisgrammar.models.scxpresso import Scxpresso

    settings = Scxpresso.complete_settings(settings_of(**changes), dataset)
    return Scxpresso.build(dataset.n_obs, settings, {}, torch.Generator().manual_seed(5))
