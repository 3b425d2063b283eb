import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cisgrammar.common.errors import InputError
from cisgrammar.motifs.clusters import (
    cluster_database,
    clusters_of_targets,
    core_consensus,
    group_motifs,
    read_clusters,
)
from cisgrammar.motifs.databases import Database, load_database
from cisgrammar.motifs.meme import Motif

VIERSTRA = Path(__file__).parents[4] / "shared" / "data" / "motifs" / "motif_clusters_vierstra.csv"
needs_vierstra = pytest.mark.skipif(
    not VIERSTRA.is_file() and not os.environ.get("CI"), reason=f"no real data at {VIERSTRA}"
)


def word(letters, name, sure=0.91):
    rest = (1 - sure) / 3
    columns = [[sure if base == letter else rest for base in "ACGT"] for letter in letters]
    return Motif(name, np.array(columns).T)


def noise(n, seed=0):
    rng = np.random.default_rng(seed)
    return [Motif(f"noise{i}", rng.dirichlet([0.3] * 4, 9).T) for i in range(n)]


@pytest.fixture(scope="module")
def jaspar():
    database = load_database("jaspar:CORE:vertebrates:2024")
    return database, cluster_database(database).set_index("motif")


@pytest.mark.parametrize(
    "name, consensus, members",
    [
        ("ETS", "GGAA", ["ELK1", "GABPA", "ETS1", "Spi1", "FLI1"]),
        ("KLF/SP", "GGCGGG", ["SP1", "SP2", "KLF5", "KLF13"]),
        ("Ebox", "CACGTG", ["MYC", "MAX::MYC", "USF1"]),
        ("Ebox", "CAGCTG", ["MYOD1", "MYOG", "Tcf12"]),
        ("GATA", "TTATCT", ["GATA1", "GATA2", "Gata3", "GATA6"]),
        ("HD", "TAAAA", ["HOXC9", "HOXA9", "HOXD12"]),
        ("HD", "AATTA", ["LHX9", "PDX1", "HOXB2"]),
        ("FOX", "GTAAACA", ["FOXA2", "FOXL1", "FOXD1"]),
        ("bZIP", "TGACTCA", ["FOS::JUN", "FOSL1", "BATF::JUN"]),
        ("NFY", "CCAAT", ["NFYA", "NFYC"]),
        ("EGR", "GCCCACGC", ["EGR1", "EGR2", "EGR3"]),
        ("CTCF", "AGRKGG", ["CTCF"]),
    ],
)
def test_known_families_come_out_recognisable(jaspar, name, consensus, members):
    database, clusters = jaspar
    names = clusters.loc[database.table["motif"], "cluster_name"].to_numpy()
    for member in members:
        found = set(names[database.table["name"] == member])
        assert any(n.startswith(f"{name}/") and consensus in n for n in found), (member, found)


def test_families_are_neither_split_nor_joined(jaspar):
    database, clusters = jaspar
    cluster = clusters.loc[database.table["motif"], "cluster"].to_numpy()
    family = database.table["tf_family"].str
    for pattern, recall, purity in [
        ("Ets-related", 0.75, 0.85),
        ("Three-zinc finger Kruppel", 0.75, 0.7),
        ("C4-GATA", 0.8, 0.8),
        ("SOX", 0.7, 0.9),
        ("Interferon-regulatory", 0.8, 0.6),
    ]:
        member = family.contains(pattern).to_numpy()
        largest = np.bincount(cluster[member]).argmax()
        assert (cluster[member] == largest).mean() >= recall, pattern
        assert member[cluster == largest].mean() >= purity, pattern


def test_clusters_are_numbered_by_size_and_named_uniquely(jaspar):
    database, clusters = jaspar
    sizes = clusters["cluster"].value_counts().sort_index()
    assert sizes.index.tolist() == list(range(1, len(sizes) + 1))
    assert sizes.is_monotonic_decreasing and sizes.sum() == len(database.motifs)
    assert clusters["cluster_name"].nunique() == len(sizes)


def test_same_motifs_group_in_either_orientation():
    motifs = [
        word("TTTGACGT", "a1"),
        word("CCGGAAGT", "b1"),
        word("ACGTCAAA", "a2"),
        word("ACTTCCGG", "b2"),
        word("TTGACGTA", "a3"),
    ]
    groups, centrality = group_motifs(motifs, motifs + noise(60))
    assert groups.tolist() == [0, 1, 0, 1, 0]
    assert ((centrality > 0.5) & (centrality <= 1)).all()
    assert group_motifs(motifs[:1], motifs)[0].tolist() == [0]
    assert group_motifs([], motifs)[0].tolist() == []


