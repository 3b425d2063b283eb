import numpy as np
import pandas as pd
import pytest
import torch

from cisgrammar.interpret.kmer_effects import average_over_folds, kmer_effects, nearest_motifs
from cisgrammar.models.kmer_regression import KmerRegression
from cisgrammar.motifs.meme import Motif


class Regressions:
    """A level that A raises in the first half, and a difference of two pools that T makes."""

    def kmer_regressions(self):
        level, differences = KmerRegression(1, [[1, 2]], False), KmerRegression(3, [[1, 1]], False)
        level.coefficients[0, 0] = 1.0
        differences.coefficients[3] = torch.tensor([3.0, 3.0, 0.0])
        return {"levels": level, "differences": differences}


CODES = np.array([[0, 0, 3, 3], [1, 1, 3, 1]], dtype=np.uint8)  # AATT, CCTC


def test_effects_are_weights_times_the_spread_of_log_counts():
    table = kmer_effects(Regressions(), CODES, ["b", "b", "a"])
    assert list(table.columns) == ["part", "kmer", "strands", "start", "end", "a", "b"]
    level = table[table["part"] == "levels"].set_index(["kmer", "start", "end"])
    assert len(level) == 8  # four bases in two stretches
    spread = np.log(3) / 2  # of log(1 + count) where one sequence has two and the other none
    assert level.loc[("A", 0, 2), ["a", "b"]].tolist() == pytest.approx([spread, spread])
    assert (level.drop(("A", 0, 2))[["a", "b"]] == 0).all(axis=None)
    row = table[(table["part"] == "differences") & (table["kmer"] == "T")].iloc[0]
    spread = (np.log(3) - np.log(2)) / 2
    assert row[["a", "b"]].tolist() == pytest.approx([-2 * spread, spread])


def test_a_fold_that_does_not_count_a_kmer_has_no_effect_of_it():
    keys = {"part": "levels", "strands": "both", "start": 0, "end": 9}
    first = pd.DataFrame([{**keys, "kmer": "AA", "x": 1.0, "y": 3.0}])
    second = pd.DataFrame(
        [{**keys, "kmer": "AA", "x": 1.0, "y": 1.0}, {**keys, "kmer": "CC", "x": 8.0, "y": 8.0}]
    )
    table = average_over_folds([first, second]).set_index("kmer")
    assert table.loc["AA", ["folds", "x", "y"]].tolist() == [1, 1, 2]
    assert table.loc["CC", ["folds", "x", "y"]].tolist() == [0.5, 4, 4]
    assert table.index.tolist() == ["CC", "AA"]
    assert table.loc["AA", "strength"] == pytest.approx(np.sqrt(2.5))


def test_the_nearest_motif_of_a_word_is_the_one_that_spells_it():
    def spelled(name, word):
        columns = [[0.97 if base == letter else 0.01 for base in "ACGT"] for letter in word]
        return Motif(name, np.array(columns).T, alt=name.upper())

    known = [spelled("m1", "GATTACA"), spelled("m2", "CCCGGGT"), spelled("m3", "AATTTTAA")]
    nearest = nearest_motifs(["TGTAATC", "GGGT"], known)
    assert nearest["motif"].tolist() == ["m1", "m2"]
    assert nearest["tf"].tolist() == ["M1", "M2"]
    assert (nearest["motif_p"] < 0.05).all()
