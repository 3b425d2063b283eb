import numpy as np
import pandas as pd
import pytest
from plots_checks import assert_legible, shown_texts

from cisgrammar.motifs.meme import Motif
from cisgrammar.plots import logos, style

GATA = np.full((4, 4), 0.0)
GATA[[2, 0, 3, 0], range(4)] = 1


def drawn(matrix, **box):
    with style.look():
        axes = style.new_figure(50, 20).add_subplot()
        logos.draw_logo(axes, np.asarray(matrix, dtype=float), **box)
    return axes


@pytest.mark.parametrize(
    "column, heights", [([1, 0, 0, 0], [2, 0, 0, 0]), ([0.5, 0.5, 0, 0], [0.5, 0.5, 0, 0])]
)
def test_letter_heights_match_hand_calculation(column, heights):
    assert logos.letter_heights(np.array([column], dtype=float).T)[:, 0] == pytest.approx(heights)


def test_one_shape_per_base_whatever_the_width():
    axes = drawn(np.tile(GATA, (1, 50)))
    assert len(axes.patches) == 3  # no C in GATA


@pytest.mark.parametrize("height", [2.0, -8.0])
def test_letters_fill_the_box(height):
    axes = drawn(GATA, x=3, y=1, width=8, height=height)
    boxes = np.array([patch.get_path().get_extents().extents for patch in axes.patches])
    assert boxes[:, [0, 2]].min() == pytest.approx(3, abs=0.1)
    assert boxes[:, [0, 2]].max() == pytest.approx(11, abs=0.1)
    assert sorted([boxes[:, [1, 3]].min(), boxes[:, [1, 3]].max()]) == pytest.approx(
        sorted([1, 1 + height])
    )


def test_uniform_columns_draw_nothing():
    assert not drawn(np.full((4, 6), 0.25)).patches


def test_most_frequent_letter_is_on_top():
    axes = drawn([[0.8], [0.0], [0.2], [0.0]])
    a, g = (patch.get_path().get_extents() for patch in axes.patches)
    assert a.y0 == pytest.approx(g.y1) and g.y0 == 0


def test_logo_labels_its_axes():
    axes = drawn(GATA)
    logos.logo(axes, GATA)
    assert axes.get_ylabel() == "Information (bits)" and axes.get_xlabel() == "Position (bp)"


def test_gallery_names_every_motif_and_its_sites():
    motifs = [Motif(f"0_{i}", GATA) for i in range(9)]
    table = pd.DataFrame({"motif": [motif.name for motif in motifs], "n_sequences": 1234})
    figure = logos.logo_gallery(motifs, table)
    texts = shown_texts(figure)
    assert all(f"0_{i}  n = 1,234" in texts for i in range(9))
    assert_legible(figure)


def test_gallery_says_how_many_it_left_out():
    figure = logos.logo_gallery([Motif(f"0_{i}", GATA) for i in range(9)], n_top=5)
    assert "The first 5 of 9 motifs" in shown_texts(figure)
    assert_legible(figure)


def test_no_motifs_is_an_error():
    with pytest.raises(ValueError, match="no motifs"):
        logos.logo_gallery([])
