"""The comparison with the truth says what was found, and what was not."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from cisgrammar.evaluate.truth import (
    ceiling_r2,
    compare,
    compare_families,
    find_planted,
    influence_pairs,
    planted_q_values,
)
from cisgrammar.motifs.meme import Motif

TYPES = ["A", "B", "C"]


def motif_of(name, letters, alt=""):
    matrix = np.full((4, len(letters)), 0.02)
    for position, letter in enumerate(letters):
        matrix["ACGT".index(letter), position] = 0.94
    return Motif(name, matrix, alt=alt)


PLANTED = [
    motif_of("ELK1", "ACCGGAAGT", "M1"),
    motif_of("HNF1A", "GTTAATGATTAAC", "M2"),
    motif_of("REST", "TTCAGCACCATG", "M3"),
]
ACTIVITIES = pd.DataFrame(
    [[0.2, 0.6, 1.0], [1.0, 0.6, 0.2], [-0.2, -1.0, -0.6]],
    index=pd.Index(["ELK1", "HNF1A", "REST"], name="motif"),
    columns=TYPES,
)


def random_motifs(n, seed=0):
    letters = np.array(list("ACGT"))
    rng = np.random.default_rng(seed)
    return [motif_of(f"r{i}", "".join(rng.choice(letters, 10))) for i in range(n)]


def pools_of(cell_types):
    return pd.DataFrame({"cell_type": cell_types}, index=[f"pool{i}" for i in range(6)])


def influence_of(rows, folds, cell_types="AABBCC"):
    var = pd.DataFrame({"fold": folds}, index=[f"f{i}" for i in range(len(folds))])
    values = np.array(rows, dtype=np.float32).T
    obs = pools_of(list(cell_types))
    return ad.AnnData(values, obs=obs, var=var, layers={"effect": -2 * values})


def test_filters_find_what_they_resemble_on_either_strand():
    filters = [
        motif_of("0_0", "TACCGGAAGTAC"),
        motif_of("0_1", "CATGGTGCTGAA"),  # REST's other strand
        motif_of("0_2", "CTCTCTGTGTGG"),
    ]
    finder = find_planted(planted_q_values(filters, PLANTED, random_motifs(60)))
    assert finder.tolist() == [0, 2, -1]


@pytest.mark.parametrize(
    "q, finder",
    [
        ([[0.01, 0.04]], [0]),
        ([[0.2, 0.05]], [1]),
        ([[0.051, 0.2]], [-1]),
        ([[0.01, 0.01]], [0]),
    ],
)
def test_a_filter_finds_one_motif_at_most(q, finder):
    assert find_planted(np.array(q)).tolist() == finder


def test_no_filters_find_nothing():
    assert find_planted(np.empty((0, 3))).size == 0


def test_influence_is_summed_over_filters_and_averaged_over_pools():
    influence = influence_of([[1, 3, 5, 7, 0, 0], [1, 1, 1, 1, 2, 2]], [0, 1])
    pairs = influence_pairs(np.array([0, 0]), PLANTED, ACTIVITIES, influence, n_folds=2)
    elk1 = pairs[pairs["motif"] == "ELK1"].set_index("cell_type")
    assert elk1["influence"].to_dict() == {"A": 1.5, "B": 3.5, "C": 1.0}
    assert elk1["activity"].to_dict() == {"A": 0.2, "B": 0.6, "C": 1.0}
    assert pairs.loc[pairs["motif"] != "ELK1", "influence"].isna().all()


def test_a_cell_type_without_pools_is_left_out():
    influence = influence_of([[1, 1, 1, 1, 2, 2]], [0], cell_types="AAAABB")
    pairs = influence_pairs(np.array([0]), PLANTED, ACTIVITIES, influence, n_folds=1)
    assert set(pairs["cell_type"]) == {"A", "B"}


@pytest.fixture
def run():
    """Six pure pools of two cells each, four genes, two folds."""
    expectation = ad.AnnData(
        np.array([[10.0, 20, 30, 40], [40, 30, 20, 10], [25, 25, 40, 10]]),
        obs=pd.DataFrame(index=TYPES),
        var=pd.DataFrame(index=list("wxyz")),
    )
    obs = pools_of(list("AABBCC"))
    counts = 2 * np.repeat(expectation.X, 2, axis=0)
    dataset = ad.AnnData(np.log10(1 + counts).astype(np.float32), obs=obs, var=expectation.var)
    members = pd.DataFrame(
        {"pool": np.repeat(obs.index, 2), "cell_type": np.repeat(obs["cell_type"], 2)}
    )
    folds = pd.DataFrame({"fold0": ["test", "test", "train", "train"]})
    folds["fold1"] = ["train", "validation", "test", "test"]
    return {"dataset": dataset, "members": members, "folds": folds, "expectation": expectation}


def test_data_without_noise_reach_the_highest_ceiling(run):
    assert ceiling_r2(**run) == pytest.approx([1, 1])


def test_the_ceiling_knows_composition_and_depth_of_mixed_pools(run):
    """A pool of one A and one B cell, sequenced three times as deeply as expected."""
    mixed = run["expectation"].X[:2].sum(axis=0) * 3
    run["members"].iloc[0, 1] = "B"
    run["dataset"].X[0] = np.log10(1 + mixed)
    assert ceiling_r2(**run) == pytest.approx([1, 1])


def test_noise_lowers_the_ceiling(run):
    run["dataset"].X += np.random.default_rng(0).normal(0, 0.1, run["dataset"].shape)
    assert (ceiling_r2(**run) < 0.99).all()


def test_comparison_of_a_run(run):
    filters = [motif_of("0_0", "TACCGGAAGTAC"), motif_of("1_0", "CATGGTGCTGAA")]
    influence = influence_of([[1, 1, 2, 2, 3, 3], [3, 3, 2, 2, 1, 1]], [0, 1])
    evaluation = pd.DataFrame({"fold": ["0", "1", "mean"], "r2": [0.4, 0.6, 0.5]})
    result = compare(
        PLANTED,
        ACTIVITIES,
        **run,
        evaluation=evaluation,
        motifs=filters,
        influence=influence,
        known=random_motifs(60),
    )
    motifs = result.motifs.set_index("motif")
    assert motifs["found"].to_dict() == {"ELK1": True, "HNF1A": False, "REST": True}
    assert motifs["n_folds"].tolist() == [1, 0, 1]
    assert motifs["best_filter"].tolist()[::2] == ["0_0", "1_0"]
    assert motifs["spearman"].tolist()[::2] == pytest.approx([1, 0.5])
    assert motifs["sign_right"].tolist() == [True, False, False]  # REST represses
    assert len(result.pairs) == 9
    summary = result.summary.set_index("metric")
    assert summary.loc["share_found", "value"] == pytest.approx(2 / 3)
    assert summary.loc["median_spearman", "value"] == pytest.approx(0.5)  # of 1, 0.5, missing
    assert summary.loc["r2_over_ceiling", "value"] == pytest.approx(0.5)
    required = {"share_found": 0.8, "median_spearman": 0.8, "r2_over_ceiling": 0.8}
    assert summary["required"].dropna().to_dict() == required


CLUSTERS = pd.Series({"M1": "ETS", "M2": "HD", "M3": "REST", "M4": "KLF"})


def families_of(rows, status, reproducible, consistent=True):
    var = pd.DataFrame({"status": status, "reproducible": reproducible})
    var["consistent"] = consistent
    var.index = ["ETS", "HD", "REST", "KLF", "unknown"][: len(var)]
    values = np.array(rows, dtype=float).T
    obs = pools_of(list("AABBCC"))
    return ad.AnnData(np.abs(values), obs=obs, var=var, layers={"effect": values})


REGULATORS = pd.DataFrame(
    [("ETS", "GABPA", 0.9, 1), ("ETS", "Elk1", 0.8, 2), ("REST", "REST", -0.5, 1)],
    columns=["family", "tf", "rho", "rank"],
)


def test_families_against_the_truth():
    rows = [[1, 1, 2, 2, 3, 3], [1] * 6, [-1, -1, -1, -1, 1, 1], [1] * 6, [1] * 6]
    status = ["family"] * 4 + ["no match"]
    families = families_of(rows, status, [True, False, True, True, True])
    table, summary = compare_families(
        PLANTED,
        ACTIVITIES,
        target_clusters=CLUSTERS,
        influence=families,
        regulators=REGULATORS,
    )
    assert table["family"].tolist() == ["ETS", "HD", "REST"]
    assert table["found"].tolist() == [True, False, True]
    # clear: at least half of the highest; REST in C has the wrong sign, HD was not found
    assert table["clear_cell_types"].tolist() == [2, 2, 2]
    assert table["right_signs"].tolist() == [2, 0, 1]
    assert table["right_signs_influence"].tolist() == [2, 0, 0]  # it is positive everywhere
    assert table["rank"].tolist()[::2] == [2, 1] and np.isnan(table["rank"][1])
    assert table["tf"].tolist() == ["Elk1", None, "REST"]
    values = summary.set_index("metric")["value"]
    assert values["family_recall"] == pytest.approx(2 / 3)
    assert values["family_precision"] == pytest.approx(2 / 3)  # KLF was not planted
    assert values["share_family_sign_right"] == pytest.approx(3 / 6)
    assert values["share_family_sign_right_influence"] == pytest.approx(2 / 6)
    assert values["median_rank_of_tf"] == 2


def test_families_without_a_consistent_effect_are_not_found():
    rows = [[1] * 6, [1] * 6, [-1] * 6, [1] * 6]
    families = families_of(rows, ["family"] * 4, [True] * 4, [True, True, True, False])
    _, summary = compare_families(
        PLANTED,
        ACTIVITIES,
        target_clusters=CLUSTERS,
        influence=families,
        regulators=REGULATORS,
    )
    values = summary.set_index("metric")["value"]
    assert values["family_precision"] == 1 and values["family_precision_by_presence"] == 0.75


def test_nothing_reproducible_is_nothing_found():
    families = families_of([[1] * 6], ["family"], [False])
    table, summary = compare_families(
        PLANTED,
        ACTIVITIES,
        target_clusters=CLUSTERS,
        influence=families,
        regulators=REGULATORS.iloc[:0],
    )
    assert not table["found"].any() and not table["right_signs"].any()
    values = summary.set_index("metric")["value"]
    assert values["family_recall"] == 0 and values["family_precision"] == 0


def test_two_planted_motifs_of_one_family_are_one_family():
    clusters = CLUSTERS.replace("HD", "ETS")
    families = families_of([[1] * 6, [1] * 6, [-1] * 6], ["family"] * 3, [True, False, True])
    table, summary = compare_families(
        PLANTED,
        ACTIVITIES,
        target_clusters=clusters,
        influence=families,
        regulators=REGULATORS,
    )
    assert table["clear_cell_types"].tolist() == [3, 3, 2]  # 1.2 in every cell type
    values = summary.set_index("metric")["value"]
    assert values["planted_families"] == 2 and values["share_family_sign_right"] == 1


def test_no_known_tf_at_all_is_no_error():
    families = families_of([[1] * 6], ["no match"], [True])
    silent = pd.DataFrame({"family": ["ETS"], "tf": [np.nan], "rho": [np.nan], "rank": [np.nan]})
    table, summary = compare_families(
        PLANTED, ACTIVITIES, target_clusters=CLUSTERS, influence=families, regulators=silent
    )
    assert not table["found"].any() and table["rank"].isna().all()
    values = summary.set_index("metric")["value"]
    assert values["family_recall"] == 0 and values["median_rank_of_tf"] == np.inf
