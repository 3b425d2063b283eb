import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from made_accessibility import build, motif_split, trained

from cisgrammar.evaluate.multiome_truth import (
    activity_pairs,
    activity_table,
    effects_both_ways,
    sites_found,
    summarise,
)
from cisgrammar.interpret.tf_activity import insertion_effects
from cisgrammar.motifs.meme import Motif

TYPES = pd.Series(["yes"] * 15 + ["no"] * 15, index=[f"cell{i}" for i in range(30)])
PLANTED = pd.DataFrame(
    {"no": [-1.0, 0.5], "yes": [2.0, 0.4]}, index=pd.Index(["gat", "other"], name="motif")
)


def test_correlations_by_hand():
    rng = np.random.default_rng(1)
    good = np.where(TYPES == "yes", 3.0, -1)[:, None] * [1, -1] + rng.normal(0, 0.01, (30, 2))
    table = activity_table({"logits": good}, ["gat", "other"], PLANTED, TYPES)
    assert table["r_logits"].tolist() == pytest.approx([1, 1], abs=1e-3)
    assert table["r_types_logits"].tolist() == pytest.approx([1, 1])
    pairs = activity_pairs(good, ["gat", "other"], PLANTED, TYPES)
    row = pairs.query("motif == 'gat' and cell_type == 'no'").iloc[0]
    assert row["activity"] == -1 and row["tf_activity"] == pytest.approx(good[15:, 0].mean())


def test_importance_is_highest_in_the_planted_site():
    _, model = trained()
    codes = motif_split(n=400).inputs.codes.numpy()
    there = (codes[:, 16:23] == [2, 0, 3, 3, 0, 1, 0]).all(axis=1)
    names = [f"peak{i}" for i in range(400)]
    start = 1000 * np.arange(400)
    var = pd.DataFrame({"chrom": "chr1", "start": start, "end": start + 40}, index=names)
    cells = AnnData(np.zeros((30, 400), np.uint8), TYPES.to_frame("cell_type"), var)
    cells.varm["codes"] = codes
    rows = np.flatnonzero(there)
    sites = pd.DataFrame(
        {
            "peak": var.index[rows], "motif": "gat", "start": start[rows] + 16, "strand": "+",
            "sequence": "GATTACA",
        }
    )  # fmt: skip
    twice = sites.iloc[[0]].assign(start=sites["start"].iloc[0] + 10)
    sites = pd.concat([sites, twice])
    found = sites_found(model, cells, sites, PLANTED, n_peaks=20, seed=1)
    assert len(found) == 20 and not (found["peak"] == twice["peak"].item()).any()
    assert (found["start"] == 16).all() and (found["cell_type"] == "yes").all()
    assert found["right"].mean() > 0.9 and found["chance"].iloc[0] == pytest.approx(7 / 34)
    shifted = sites_found(
        model, cells, sites.assign(start=sites["start"] - 9), PLANTED, n_peaks=20, seed=1
    )
    assert shifted["right"].mean() < 0.2
    table = pd.DataFrame(
        {
            "motif": ["a", "b"], "r_logits": [0.8, 0.9], "r_types_logits": [1.0, 1.0],
            "r_accessibility": [0.5, 0.7], "r_types_accessibility": [1.0, 0.8],
        }
    )  # fmt: skip
    summary = summarise(table, found, "accessibility").set_index("metric")
    assert summary.loc["median_r_activity", "value"] == pytest.approx(0.6)
    assert summary.loc["median_r_activity", "required"] == 0.8
    assert summary.loc["median_r_activity_logits", "value"] == pytest.approx(0.85)
    assert summary.loc["share_highest_in_site", "value"] == found["right"].mean()


def test_effects_are_taken_both_ways():
    model, codes = build().eval(), motif_split().inputs.codes.numpy()
    motif = Motif("gat", np.full((4, 5), 0.25))
    found = effects_both_ways(model, codes, [motif], n_backgrounds=10, seed=1)
    for way, of_logits in (("logits", True), ("accessibility", False)):
        keys = {"n_backgrounds": 10, "of_logits": of_logits, "seed": 1}
        np.testing.assert_array_equal(found[way], insertion_effects(model, codes, [motif], **keys))
