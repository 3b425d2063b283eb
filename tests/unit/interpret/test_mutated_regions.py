"""Regions with the motif that a model was trained on, and one without."""

import numpy as np
import pandas as pd
import pytest
from made_accessibility import trained

from cisgrammar.genome.sequence import decode, encode
from cisgrammar.interpret.mutagenesis import importance, mean_weights, mutate
from cisgrammar.interpret.mutated_regions import label_sites, mutate_regions, null_thresholds
from cisgrammar.motifs.databases import Database
from cisgrammar.motifs.meme import Motif

TYPES = ["yes"] * 15 + ["no"] * 15


def database():
    matrix = np.full((4, 7), 0.02)
    matrix[encode("GATTACA"), np.arange(7)] = 0.94
    matrix[:, 3] = [0.1, 0.1, 0.1, 0.7]
    motifs = [Motif("M1", matrix, alt="GAT"), Motif("M2", matrix[:, ::-1], alt="other")]
    table = {"motif": ["M1", "M2"], "name": ["GAT", "other"], "tfs": ["GATX;GATY", ""]}
    return Database("made", motifs, pd.DataFrame(table))


@pytest.fixture(scope="module")
def case():
    _, model = trained()
    codes = np.random.default_rng(7).integers(0, 4, (2, 40), dtype=np.uint8)
    codes[0, 16:23] = encode("GATTACA")
    regions = pd.DataFrame(
        {
            "region": ["with", "without"], "chosen_for": ["yes", ""], "chrom": "chr1",
            "start": [1005, 5000], "end": [1035, 5040], "window_start": [1000, 5000],
            "sequence": [decode(row) for row in codes],
        }
    )  # fmt: skip
    return model, codes, regions, mutate_regions(model, regions, TYPES)


def test_effects_are_those_of_each_region(case):
    model, codes, regions, effects = case
    weights, names = mean_weights(model, TYPES)
    assert effects.shape == (30 + 40, 2) and effects.var_names.tolist() == names
    expected = mutate(model, codes[0], weights, 5, 35)
    here = effects[effects.obs["region"] == "with"]
    for base, row in zip("ACGT", range(4), strict=True):
        np.testing.assert_allclose(here.layers[base], expected[:, row].T)
    np.testing.assert_allclose(here.X, importance(expected, codes[0, 5:35]).T, rtol=1e-6)
    assert here.obs["position"].tolist() == list(range(1005, 1035))
    assert "".join(here.obs["base"]) == regions["sequence"][0][5:35]


def test_the_motif_is_named_where_it_stands(case):
    model, _, regions, effects = case
    settings = {"n_shuffles": 3, "quantile": 0.95, "seed": 1}
    thresholds = null_thresholds(model, regions, TYPES, **settings)
    assert thresholds["n_bases"].tolist() == [3 * 70] * 2
    sites = label_sites(effects, regions, thresholds, database(), scan_threshold=1e-3, seed=1)
    best = sites.query("region == 'with' and cell_type == 'yes'").iloc[0]
    assert best[["motif", "name", "tfs", "chrom", "start", "end", "strand"]].tolist() == [
        "M1", "GAT", "GATX;GATY", "chr1", 1016, 1023, "+",
    ]  # fmt: skip
    assert best["importance"] > 0
    closing = sites.query("region == 'with' and cell_type == 'no' and start == 1016")
    assert (closing["importance"] < 0).all()
    same = null_thresholds(model, regions, TYPES, **settings)
    pd.testing.assert_frame_equal(thresholds, same)


def test_hits_beyond_what_is_mutated_do_not_count(case):
    model, _, regions, _ = case
    shorter = regions.assign(start=[1018, 5000])
    effects = mutate_regions(model, shorter, TYPES)
    none = pd.DataFrame({"cell_type": ["no", "yes"], "threshold": 0.0})
    sites = label_sites(effects, shorter, none, database(), scan_threshold=1e-3, seed=1)
    assert not (sites["start"] == 1016).any()
