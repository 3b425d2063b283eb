import logging

import numpy as np
import pandas as pd
import pytest

from cisgrammar.motifs.clusters import core_consensus
from cisgrammar.motifs.databases import Database
from cisgrammar.motifs.families import assign_filters, family_table
from cisgrammar.motifs.filters import motif_table
from cisgrammar.motifs.meme import Motif
from cisgrammar.motifs.tomtom import COLUMNS, compare


def word(letters, name, sure=0.97):
    rest = (1 - sure) / 3
    columns = [[sure if base == letter else rest for base in "ACGT"] for letter in letters]
    return Motif(name, np.array(columns).T)


def noise(n):
    rng = np.random.default_rng(0)
    return [Motif(f"noise{i}", rng.dirichlet([0.3] * 4, 9).T) for i in range(n)]


def made_database():
    motifs = [
        word("CCGGAAGTG", "ets"),
        word("AGATAAGA", "gata"),
        word("TGACTCAT", "ap1"),
        *noise(60),
    ]
    table = pd.DataFrame({"motif": [m.name for m in motifs]})
    table["tfs"] = ["ELK1;ETS1", "GATA1", "FOS;JUN"] + [""] * 60
    return Database("made", motifs, table.assign(name="", tf_class="", tf_family=""))


CLUSTERS = pd.DataFrame(
    {
        "motif": ["ets", "gata", "other"],
        "cluster": [1, 2, 1],
        "cluster_name": ["ETS/1", "GATA/1", "ETS/1"],
        "tfs": ["ELK1;ETS1", "GATA1", "elk1;FLI1"],
    }
)
TARGET_CLUSTERS = pd.Series({"ets": "ETS/1", "gata": "GATA/1"})


@pytest.fixture(scope="module")
def filters():
    """Filter 0 of folds 0 to 2 is ETS, 1_1 GATA, 0_1 AP-1 (no cluster), 0_2 and 2_2 unknown."""
    motifs = [
        word("ACCGGAAGT", "0_0", 0.9),
        word("TGACTCATT", "0_1"),
        word("CGCGTTTCG", "0_2"),
        word("CCGGAAGTA", "1_0", 0.97),
        word("GAGATAAGA", "1_1"),
        word("ACTTCCGGT", "2_0", 0.94),
        word("CGAAACGCG", "2_2"),
    ]
    fold = np.array([0, 0, 0, 1, 1, 2, 2])
    number = np.array([0, 1, 2, 0, 1, 0, 2])
    table = motif_table(motifs, fold, number, np.full(7, 20))
    database = made_database()
    hits = compare(motifs, database.motifs)
    return motifs, table, hits, database


@pytest.fixture(scope="module")
def assigned(filters):
    motifs, table, hits, database = filters
    return assign_filters(motifs, table, hits, database, TARGET_CLUSTERS)


def test_every_filter_has_its_family_in_the_order_of_the_table(assigned, filters):
    assert assigned["motif"].tolist() == filters[1]["motif"].tolist()
    families = dict(zip(assigned["motif"], assigned["family"], strict=True))
    assert families["0_0"] == families["1_0"] == families["2_0"] == "ETS/1"
    assert families["1_1"] == "GATA/1"
    assert families["0_1"] == "FOS"
    assert families["0_2"] == families["2_2"] and families["0_2"].startswith("unknown/")
    status = dict(zip(assigned["motif"], assigned["status"], strict=True))
    assert (status["0_0"], status["0_1"], status["0_2"]) == ("family", "no cluster", "no match")
    assert assigned.set_index("motif").loc["2_0", "orientation"] == "-"
    assert assigned.loc[assigned["status"] == "no match", "target"].isna().all()


