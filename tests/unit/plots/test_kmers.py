import pandas as pd
import pytest

from cisgrammar.plots.kmers import kmer_heatmap

COLUMNS = {
    "part": ["differences"] * 3 + ["levels"],
    "kmer": ["ACGT", "GGCC", "ACGT", "TTTT"],
    "start": [0, 0, 50, 0],
    "end": [50, 50, 100, 100],
    "folds": [1.0] * 4,
    "strength": [4.0, 3.0, 2.0, 1.0],
    "motif": ["m1", "m2", None, "m3"],
    "tf": ["ABC1", None, None, "XYZ2"],
    "motif_p": [0.1] * 4,
}


def drawn_text(figure):
    return " ".join(text.get_text() for text in figure.findobj(lambda x: hasattr(x, "get_text")))


def test_kmers_bear_their_place_and_what_they_resemble():
    table = pd.DataFrame(COLUMNS).assign(neuron=[1.0, -1, 0.5, 2], glia=[-1.0, 1, -0.5, 2])
    text = drawn_text(kmer_heatmap(table))
    assert "ACGT 0\N{EN DASH}50 (ABC1)" in text
    assert "GGCC 0\N{EN DASH}50 (m2)" in text  # a motif without a factor
    assert "ACGT 50\N{EN DASH}100" in text
    assert "TTTT" not in text  # of levels, which do not differ


def test_with_one_cell_type_levels_are_drawn():
    text = drawn_text(kmer_heatmap(pd.DataFrame(COLUMNS).assign(all=[1.0, -1, 0.5, 2])))
    assert "TTTT (XYZ2)" in text and "GGCC" not in text


def test_a_table_that_lacks_a_column_is_refused():
    with pytest.raises(ValueError, match="strength"):
        kmer_heatmap(pd.DataFrame(COLUMNS).drop(columns="strength").assign(all=1.0))
