import numpy as np
import pandas as pd
import pytest
import torch

from cisgrammar.data.split import Inputs
from cisgrammar.interpret.cell_embedding import (
    axes_of_logits,
    cell_embedding,
    depth_against_intercept,
    lay_out,
)
from cisgrammar.models.scbasset import Scbasset


def some_peaks():
    return np.random.default_rng(1).integers(0, 4, (50, 30), dtype=np.uint8)


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
    return cell_embedding(model, obs, some_peaks(), of="weights")


def test_embedding_is_the_cells_own_weights(model, cells):
    assert (cells.obsm["X_scbasset"] == model.head.weight.detach().numpy()).all()
    assert cells.obs["intercept"].tolist() == list(range(60))
    assert cells.obs_names[3] == "c3" and cells.obs["cell_type"].iloc[40] == "b"


def test_cells_can_be_as_far_apart_as_their_logits(model):
    codes = some_peaks()
    obs = pd.DataFrame(index=[f"c{i}" for i in range(60)])
    embedding = cell_embedding(model.eval(), obs, codes).obsm["X_scbasset"]
    assert embedding.dtype == np.float32 and embedding.shape == (60, 3)
    with torch.no_grad():
        model.batch_head.weight.zero_()
        logits = model(Inputs(torch.from_numpy(codes))).numpy().astype(float)
    for one, two in [(0, 1), (0, 40), (31, 59)]:
        apart = np.linalg.norm(embedding[one] - embedding[two])
        assert apart == pytest.approx((logits[:, one] - logits[:, two]).std(ddof=1), rel=1e-4)


def test_what_changes_no_logit_moves_no_cell(model):
    """A number of the bottleneck that is the same for all peaks, as one that is never used."""
    codes = some_peaks()
    obs = pd.DataFrame(index=[f"c{i}" for i in range(60)])
    with torch.no_grad():
        model.norm.weight[1] = 0
        before = cell_embedding(model, obs, codes).obsm["X_scbasset"]
        model.head.weight[:, 1] += torch.arange(60.0)
        after = cell_embedding(model, obs, codes).obsm["X_scbasset"]
    assert after == pytest.approx(before, abs=1e-5)
    spread = np.linalg.norm(axes_of_logits(model, codes), axis=0)
    assert list(spread) == sorted(spread, reverse=True) and spread[2] == pytest.approx(0, abs=1e-6)


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