def test_best_hit_is_by_q_then_p_among_those_with_a_cluster():
    motifs = [word("CCGGAAGT", "0_0")]
    table = motif_table(motifs, 0, np.array([0]), np.array([20]))
    rows = [
        ("0_0", "ap1", 1e-9, 1e-9),
        ("0_0", "ets", 1e-3, 0.02),
        ("0_0", "gata", 1e-4, 0.02),
    ]
    hits = pd.DataFrame(rows, columns=["Query_ID", "Target_ID", "p-value", "q-value"])
    hits = hits.assign(Optimal_offset=0, Orientation="+")
    found = assign_filters(motifs, table, hits, made_database(), TARGET_CLUSTERS).iloc[0]
    assert (found["family"], found["target"], found["q_value"]) == ("GATA/1", "gata", 0.02)


def test_families_are_described_by_hand(assigned, filters):
    motifs, table, _, _ = filters
    families = family_table(assigned, motifs, table, CLUSTERS, n_folds=4).set_index("family")
    assert families.index[:3].tolist() == ["ETS/1", "GATA/1", "FOS"]
    ets = families.loc["ETS/1"]
    assert (ets["n_filters"], ets["n_folds"], ets["folds"]) == (3, 3, "0;1;2")
    assert (ets["reproducibility"], ets["reproducible"]) == (0.75, True)
    assert ets["tfs"] == "ELK1;ETS1;FLI1"  # elk1 is ELK1
    assert ets["example"] in ("0_0", "1_0", "2_0") and ets["target"] == "ets"
    assert not families.loc["GATA/1", "reproducible"]
    assert families.loc["FOS", "tfs"] == "FOS;JUN"
    unknown = families.iloc[3]
    assert (unknown["n_folds"], unknown["reproducible"], unknown["tfs"]) == (2, True, "")
    assert unknown["consensus"] in ("CGCGTTTCG", "CGAAACGCG")
    assert unknown.name == f"unknown/{unknown['consensus']}"
    assert unknown["gc"] == pytest.approx((6 * 0.98 + 3 * 0.02) / 9)
    assert unknown["cpg"] == pytest.approx(3 * 0.97**2, abs=0.05)


def test_an_unmatched_family_is_shown_by_the_motif_that_it_is_named_after(assigned, filters):
    """Its logo then reads as its name does, not on the other strand."""
    for named_after, other in (("0_2", "2_2"), ("2_2", "0_2")):
        motifs, table, _, _ = filters
        matrices = {motif.name: motif.matrix for motif in motifs}
        name = f"unknown/{core_consensus(matrices[named_after])}"
        again = assigned.assign(
            family=assigned["family"].mask(assigned["motif"].isin([named_after, other]), name)
        )
        families = family_table(again, motifs, table, CLUSTERS, 3).set_index("family")
        assert families.loc[name, "example"] == named_after


def test_half_of_the_folds_is_reproducible(assigned, filters):
    motifs, table, _, _ = filters
    families = family_table(assigned, motifs, table, CLUSTERS, n_folds=2).set_index("family")
    assert families.loc["GATA/1", "reproducible"]
    families = family_table(assigned, motifs, table, CLUSTERS, 2, min_share=0.6).set_index("family")
    assert not families.loc["GATA/1", "reproducible"]


def test_nothing_aligned_goes_on_with_a_warning(filters, caplog):
    motifs, table, _, database = filters
    none = pd.DataFrame(columns=COLUMNS)
    with caplog.at_level(logging.WARNING):
        found = assign_filters(motifs, table, none, database, TARGET_CLUSTERS)
    assert (found["status"] == "no match").all() and found["family"].notna().all()
    assert "none of the 7 filters resembles a motif of made" in caplog.text
    families = family_table(found, motifs, table, CLUSTERS, n_folds=3)
    assert families["n_filters"].sum() == 7


def test_no_filters_at_all():
    empty = motif_table([], 0, np.array([], dtype=int), np.array([], dtype=int))
    hits = pd.DataFrame(columns=COLUMNS)
    found = assign_filters([], empty, hits, made_database(), TARGET_CLUSTERS)
    assert found.empty
    assert family_table(found, [], empty, CLUSTERS, n_folds=3).empty
