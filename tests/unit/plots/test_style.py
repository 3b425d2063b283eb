import itertools
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plots_checks import saved_bytes, shown_texts

from cisgrammar.plots import style

DEUTERANOPIA = np.array(
    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]]
)  # Machado et al. (2009), severity 1


def oklab(linear):
    """Linear RGB to Ottosson's OKLab, where distances are alike to the eye."""
    cones = (
        linear
        @ np.array(
            [
                [0.4122214708, 0.5363325363, 0.0514459929],
                [0.2119034982, 0.6806995451, 0.1073969566],
                [0.0883024619, 0.2817188376, 0.6299787005],
            ]
        ).T
    )
    return (
        np.cbrt(np.maximum(cones, 0))
        @ np.array(
            [
                [0.2104542553, 0.7936177850, -0.0040720468],
                [1.9779984951, -2.4285922050, 0.4505937099],
                [0.0259040371, 0.7827717662, -0.8086757660],
            ]
        ).T
    )


@pytest.mark.parametrize("eyes", [np.eye(3), DEUTERANOPIA], ids=["normal", "deuteranopic"])
@pytest.mark.parametrize("n, least", [(8, 0.06), (20, 0.05), (60, 0.03)])
def test_palette_can_be_told_apart(eyes, n, least):
    rgb = np.array([mpl.colors.to_rgb(colour) for colour in style.PALETTE[:n]])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4) @ eyes.T
    seen = oklab(linear)
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) > least


def test_category_colours_follow_the_names_not_their_order():
    assert style.category_colours(["b", "a", None, "b"]) == {
        "a": style.PALETTE[0],
        "b": style.PALETTE[1],
    }
    assert len(style.category_colours(range(70))) == 70


def test_saved_files_have_the_same_bytes_each_time(tmp_path):
    def draw():
        with style.look():
            figure = style.new_figure(40, 30)
            axes = figure.add_subplot()
            axes.plot([0, 1], [0, 1], clip_on=True)
            axes.set_title("title")
        return figure

    first, second = (saved_bytes(draw(), tmp_path / name / "figure.v1") for name in "ab")
    assert first == second
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == ["figure.v1.png", "figure.v1.svg"]
    assert b">title<" in first[0]  # text is text
    assert b"Date" not in first[0]


def test_look_ignores_the_users_settings_and_leaves_them(tmp_path):
    with mpl.rc_context({"font.size": 33, "lines.linewidth": 9}):
        with style.look():
            assert mpl.rcParams["font.size"] == style.TEXT
        assert mpl.rcParams["font.size"] == 33


@given(st.text("abcdefgh ijklmnop", min_size=1, max_size=80), st.floats(5, 60))
def test_shortened_text_fits(text, width):
    short = style.shorten(text, width)
    assert short == text or style.text_width(short, style.SMALL) <= width


def test_shortened_names_keep_both_ends():
    short = style.shorten("Loop of Henle, thick ascending limb (fetal)", 30)
    assert short.startswith("Loop of") and short.endswith("(fetal)") and "…" in short


def test_a_cut_name_is_whole_in_the_title_of_its_text(tmp_path):
    long = "CD4-positive <naive> & memory helper T cells of the blood"
    figure = style.new_figure(50, 20)
    cut = style.shorten(long, 20)
    figure.text(0.1, 0.5, f"{cut} (1,204)")
    figure.text(0.1, 0.1, "short… of its own")
    path = style.save(figure, tmp_path / "a")[0]
    texts = [element for element in ElementTree.parse(path).iter() if element.tag.endswith("text")]
    titles = {"".join(text.itertext()): [title.text for title in text] for text in texts}
    assert titles == {
        f"{long} (1,204){cut} (1,204)": [f"{long} (1,204)"],
        "short… of its own": [],
    }
    assert "…" in cut


def test_names_that_are_cut_alike_are_both_in_the_title(tmp_path):
    names = [f"a long name {middle} of one kind" for middle in ("that is one", "that is two")]
    cuts = {style.shorten(name, 12) for name in names}
    figure = style.new_figure(50, 20)
    figure.text(0.1, 0.5, cuts.pop())
    text = style.save(figure, tmp_path / "a")[0].read_text()
    assert not cuts and f"<title>{' or '.join(names)}</title>" in text


def test_axes_are_placed_in_millimetres():
    figure = style.new_figure(100, 50, placed=True)
    box = style.axes_at(figure, 10, 5, 20, 30).get_position()
    assert (box.x0, box.x1) == pytest.approx((0.1, 0.3))
    assert (box.y1, box.y0) == pytest.approx((0.9, 0.3))


@pytest.mark.parametrize("n, widest, shape", [(1, 5, (1, 1)), (10, 5, (2, 5)), (6, 5, (2, 3))])
def test_grid_shape(n, widest, shape):
    assert style.grid_shape(n, widest) == shape


def test_symmetric_limit():
    assert style.symmetric_limit(np.array([-3.0, 1, np.nan, np.inf]), 100) == 3
    assert style.symmetric_limit(np.full(3, np.nan)) > 0


def test_require_says_what_is_missing():
    with pytest.raises(ValueError, match="loss_curves: nothing to draw"):
        style.require(pd.DataFrame({"fold": []}), "loss_curves", ["fold"])
    with pytest.raises(ValueError, match="no column epoch among fold"):
        style.require(pd.DataFrame({"fold": [1]}), "loss_curves", ["fold", "epoch"])


def test_names_are_never_read_as_formulas():
    with style.look():
        figure = style.new_figure(40, 30)
        figure.text(0.1, 0.5, "Gene$1 and Gene$2")
    assert "Gene$1 and Gene$2" in shown_texts(figure)
    with style.look():
        figure.canvas.draw()  # as a formula this would fail or lose the signs
        assert not figure.texts[0].get_parse_math()
