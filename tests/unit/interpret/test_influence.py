from itertools import product

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import torch
from torch.nn import functional as F

from cisgrammar.data.split import Inputs
from cisgrammar.interpret.influence import gather, mean_by, with_score, z_scores
from cisgrammar.models.scover import Scover

READINGS = pytest.mark.parametrize("strands, bins", [("forward", 1), ("both", 3)])


def some_model(strands="forward", bins=1):
    torch.manual_seed(1)
    model = Scover(n_targets=5, filters=7, width=4, strands=strands, bins=bins)
    torch.nn.init.normal_(model.motifs.weight)
    with torch.no_grad():
        model.motifs.weight[6] = -2  # never above 0, where ELU bends
    return model


@READINGS
@pytest.mark.parametrize("n", [1, 30, 1500])
def test_influence_equals_leaving_filters_out_one_at_a_time(n, strands, bins):
    model = some_model(strands, bins)
    codes = torch.from_numpy(np.random.default_rng(2).integers(0, 5, (n, 20), dtype=np.uint8))
    influence, _ = model.influence_and_effect(codes)
    assert influence.shape == (7, bins, 5)
    with torch.no_grad():
        full = model(Inputs(codes))
        activations = model.activations(codes)
        torch.testing.assert_close(activations, F.elu(model.motifs(codes)))
        for left_out, k in product(range(7), range(bins)):
            silenced = activations.clone()
            silenced[:, left_out, k] = 0
            expected = (full - model.head(silenced.transpose(1, 2).flatten(1))).mean(dim=0)
            torch.testing.assert_close(influence[left_out, k], expected, rtol=1e-4, atol=1e-5)
    assert (activations[:, 6] < 0).all()


@READINGS
def test_effect_is_weight_times_spread_of_the_activation(strands, bins):
    model = some_model(strands, bins)
    codes = torch.from_numpy(np.random.default_rng(2).integers(0, 5, (1500, 20), dtype=np.uint8))
    influence, effect = model.influence_and_effect(codes)
    weights = model.head_weights().permute(1, 2, 0)  # (filters, bins, targets)
    spread = model.activations(codes).std(dim=0, correction=0)
    torch.testing.assert_close(effect, weights * spread[:, :, None], rtol=1e-4, atol=1e-5)
    moved = effect.abs().sum(dim=2) > 0
    assert (effect[moved].sign() == weights[moved].sign()).all()
    # filter 6 never rises above 0: its influence has the wrong sign
    assert (influence[6].sign() == -weights[6].sign()).all()


def test_an_activation_that_does_not_vary_has_no_effect():
    effect = some_model().influence_and_effect(torch.zeros((3, 20), dtype=torch.uint8))[1]
    assert (effect.abs() < 1e-5).all()


def test_influence_does_not_touch_the_model():
    model = some_model()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    model.influence_and_effect(torch.zeros((3, 20), dtype=torch.uint8))
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())


def dataset():
    obs = pd.DataFrame({"cell_type": ["b", "a", "b"]}, index=["pool0", "pool1", "pool2"])
    data = ad.AnnData(np.zeros((3, 2), dtype=np.float32), obs=obs)
    data.obsm["X_umap"] = np.arange(6.0).reshape(3, 2)
    return data


def gathered():
    pools = ["pool2", "pool0", "pool1"]  # not the data set's order
    tables = [
        pd.DataFrame([[3, 1, 2], [0, 0, 0]], index=["0_0", "0_1"], columns=pools),
        pd.DataFrame([[9, 7, 8]], index=["1_0"], columns=pools),
    ]
    motifs = pd.DataFrame({"fold": [1, 0]}, index=pd.Index(["1_0", "0_0"], name="motif"))
    return gather(tables, [-table for table in tables], motifs, dataset())


def test_gathering_keeps_motifs_with_their_values_and_pools_in_order():
    joined = gathered()
    assert joined.obs_names.tolist() == ["pool0", "pool1", "pool2"]
    assert joined.var_names.tolist() == ["1_0", "0_0"]
    assert joined.X.tolist() == [[7, 1], [8, 2], [9, 3]]
    assert joined.layers["effect"].tolist() == [[-7, -1], [-8, -2], [-9, -3]]
    assert joined.obs["cell_type"].tolist() == ["b", "a", "b"]
    assert joined.obsm["X_umap"].tolist() == dataset().obsm["X_umap"].tolist()


def test_a_motif_without_influence_is_an_error():
    motifs = pd.DataFrame(index=["0_0", "5_5"])
    table = pd.DataFrame([[1, 2, 3]], index=["0_0"], columns=["pool0", "pool1", "pool2"])
    with pytest.raises(KeyError, match="5_5"):
        gather([table], [table], motifs, dataset())


def test_means_over_pools_by_hand():
    means = mean_by(gathered())
    assert means.columns.tolist() == ["a", "b"]
    assert means.index.name == "motif"
    assert means.loc["1_0"].tolist() == [8, 8]
    assert means.loc["0_0"].tolist() == [2, 2]


def test_either_score_can_be_asked_for():
    joined = gathered()
    assert with_score(joined, "influence").X.tolist() == joined.X.tolist()
    assert with_score(joined, "effect").X[0].tolist() == [-7, -1]
    assert joined.X[0].tolist() == [7, 1]  # the original stays
    assert mean_by(joined, layer="effect").loc["1_0"].tolist() == [-8, -8]


def test_z_scores_by_hand():
    table = pd.DataFrame([[1, 2, 3], [5, 5, 5], [0.1, 0.1, 0.1], [0, 0, 0]], dtype=float)
    z = z_scores(table).to_numpy()
    np.testing.assert_allclose(z[0], np.array([-1, 0, 1]) * np.sqrt(1.5))
    assert (z[1:] == 0).all()


@pytest.mark.parametrize("scale", [1e-9, 1, 1e9])
def test_z_scores_have_mean_0_and_sd_1_at_any_scale(scale):
    table = pd.DataFrame(np.random.default_rng(1).normal(size=(4, 6)) * scale)
    z = z_scores(table).to_numpy()
    np.testing.assert_allclose(z.mean(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(z.std(axis=1), 1)


def test_data_without_a_map_of_cells_are_borne():
    """Data given as sequences and targets have no UMAP."""
    dataset = ad.AnnData(np.zeros((2, 3), np.float32), obs=pd.DataFrame(index=["a", "b"]))
    motifs = pd.DataFrame({"fold": [0]}, index=pd.Index(["0_1"], name="motif"))
    table = pd.DataFrame([[1.0, 2.0], [3.0, 4.0]], index=["0_0", "0_1"], columns=["a", "b"])
    gathered = gather([table], [table], motifs, dataset)
    assert gathered.X.tolist() == [[3], [4]]
    assert "X_umap" not in gathered.obsm
