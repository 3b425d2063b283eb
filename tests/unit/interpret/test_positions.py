import numpy as np
import pandas as pd
import pytest
import torch

from cisgrammar.interpret.positions import bin_places, positions_table, scores_by_bin
from cisgrammar.models.scover import Scover

FAMILIES = ["SP", "ETS"]
TYPES = pd.Series(["b", "a", "b"])


def test_bins_are_placed_by_the_middles_of_the_motifs():
    # windows of 3 in 8 bases start at 0 to 5, their middles are at 1 to 6; the TSS is base 4
    places = bin_places(length=8, width=3, bins=2, origin=4)
    assert places["start"].tolist() == [-3, 0]
    assert places["end"].tolist() == [0, 3]
    odd = bin_places(length=7, width=3, bins=2, origin=0)
    assert odd[["start", "end"]].to_numpy().tolist() == [[1, 4], [3, 6]]


def fold_of(seed, bins=3):
    torch.manual_seed(seed)
    model = Scover(n_targets=3, filters=4, width=3, strands="both", bins=bins)
    torch.nn.init.normal_(model.motifs.weight)
    filters = pd.DataFrame({"filter": [0, 1, 3], "family": ["ETS", "SP", "ETS"]})
    codes = np.random.default_rng(seed).integers(0, 4, (20, 12), dtype=np.uint8)
    return model, codes, filters


def test_scores_are_summed_by_family_and_averaged_by_cell_type():
    model, codes, filters = fold_of(1)
    scores = scores_by_bin(model, codes, filters, FAMILIES, TYPES)
    for found, by_filter in zip(
        scores, model.influence_and_effect(torch.from_numpy(codes)), strict=True
    ):
        by_filter = by_filter.numpy()  # (filters, bins, targets)
        assert found.shape == (2, 3, 2)
        np.testing.assert_allclose(found[0, :, 0], by_filter[1, :, 1], rtol=1e-5)
        ets = by_filter[0] + by_filter[3]
        np.testing.assert_allclose(found[1, :, 1], (ets[:, 0] + ets[:, 2]) / 2, rtol=1e-5)


def test_a_fold_without_a_family_adds_nothing():
    model, codes, filters = fold_of(1)
    without = filters[filters["family"] == "ETS"]
    scores = scores_by_bin(model, codes, without, FAMILIES, TYPES)
    assert (scores[:, 0] == 0).all() and (scores[:, 1] != 0).any()


def test_the_table_joins_folds():
    folds = [np.arange(24.0).reshape(2, 2, 3, 2), np.arange(24.0).reshape(2, 2, 3, 2) + 2]
    places = bin_places(length=8, width=3, bins=3, origin=4)
    table = positions_table(folds, FAMILIES, ["a", "b"], places)
    assert len(table) == 2 * 3 * 2
    row = table.set_index(["family", "bin", "cell_type"]).loc[("ETS", 1, "b")]
    # influence 9 and 11 in the two folds, effect 21 and 23
    assert (row["influence"], row["effect"]) == (20, 22)
    assert row["effect_se"] == pytest.approx(1)
    assert (row["start"], row["end"]) == (-1, 1)
    alone = positions_table(folds[:1], FAMILIES, ["a", "b"], places)
    assert alone["effect_se"].isna().all()


def test_sums_over_bins_are_the_scores_of_families():
    model, codes, filters = fold_of(2)
    by_bin = scores_by_bin(model, codes, filters, FAMILIES, TYPES)
    table = positions_table([by_bin], FAMILIES, ["a", "b"], bin_places(12, 3, 3, 0))
    _, effect = model.influence_and_effect(torch.from_numpy(codes))
    whole = effect.sum(dim=1)[[0, 3]].sum(dim=0)  # ETS, by target
    summed = table[table["family"] == "ETS"].groupby("cell_type")["effect"].sum()
    assert summed["a"] == pytest.approx(whole[1].item(), rel=1e-4)
    assert summed["b"] == pytest.approx((whole[0] + whole[2]).item() / 2, rel=1e-4)
