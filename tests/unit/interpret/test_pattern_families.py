"""Patterns of several labels are named by known motifs, and add up by family."""

import numpy as np
import pandas as pd
import pytest

from cisgrammar.interpret.pattern_families import contribution_by_label, name_patterns
from cisgrammar.motifs.databases import load_database
from cisgrammar.motifs.meme import Motif, write_meme

RNG = np.random.default_rng(0)


def word(name, letters, sharp=0.97):
    matrix = np.full((4, len(letters)), (1 - sharp) / 3)
    matrix[["ACGT".index(letter) for letter in letters], range(len(letters))] = sharp
    return Motif(name, matrix, 50)


@pytest.fixture
def database(tmp_path):
    letters = ["".join(RNG.choice(list("ACGT"), 10)) for _ in range(60)]
    known = [word(f"M{i}", each) for i, each in enumerate(letters)]
    write_meme([Motif(m.name, m.matrix, 50, f"TF{i}") for i, m in enumerate(known)], tmp_path / "k")
    return load_database(str(tmp_path / "k")), letters


def table(*rows):
    columns = ["motif", "label", "minus", "sign", "seqlets", "contribution", "information"]
    return pd.DataFrame(rows, columns=columns).assign(consensus="N")


def test_patterns_of_labels_join_in_families(database):
    known, letters = database
    clusters = pd.DataFrame(
        {"motif": [m.name for m in known.motifs], "cluster": range(60),
         "cluster_name": [f"c{i}" for i in range(60)], "tfs": known.table["tfs"]}
    )  # fmt: skip
    patterns = table(
        ("a", "A", "", "+", 30, 2.0, 9.0),
        ("b", "B", "", "+", 10, 1.0, 9.0),
        ("c", "B", "", "-", 20, -1.0, 9.0),
        ("d", "B", "", "+", 20, 0.5, 9.0),
    )
    flat = Motif("d", np.full((4, 8), 0.25))
    motifs = [word("a", letters[3]), word("b", letters[3]), word("c", letters[7]), flat]
    how = {"threshold": 0.05, "shuffled_rate": 0.05, "seed": 1}
    named, families = name_patterns(patterns, motifs, known, clusters, **how)
    assert named["target_tfs"].tolist()[:3] == ["TF3", "TF3", "TF7"]
    assert named["family"].tolist()[:3] == ["c3", "c3", "c7"]
    assert named["status"].tolist() == ["family"] * 3 + ["no match"]
    about = families.set_index("family")
    assert about.loc["c3", ["n_patterns", "n_labels"]].tolist() == [2, 2]
    labels = pd.DataFrame({"label": ["A", "B", "A"], "minus": ["", "", "B"], "sequences": 10})
    by_label = contribution_by_label(named, labels)
    assert by_label.columns.tolist() == ["A", "B", "A - B"]
    assert by_label.loc["c3"].tolist() == [6.0, 1.0, 0.0]
    assert by_label.loc["c7"].tolist() == [0.0, -2.0, 0.0]


def test_without_patterns_there_are_empty_tables(database):
    known, _ = database
    how = {"threshold": 0.05, "shuffled_rate": 0.05, "seed": 1}
    named, families = name_patterns(table(), [], known, pd.DataFrame(), **how)
    assert named.empty and families.empty and "target_tfs" in named
    labels = pd.DataFrame({"label": ["A"], "minus": [""], "sequences": [10]})
    by_label = contribution_by_label(named, labels)
    assert by_label.empty and by_label.columns.tolist() == ["A"]
