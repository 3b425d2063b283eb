"""The part of a window that is drawn as letters, and that figures can be drawn at all."""

import numpy as np
import pandas as pd
import pytest

from cisgrammar.plots.attributions import contribution_track, part_of


@pytest.mark.parametrize(
    "starts, ends, n, first",
    [
        ([10, 300], [20, 310], 100, 255),  # the larger one, in the middle
        ([300, 320, 10], [310, 330, 20], 100, 265),  # two that fit together
        ([5], [15], 100, 0),  # at the window's start
        ([390], [400], 100, 300),  # and at its end
        ([10], [200], 100, 300),  # too long: where most is
        ([], [], 100, 300),
    ],
)
def test_letters_are_about_the_seqlets_that_contribute_most(starts, ends, n, first):
    scores = np.zeros(400)
    scores[10:20], scores[300:310], scores[320:330], scores[390:400] = 1, 2, 1, 3
    found = part_of(scores, pd.Series(starts, dtype=int), pd.Series(ends, dtype=int), n)
    assert found == first or scores[found : found + n].sum() == scores[first : first + n].sum()


@pytest.mark.parametrize("length, asked", [(400, 400), (60, 60), (400, 30)])
def test_a_window_is_drawn(length, asked):
    rng = np.random.default_rng(0)
    scores = rng.normal(0, 0.01, length)
    scores[10:20] = -1
    scores[asked:] = np.nan
    seqlets = pd.DataFrame(
        {"start": [1010], "end": [1020], "name": ["M"], "motif_start": [1009], "motif_end": [1021]}
    )
    codes = rng.integers(0, 5, length, dtype=np.uint8)
    figure = contribution_track(scores, codes, 1000, seqlets, "title", "Position (bp)")
    upper, lower, names = figure.axes
    assert lower.get_xlim()[0] <= 1010 and lower.get_xlim()[1] >= 1020
    assert upper.get_xlim() == (1000, 1000 + asked)
    assert [text.get_text() for text in names.texts] == ["M"]
