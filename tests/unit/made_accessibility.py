"""A small case for scBasset: cells that are open where GATTACA stands, and cells that are not."""

import numpy as np
import torch
from scipy import sparse

from cisgrammar.common.threads import set_threads
from cisgrammar.data.open_entries import OpenEntries
from cisgrammar.data.split import Inputs, Split
from cisgrammar.models.scbasset import Scbasset
from cisgrammar.training.loop import train

SETTINGS = {
    "length": 40, "stem_filters": 8, "stem_width": 7, "stem_pool": 3, "tower_filters": [8],
    "tower_width": 3, "tower_pool": 2, "last_filters": 6, "bottleneck": 4, "dropout": 0.2,
    "precision": "float32", "max_shift": 2, "augment_per_sequence": False,
    "betas": [0.95, 0.9995], "l2_cells": 0, "l2_batches": 0, "auroc_cells": 1000,
    "least_auroc_gain": 1e-6, "start": "random", "cells_step": None,
}  # fmt: skip
TRAINING = {"learning_rate": 0.01, "batch_size": 32, "epochs": 6, "patience": None, "seed": 1}


def motif_split(n=200, n_cells=30, seed=1):
    """Half of the cells are open where GATTACA stands, half where it does not."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 4, (n, 40), dtype=np.uint8)
    there = rng.random(n) < 0.5
    codes[there, 16:23] = [2, 0, 3, 3, 0, 1, 0]
    likes = np.arange(n_cells) < n_cells // 2
    chance = np.where(there[:, None] == likes, 0.5, 0.05)
    entries = OpenEntries.of_matrix(sparse.csr_matrix(rng.random((n, n_cells)) < chance).T)
    rows = torch.arange(n)
    return Split(Inputs(torch.from_numpy(codes)), entries, rows[: n - 40], rows[n - 40 :])


def build(n_cells=30, seed=1, **changes):
    generator = torch.Generator().manual_seed(seed)
    return Scbasset.build(n_cells, {**SETTINGS, **changes}, {}, generator)


def trained():
    """Train a model that knows the motif: the split and the model."""
    set_threads(1)
    split, model = motif_split(n=400), build(max_shift=1)
    train(model, split, **{**TRAINING, "epochs": 40})
    return split, model.eval()
