"""Figures of neurons: legible, and the same each time."""

import numpy as np
import pandas as pd
import pytest
from plots_checks import assert_legible, saved_bytes, shown_texts

from cisgrammar.motifs.meme import Motif
from cisgrammar.plots import neurons


def motif(name, width=12):
    rng = np.random.default_rng(width)
    return Motif(name, rng.dirichlet(np.full(4, 0.2), width).T)


FACETS = pd.DataFrame(
    {
        "layer": [1, 2, 2],
        "neuron": [3, 0, 0],
        "facet": [0, 0, 1],
        "highest": [4.2, 9.0, 8.1],
        "decoupling": [1.0, 0.98, 0.9],
        "information": [9.0, 14.0, 13.0],
    }
)
MOTIFS = [motif("L1_3_0"), motif("L2_0_0", 40), motif("L2_0_1", 40)]
DICTIONARY = pd.DataFrame(
    {
        "layer": [2, 2, 2],
        "entry": ["m0", "m1", "m2"],
        "n_neurons": [4, 2, 1],
        "tf": ["GATA1;GATA2", np.nan, "SPI1"],
    }
)
ENTRIES = [motif(f"L2_m{i}", 8 + i) for i in range(3)]
SYNTAX = pd.DataFrame(
    {
        "layer": 2,
        "neuron": 0,
        "node": ["(m0+ [3] m1-)", "((m0+ [3] m1-) [10..18] m2+)"],
        "left": ["m0+", "(m0+ [3] m1-)"],
        "right": ["m1-", "m2+"],
        "gap_least": [3, 10],
        "gap_most": [3, 18],
        "n_sequences": [90, 60],
    }
)
LINKS = pd.DataFrame(
    {"layer": 2, "neuron": 0, "first": ["m0+"], "second": ["m1-"], "link": ["AND"]}
)
SEQUENCES = FACETS.assign(share=[0.3, 0.1, 0.05])


def spacing(nodes=4):
    gaps = np.arange(40)
    rows = []
    for node in range(nodes):
        for name, level in (("pair", 5.0), ("swapped", 1.0), ("scrambled", 0.0)):
            values = level * np.exp(-((gaps - 14) ** 2) / 40)
            rows.append(
                pd.DataFrame({"gap": gaps, "activation": values, "arrangement": name}).assign(
                    layer=2, neuron=node, node="(m0+ [10..18] m2+)"
                )
            )
        alone = {"gap": [0], "activation": [1.5], "arrangement": "first alone"}
        rows.append(pd.DataFrame(alone).assign(layer=2, neuron=node, node="(m0+ [10..18] m2+)"))
    table = pd.concat(rows, ignore_index=True)
    return table.assign(expected=table["gap"].between(10, 18))


FIGURES = {
    "facets": lambda: neurons.facet_logos(FACETS, MOTIFS, SEQUENCES),
    "dictionary": lambda: neurons.dictionary_logos(DICTIONARY, ENTRIES),
    "trees": lambda: neurons.syntax_trees(SYNTAX, DICTIONARY, ENTRIES, LINKS),
    "spacing": lambda: neurons.spacing_curves(spacing()),
    "one spacing": lambda: neurons.spacing_curves(spacing(1)),
}


@pytest.mark.parametrize("name", FIGURES)
def test_figures_are_legible_and_the_same_each_time(name, tmp_path):
    assert_legible(FIGURES[name]())
    first, second = FIGURES[name](), FIGURES[name]()
    assert saved_bytes(first, tmp_path / "a") == saved_bytes(second, tmp_path / "b")


def test_facets_say_activation_decoupling_and_share():
    texts = " ".join(shown_texts(FIGURES["facets"]()))
    assert "L2_0_0" in texts and "9  decoupling 0.98  10.0%" in texts


def test_joins_say_gap_and_link():
    texts = shown_texts(FIGURES["trees"]())
    assert "3 bp AND" in texts and "10 to 18 bp" in texts and "m0+ GATA1" in texts


@pytest.mark.parametrize(
    "draw, table",
    [
        (lambda t: neurons.facet_logos(t, []), FACETS),
        (lambda t: neurons.dictionary_logos(t, []), DICTIONARY),
        (lambda t: neurons.syntax_trees(t, DICTIONARY, ENTRIES), SYNTAX),
        (neurons.spacing_curves, spacing()),
    ],
)
def test_nothing_to_draw_is_an_error(draw, table):
    with pytest.raises(ValueError, match="nothing to draw"):
        draw(table.iloc[:0])
