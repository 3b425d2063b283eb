import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from plots_checks import assert_legible, shown_texts

from cisgrammar.genome.sequence import decode, encode
from cisgrammar.plots.mutagenesis import (
    importance_logos,
    region_logos,
    telling_groups,
    window_of,
)


@pytest.fixture
def case():
    rng = np.random.default_rng(1)
    codes = rng.integers(0, 4, 120, dtype=np.uint8)
    codes[40:47], codes[0] = encode("GATTACA"), 4
    scores = rng.normal(0, 0.05, (3, 120))
    scores[1, 40:47] += 1
    scores[2, 40:47] -= 0.5
    return scores, codes


def test_letters_stand_where_and_as_high_as_scores_say(case):
    scores, codes = case
    figure = importance_logos(scores, codes, ["A", "B", "C"], start=100)
    boxes = [patch.get_path().get_extents() for patch in figure.axes[1].patches]
    assert max(box.y1 for box in boxes) == pytest.approx(scores[1].max())
    inside = figure.axes[1].patches[3].get_path()  # the T
    assert len({axes.get_ylim() for axes in figure.axes}) == 1  # one scale
    highest = inside.vertices[inside.vertices[:, 1].argmax(), 0]
    assert 142 <= highest <= 144  # the Ts of GATTACA
    assert min(box.x0 for box in boxes) >= 101  # N is no letter


def test_names_stand_above_and_do_not_lie_on_each_other(case):
    labels = pd.DataFrame(
        {"motif": ["first", "over_it", "at_the_end"], "start": [40, 42, 114], "end": [47, 49, 120]}
    )
    figure = importance_logos(*case, ["a group with a rather long name", "B", "C"], labels=labels)
    assert_legible(figure)
    assert {"first", "at_the_end"} <= set(shown_texts(figure))
    assert "over_it" not in shown_texts(figure)


def test_positions_and_heights_can_be_read(case):
    figure = importance_logos(
        *case, ["a group with a rather long name", "B", "C"], start=123_456_700
    )
    assert_legible(figure)
    texts = shown_texts(figure)
    assert "123,456,720" in texts and not any("e8" in text for text in texts)
    assert {"0.0", "0.5", "−0.5"} <= set(texts)


def test_the_part_with_most_importance_is_found(case):
    scores, _ = case
    first, end = window_of(scores, 20)
    assert end - first == 20 and first <= 40 and end >= 47
    assert window_of(scores, 500) == (0, 120)


def test_groups_where_bases_matter_most_and_least():
    scores = np.array([[1.0, -1], [5, 5], [0, 0], [3, -3]])
    assert telling_groups(scores, 3).tolist() == [1, 3, 2]
    assert telling_groups(scores, 9).tolist() == [1, 3, 0, 2]


def test_a_region_is_drawn_with_its_sites_and_thresholds(case):
    scores, codes = case
    obs = pd.DataFrame({"region": "peak1", "chrom": "chr7", "position": np.arange(1000, 1120)})
    obs["base"] = list(decode(codes))
    obs.index = obs.index.astype(str)
    mutated = AnnData(scores.T, obs, pd.DataFrame(index=["A", "B", "C"]))
    sites = pd.DataFrame(
        {
            "cell_type": ["B", "B", "B"], "name": ["GATA", "far", "worse"],
            "start": [1040, 1100, 1041], "end": [1047, 1110, 1048], "p": [0.001, 0.001, 0.01],
            "r": 0.9,
        }
    )  # fmt: skip
    limits = pd.Series({"A": 0.1, "B": 0.2, "C": 0.3})
    figure = region_logos(mutated, sites, limits, 30, 2)
    assert_legible(figure)
    texts = set(shown_texts(figure))
    assert {"GATA", "Position on chr7 (bp), in peak1", "B", "A"} <= texts
    assert not {"far", "worse", "C"} & texts
    low, high = figure.axes[0].get_xlim()
    assert high - low == 30 and low <= 1040 and high >= 1047
    dashed = [line.get_ydata()[0] for line in figure.axes[0].lines]
    assert dashed == [0, 0.2, -0.2]