def test_threads_change_nothing():
    motifs = noise(70)
    one, two = (group_motifs(motifs, motifs, n_threads=n) for n in (1, 2))
    assert np.array_equal(one[0], two[0])


def test_names_without_tf_classes_are_of_the_central_motif():
    motifs = [word("TTTGACGT", "x"), word("TTTGACGT", "y"), *noise(50)]
    tfs = ["MSN2", "MSN4"] + [""] * 50
    table = pd.DataFrame({"motif": [m.name for m in motifs], "tfs": tfs}).assign(
        name="", tf_class="", tf_family=""
    )
    clusters = cluster_database(Database("here", motifs, table)).set_index("motif")
    assert clusters.loc["x", "cluster_name"] == clusters.loc["y", "cluster_name"]
    assert clusters.loc["x", "cluster_name"] == "MSN/TTTGACGT"
    alone = clusters["cluster_name"].str.startswith("noise")
    assert alone.any()


def test_core_consensus_leaves_flat_ends_out():
    flat = np.full((4, 3), 0.25)
    assert core_consensus(np.hstack([flat, word("GAT", "a").matrix, flat])) == "GAT"
    assert core_consensus(flat) == "NNN"


def test_own_table_is_read_and_equal_names_are_told_apart(tmp_path):
    (tmp_path / "c.tsv").write_text(
        "motif\tcluster\tcluster_name\ttfs\nm1\t1\tETS\tELK1;ETS1\nm2\t2\tETS\t\nm3\t3\tSP\tSP1\n"
    )
    table = read_clusters(tmp_path / "c.tsv")
    assert table["cluster_name"].tolist() == ["ETS/1", "ETS/2", "SP"]
    assert table["tfs"].tolist() == ["ELK1;ETS1", "", "SP1"]


@pytest.mark.parametrize(
    "shared_tfs, expected",
    [
        ("first", {"m1": "A", "x": "A", "y": "", "z": "", "dimer": "C", "half": "A"}),
        ("vote", {"m1": "A", "x": "B", "y": "", "z": "", "dimer": "B", "half": "B"}),
    ],
)
def test_targets_find_their_cluster_by_id_and_then_by_tf(shared_tfs, expected):
    """ELK1 is first in a row of A and then in two of B; SP1 in one of C alone."""
    clusters = pd.DataFrame(
        {
            "motif": ["m1", "m2", "m3", "m4"],
            "cluster": [1, 2, 2, 3],
            "cluster_name": ["A", "B", "B", "C"],
            "tfs": ["ELK1", "ELK1", "ETS1;ELK1", "SP1"],
        }
    )
    targets = pd.DataFrame(
        {
            "motif": ["m1", "x", "y", "z", "dimer", "half"],
            "tfs": ["SP1", "Elk1", "GATA1", "", "SP1;ELK1", "GATA1;ELK1"],
        }
    )
    found = clusters_of_targets(targets, clusters, shared_tfs)
    assert found.to_dict() == expected
    if shared_tfs == "first":
        assert clusters_of_targets(targets, clusters).equals(found)


def test_clusters_of_another_species_are_explained():
    clusters = pd.DataFrame(
        {"motif": ["m"], "cluster": ["1"], "cluster_name": ["A"], "tfs": ["ELK1"]}
    )
    targets = pd.DataFrame({"motif": ["x"], "tfs": ["MSN2"]})
    with pytest.raises(InputError, match=r"none of the database's 1 motifs.*MSN2.*ELK1"):
        clusters_of_targets(targets, clusters)


@pytest.mark.parametrize(
    "text, found",
    [
        (None, "no such file"),
        ("", "the file is empty"),
        ("\n", "not a comma- or tab-separated table"),
        ("motif\tcluster\nm\t1\n", "missing: cluster_name, tfs"),
        ("motif\tcluster\tcluster_name\ttfs\n", "missing: rows"),
    ],
)
def test_bad_cluster_tables_are_explained(tmp_path, text, found):
    path = tmp_path / "c.tsv"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=found):
        read_clusters(path)


@needs_vierstra
def test_vierstra_table_is_read():
    clusters = read_clusters(VIERSTRA)
    assert clusters.loc[0].tolist() == ["LHX6_homeodomain_3", "1", "HD/1:homeodomain", "LHX6"]
    targets = load_database("jaspar:CORE:vertebrates:2024").table
    found = clusters_of_targets(targets, clusters)
    assert (found != "").mean() > 0.75
    assert found[targets.loc[targets["name"] == "ELK1", "motif"].iloc[0]] == "ETS/1:ETS"
