"""Known motifs that variants make or break, at planted places."""

import numpy as np
import pandas as pd
import pytest
from made_trained import CODES, made_results

import cisgrammar
from cisgrammar.genome.sequence import decode, encode, one_hot
from cisgrammar.motifs.databases import Database
from cisgrammar.motifs.meme import Motif
from cisgrammar.use.variant_motifs import motif_changes

WORD = "GATTACAGC"
GENOME = decode(CODES)
MATRIX = 0.97 * one_hot(encode(WORD)) + 0.0075
DATABASE = Database(
    "test",
    [Motif("M1", MATRIX / MATRIX.sum(axis=0), 1000)],
    pd.DataFrame({"motif": ["M1"], "tfs": ["TF1"]}),
)


def planted(tmp_path, word, at=110):
    """Put a word into window G2 (100 to 140), and give the model with it."""
    trained = cisgrammar.load(made_results(tmp_path))
    plus = GENOME[:at] + word + GENOME[at + len(word) :]
    trained.dataset.varm["codes"][2] = encode(plus[100:140])
    return trained, plus


def changes(trained, start, ref, alt, **options):
    effects = pd.DataFrame(
        {"variant": ["v"], "chrom": "chr1", "position": start + 1, "ref": ref, "alt": alt,
         "sequence": "G2"}
    )  # fmt: skip
    found = motif_changes(trained, effects, DATABASE, **options)
    return found[["motif", "tfs", "change", "strand"]].to_numpy().tolist()


@pytest.mark.parametrize(
    "word, start, ref, alt, expected",
    [
        (WORD, 114, "A", "G", ["lost", "+"]),
        ("GATTGCAGC", 114, "G", "A", ["gained", "+"]),
        ("GCTGTAATC", 113, "G", "C", ["lost", "-"]),
        (WORD, 110, "GA", "G", ["lost", "+"]),  # a deletion
        (WORD, 113, "T", "TCC", ["lost", "+"]),  # an insertion between its bases
        ("GATTCAGC", 113, "T", "TA", ["gained", "+"]),
    ],
)
def test_a_motif_is_made_or_broken_by_what_differs(tmp_path, word, start, ref, alt, expected):
    trained, plus = planted(tmp_path, word)
    assert plus[start : start + len(ref)] == ref
    assert changes(trained, start, ref, alt) == [["M1", "TF1", *expected]]


@pytest.mark.parametrize("start", [105, 109, 119])
def test_a_change_beside_a_motif_leaves_it(tmp_path, start):
    trained, plus = planted(tmp_path, WORD)
    other = "A" if plus[start] != "A" else "C"
    assert changes(trained, start, plus[start], other) == []


def test_what_little_moves_a_hit_over_the_threshold_does_not_count(tmp_path):
    trained, _ = planted(tmp_path, "GATTGCAGC")  # p of 1.1e-4, and with two others 1.4e-3
    assert changes(trained, 110, "G", "T", threshold=2e-4) == [["M1", "TF1", "lost", "+"]]
    assert changes(trained, 110, "G", "T", threshold=1e-4) == []
    trained, _ = planted(tmp_path, WORD)
    assert changes(trained, 114, "A", "G", threshold=2e-4) == []  # still a hit


def test_sites_at_the_edge_are_read_on_in_the_genome(tmp_path):
    trained, plus = planted(tmp_path, WORD, at=96)  # four bases before the window
    assert changes(trained, 102, "A", "G") == []
    assert changes(trained, 102, "A", "G", genome={"chr1": plus}) == [["M1", "TF1", "lost", "+"]]


def test_nothing_to_look_at_gives_an_empty_table(tmp_path):
    trained, _ = planted(tmp_path, WORD)
    columns = ["variant", "chrom", "position", "ref", "alt", "sequence"]
    found = motif_changes(trained, pd.DataFrame(columns=columns), DATABASE)
    assert found.empty and "p_ref" in found
    assert np.isin(["change", "tfs"], found.columns).all()
