import numpy as np
import pandas as pd
import pytest
import torch

from cisgrammar.interpret.cell_embedding import cell_embedding, depth_against_intercept, lay_out
from cisgrammar.models.scbasset import Scbasset


@pytest.fixture
def model():
    settings = {
        "length": 30, "stem_filters": 4, "stem_width": 5, "stem_pool": 3, "tower_filters": [4],
        "tower_width": 3, "tower_pool": 2, "last_filters": 4, "bottleneck": 3, "dropout": 0.2,
        "precision": "float32", "batch_of_target": [0, 1] * 30,
    }  # fmt: skip
    model = Scbasset.build(60, settings, {}, torch.Generator().manual_seed(1))
    with torch.no_grad():
        model.head.weight[30:] += 8
        model.head.bias.copy_(torch.arange(60.0))
    return model


@pytest.fixture
def cells(model):
    obs = pd.DataFrame({"cell_type": ["a"] * 30 + ["b"] * 30}, [f"c{i}" for i in range(60)])
    return cell_embedding(model, obs)


def test_embedding_is_the_cells_own_weights(model, cells):
    assert (cells.obsm["X_scbasset"] == model.head.weight.detach().numpy()).all()
    assert cells.obs["intercept"].tolist() == list(range(60))
    assert cells.obs_names[3] == "c3" and cells.obs["cell_type"].iloc[40] == "b"


def test_layout_finds_what_is_apart(cells, tmp_path):
    lay_out(cells, seed=1)
    types = pd.crosstab(cells.obs["leiden"], cells.obs["cell_type"])
    assert ((types > 0).sum(axis=1) == 1).all()
    assert cells.obsm["X_umap"].shape == cells.obsm["X_tsne"].shape == (60, 2)
    cells.write_h5ad(tmp_path / "cells.h5ad")


def test_depth_goes_with_the_intercept(cells):
    table, r = depth_against_intercept(cells, 10 ** (np.arange(60) / 20))
    assert r == pytest.approx(1)
    assert list(table) == ["cell", "cell_type", "log10_open", "intercept"] and len(table) == 60
