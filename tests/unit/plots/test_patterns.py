"""Logos of patterns say what they are like and how many seqlets they have."""

import numpy as np
import pandas as pd
import pytest

from cisgrammar.motifs.meme import Motif
from cisgrammar.plots.motif_agreement import agreement_heatmap
from cisgrammar.plots.patterns import family_contributions, pattern_logos

MOTIFS = [Motif(name, np.full((4, 6), 0.25)) for name in ("01_A_pos0", "01_A_neg0")]
PATTERNS = pd.DataFrame(
    {
        "motif": ["01_A_pos0", "01_A_neg0"],
        "sign": ["+", "-"],
        "seqlets": [30, 1200],
        "family": ["ETS/x", "T"],
        "target_tfs": ["ELK1;ELK4", np.nan],
    }
)


def texts(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def test_patterns_with_most_seqlets_come_first_with_names_and_numbers():
    said = [text for text in texts(pattern_logos(PATTERNS, MOTIFS)) if "01_A" in text]
    assert said == ["-T_01_A_neg0  n = 1,200", "+ELK1_01_A_pos0  n = 30"]


def test_families_are_drawn_by_label():
    by_label = pd.DataFrame({"A": [1.0, -0.5], "A - B": [0.0, 2.0]}, ["ETS/x", "T"])
    families = PATTERNS.rename(columns={"motif": "example"})
    said = texts(family_contributions(by_label, families, MOTIFS))
    assert {"ETS/x", "T", "A - B"} <= set(said)


def test_models_stand_below_each_other_with_their_agreement():
    found = pd.DataFrame(
        {"family": ["f", "f"], "model": ["scover", "scbasset"], "r": 0.5, "agreement": 0.5,
         "n_models": 2, "A": [1.0, -1.0], "B": [-1.0, 1.0]}
    )  # fmt: skip
    said = " ".join(texts(agreement_heatmap(found)))
    assert "scover" in said and "scBasset" in said and "r = 0.50" in said


def test_nothing_to_draw_is_an_error():
    with pytest.raises(ValueError):
        pattern_logos(PATTERNS[:0], [])
    with pytest.raises(ValueError):
        agreement_heatmap(pd.DataFrame(columns=["family", "model", "agreement"]))
