import numpy as np
import pandas as pd
import pytest
from plots_checks import assert_legible, shown_texts

from cisgrammar.plots.mutagenesis import importance_logos
from cisgrammar.sequence import encode


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
