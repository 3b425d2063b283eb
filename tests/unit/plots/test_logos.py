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


def hits(n):
    return pd.DataFrame(
        {
            "motif": [f"0_{i}" for i in range(n)],
            "target": [f"MA{i}" for i in range(n)],
            "offset": np.resize([0, 2, -2], n),
            "orientation": np.resize(["+", "-"], n),
            "q_value": 1e-5,
            "family": "GATA",
        }
    )


def test_aligned_motifs_lie_under_each_other():
    """GATA at 2 in the target: the query starts where the target has its GATA."""
    flank = np.full((4, 2), 0.25)
    target = np.hstack([flank, GATA])
    for orientation, given in (("+", target), ("-", target[::-1, ::-1])):
        turned, query_start, target_start = logos.aligned(given, 2, orientation)
        assert (query_start, target_start) == (2, 0)
        assert (turned[:, 2:] == GATA).all()
    _, query_start, target_start = logos.aligned(GATA, -2, "+")
    assert (query_start, target_start) == (0, 2)


@pytest.mark.parametrize("orientation", ["+", "-"])
@pytest.mark.parametrize("shift", [0, 3])
def test_alignment_agrees_with_tomtom(orientation, shift):
    """What Tomtom's table calls offset and strand is what is drawn."""
    tomtom = pytest.importorskip("cisgrammar.motifs.tomtom")
    rng = np.random.default_rng(0)
    core = rng.dirichlet(np.ones(4) * 0.2, 10).T
    padded = np.hstack([rng.dirichlet(np.ones(4) * 9, shift).T, core])
    target = padded if orientation == "+" else padded[::-1, ::-1]
    others = [Motif(f"other{i}", rng.dirichlet(np.ones(4), 9).T) for i in range(60)]
    table = tomtom.compare([Motif("query", core)], [Motif("target", target), *others], 0.05)
    best = table.iloc[0]
    assert best["Target_ID"] == "target" and best["Orientation"] == orientation
    turned, start, other = logos.aligned(target, int(best["Optimal_offset"]), orientation)
    assert turned[:, start - other : start - other + 10] == pytest.approx(core)


@pytest.mark.parametrize("n", [1, 4, 40])
def test_alignment_gallery(n):
    motifs = [Motif(f"0_{i}", GATA) for i in range(n)]
    database = [Motif(f"MA{i}", np.hstack([GATA, GATA]), alt="GATA1") for i in range(n)]
    figure = logos.alignment_gallery(hits(n), motifs, database)
    texts = shown_texts(figure)
    assert "0_0: GATA  q = 1e-05" in texts and "GATA1 MA0" in texts
    assert ("The first 30 of 40 alignments" in texts) == (n == 40)
    assert n == 1 or "GATA1 MA1, reverse complement" in texts
    assert_legible(figure)


def test_filters_without_a_match_are_passed_over():
    table = hits(2)
    table.loc[0, "target"] = None
    motifs, database = [Motif("0_1", GATA)], [Motif("MA1", GATA)]
    assert "0_0: GATA  q = 1e-05" not in shown_texts(
        logos.alignment_gallery(table, motifs, database)
    )
    with pytest.raises(ValueError, match="nothing to draw"):
        logos.alignment_gallery(table.head(1), motifs, database)
