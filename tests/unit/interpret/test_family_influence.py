import anndata
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cisgrammar.common.errors import InputError
from cisgrammar.interpret.family_influence import (
    add_categories,
    add_pool_pca,
    consistency,
    family_correlations,
    mean_by_family,
    means_of_label,
    pool_pca,
    stability,
    sum_by_family,
    trusted,
)
from cisgrammar.motifs.meme import Motif

ASSIGNMENTS = pd.DataFrame(
    {
        "motif": ["0_0", "0_1", "1_0", "1_3"],
        "fold": [0, 0, 1, 1],
        "family": ["ETS/A", "SP/B", "ETS/A", "ETS/A"],
    }
)
FAMILIES = pd.DataFrame(
    {
        "family": ["ETS/A", "SP/B"],
        "tfs": ["ELK1", ""],
        "example": ["1_3", "0_1"],
        "target": ["M1", None],
        "reproducible": [True, False],
    }
)
MOTIFS = [Motif(name, np.full((4, 3), 0.25)) for name in ASSIGNMENTS["motif"]]


def made():
    values = np.array([[1, 2, 3, 4], [5, 6, 7, 8], [0, 1, 0, 1]], dtype=np.float32)
    obs = pd.DataFrame({"cell_type": ["T", "B", "T"]}, index=["pool0", "pool1", "pool2"])
    data = anndata.AnnData(values, obs=obs, var=pd.DataFrame(index=ASSIGNMENTS["motif"]))
    data.obsm["X_umap"] = np.zeros((3, 2))
    data.layers["effect"] = -values
    return data


def summed():
    return sum_by_family(made(), ASSIGNMENTS, FAMILIES, MOTIFS)


def test_filters_of_a_family_are_added_up():
    families = summed()
    assert families.X.tolist() == [[8, 2], [20, 6], [1, 1]]
    assert families.layers["effect"].tolist() == [[-4, -1], [-10, -3], [-0.5, -0.5]]  # a fold's
    assert families.var_names.tolist() == ["ETS/A", "SP/B"]
    assert mean_by_family(families).loc["ETS/A"].to_dict() == {"B": 20, "T": 4.5}


def test_families_are_written_and_read(tmp_path):
    summed().write_h5ad(tmp_path / "f.h5ad")
    read = anndata.read_h5ad(tmp_path / "f.h5ad")
    assert read.uns["logos"]["1_3"].shape == (4, 3)
    assert read.var["tfs"].tolist() == ["ELK1", ""]


def test_categories_group_labels(caplog):
    data = made()
    add_categories(data, {"lymphoid": ["B", "NK"]})
    assert data.obs["category"].tolist() == ["other", "lymphoid", "other"]
    assert "no pool is of 'NK', in 'lymphoid'" in caplog.text
    with pytest.raises(InputError, match=r"2 problems(?s:.*)'NK' in 'x'.*B, T(?s:.*)'T' is in 'y'"):
        add_categories(data, {"x": ["NK"], "y": ["T"], "z": ["T"]})


def test_stability_by_hand():
    table = stability(made(), ASSIGNMENTS, FAMILIES).set_index(["family", "cell_type"])
    assert table.index.tolist() == [("ETS/A", "B"), ("ETS/A", "T"), ("SP/B", "B"), ("SP/B", "T")]
    row = table.loc[("ETS/A", "T")]  # fold 0: (1 + 0) / 2; fold 1: (7 + 1) / 2
    assert row["mean"] == 2.25
    assert row["sd"] == pytest.approx(np.std([0.5, 4], ddof=1))
    reach = stats.t.ppf(0.975, 1) * row["sd"] / np.sqrt(2)
    assert (row["low"], row["high"]) == (pytest.approx(2.25 - reach), pytest.approx(2.25 + reach))
    assert row["same_sign"] == 1 and row["n_folds"] == 2
    missing = table.loc[("SP/B", "B")]  # not in fold 1, which counts as 0
    assert (missing["mean"], missing["same_sign"]) == (3, 0.5)


def many_folds(effects):
    """One family of one filter a fold, one pool of type T, a weaker one of type B."""
    n = len(effects)
    names = [f"{fold}_0" for fold in range(n)]
    data = anndata.AnnData(np.zeros((2, n), dtype=np.float32))
    data.obs["cell_type"], data.var_names = ["T", "B"], names
    data.layers["effect"] = np.array([effects, np.zeros(n)])
    assignments = pd.DataFrame({"motif": names, "fold": range(n), "family": "ETS/A"})
    return consistency(data, assignments, FAMILIES[:1]).loc["ETS/A"]


@pytest.mark.parametrize(
    "effects, consistent",
    [
        ([-0.015, 0.010, 0.014, -0.009], False),
        ([-0.2, -0.1, -0.2, -0.1], True),
        ([0.2, 0.5], True),
        ([0.0, 0.1], False),  # 1 standard error
        ([0.3], True),
    ],
)
def test_families_that_do_the_same_in_each_fold_are_consistent(effects, consistent):
    row = many_folds(effects)
    assert row["cell_type"] == "T"
    assert row["effect"] == pytest.approx(np.mean(effects))
    assert row["consistent"] == consistent
    if len(effects) > 1:
        assert row["se"] == pytest.approx(stats.sem(effects))


def test_trusted_families_are_reproducible_and_consistent():
    families = pd.DataFrame({"family": list("abcd"), "reproducible": [True, True, False, False]})
    consistent = pd.DataFrame({"consistent": [True, False, True, False]}, index=list("dbca"))
    assert trusted(families, consistent).to_dict() == dict.fromkeys("abcd", False)
    consistent = consistent.set_axis(list("acbd"))
    assert trusted(families, consistent).to_dict() == {"a": True, "b": True, "c": False, "d": False}


def test_folds_without_the_family_do_not_speak_against_it():
    data, assignments = made(), ASSIGNMENTS.assign(family=["ETS/A", "SP/B", "ETS/A", "ETS/A"])
    table = consistency(data, assignments, FAMILIES)
    assert table.index.tolist() == ["ETS/A", "SP/B"]
    assert table.loc["SP/B", ["effect", "consistent"]].tolist() == [-6, True]
    assert np.isnan(table.loc["SP/B", "se"])
    assert table.loc["ETS/A", "effect"] == -10 and table.loc["ETS/A", "cell_type"] == "B"


def test_one_fold_has_no_interval():
    table = stability(made()[:, :2], ASSIGNMENTS[:2], FAMILIES)
    assert table[["sd", "low", "high"]].isna().all(axis=None)


def test_correlations_between_families():
    table = family_correlations(summed())
    assert table.loc["ETS/A", "ETS/A"] != table.loc["ETS/A", "ETS/A"]  # 3 pools: no estimate
    rng = np.random.default_rng(0)
    values = rng.normal(size=(20, 2))
    table = family_correlations(anndata.AnnData(values))
    assert table.iloc[0, 1] == pytest.approx(stats.spearmanr(*values.T).statistic)


def test_pca_finds_the_direction_that_varies():
    rng = np.random.default_rng(0)
    score = rng.normal(size=50)
    values = np.outer(score, [2, -1, 0.5]) + rng.normal(scale=1e-3, size=(50, 3))
    data = anndata.AnnData(np.hstack([values, np.ones((50, 1))]))
    pca = pool_pca(data)
    assert pca.uns["pca"]["variance_ratio"][0] > 0.999
    assert abs(np.corrcoef(pca.obsm["X_pca"][:, 0], score)[0, 1]) > 0.999
    assert pca.varm["PCs"].shape == (4, 3) and pca.varm["PCs"][3].tolist() == [0, 0, 0]
    largest = np.abs(pca.varm["PCs"]).argmax(axis=0)
    assert (pca.varm["PCs"][largest, [0, 1, 2]] > 0).all()


def test_both_scores_are_averaged_raw_and_standardised():
    tables = means_of_label(summed(), "cell_type")
    assert list(tables) == [
        "influence_by_cell_type",
        "influence_by_cell_type_z",
        "effect_by_cell_type",
        "effect_by_cell_type_z",
    ]
    assert tables["influence_by_cell_type"].loc["ETS/A"].tolist() == [20, 4.5]
    assert tables["effect_by_cell_type"].loc["ETS/A"].tolist() == [-10, -2.25]
    assert tables["effect_by_cell_type_z"].loc["ETS/A"].tolist() == pytest.approx([-1, 1])


@pytest.mark.parametrize("score", ["influence", "effect"])
def test_pool_pca_of_a_score_leaves_the_scores(score):
    families, expected = summed(), summed()
    add_pool_pca(families, score)
    assert families.X.tolist() == expected.X.tolist()
    if score == "effect":
        expected.X = expected.layers["effect"]
    projected = pool_pca(expected)
    assert families.obsm["X_pca"].tolist() == projected.obsm["X_pca"].tolist()
    assert families.varm["PCs"].tolist() == projected.varm["PCs"].tolist()
    assert "X_umap" in families.obsm and "variance_ratio" in families.uns["pca"]
