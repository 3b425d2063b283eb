"""Bases are explained for one label after the other, each in files of its own."""

import numpy as np
import pandas as pd
import pyBigWig
import pytest
from made_trained import made_results

import cisgrammar
from cisgrammar.interpret.contributions import read_contributions
from cisgrammar.use.attribution_labels import (
    attribute_labels,
    count_sequences,
    draw_held_out,
    questions,
)
from cisgrammar.use.attributions import attribute


@pytest.fixture
def trained(tmp_path):
    return cisgrammar.load(made_results(tmp_path))


@pytest.mark.parametrize(
    "labels, expected",
    [
        (None, [("01", None), ("NA", None), ("NA", "01")]),
        (["NA"], [("NA", None), ("NA", "01")]),
        ([], [("NA", "01")]),
    ],
)
def test_all_labels_are_asked_unless_some_are_named_and_then_differences(trained, labels, expected):
    assert questions(trained, "cell_type", labels, [["NA", "01"]]) == expected


def test_held_out_sequences_are_drawn_and_the_others_counted(trained):
    names, others = draw_held_out(trained, 3, seed=1)
    assert len(names) == 3 and others == 2 and names == sorted(names)
    assert "G5" not in draw_held_out(trained, 9, seed=1)[0], "no fold tests it"
    assert draw_held_out(trained, 9, seed=1)[1] == 0
    drawn = {tuple(draw_held_out(trained, 3, seed=seed)[0]) for seed in range(9)}
    assert len(drawn) > 1


def test_each_label_has_files_of_its_own(trained, tmp_path):
    asked = [("01", None), ("NA", "01")]
    folders = tmp_path / "contributions", tmp_path / "tracks"
    how = {"by": "cell_type", "method": "ism", "names": ["G0", "G5"], "n_shuffled": 4}
    labels, seqlets, left_out = attribute_labels(trained, asked, [], *folders, **how)
    assert labels["file"].tolist() == ["01_01", "02_NA_01"]
    assert labels["minus"].tolist() == ["", "01"] and labels["sequences"].tolist() == [1, 1]
    assert left_out["name"].tolist() == ["G5"]
    assert seqlets.columns[:3].tolist() == ["label", "minus", "sequence"]
    assert [(seqlets["label"] == label).sum() for label in labels["label"]] == (
        labels["seqlets"].tolist()
    )
    alone, _ = attribute(trained, label="NA", minus="01", **how)
    track = pyBigWig.open(str(tmp_path / "tracks/02_NA_01.bw"))
    np.testing.assert_allclose(track.values("chr1", 0, 40), alone.contributions[0], atol=1e-6)
    assert (tmp_path / "tracks/02_NA_01.bed").is_file()


def test_contributions_are_read_as_they_were_written(trained, tmp_path):
    how = {"by": "cell_type", "method": "deeplift", "names": ["G1", "G0"], "n_shuffled": 3}
    attribute_labels(trained, [("NA", "01")], [], tmp_path / "c", tmp_path / "t", **how)
    found = read_contributions(tmp_path / "c/01_NA_01.h5")
    expected, _ = attribute(trained, label="NA", minus="01", **how)
    for name in ("codes", "hypothetical", "chance", "contributions"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    pd.testing.assert_frame_equal(
        found.windows[expected.windows.columns], expected.windows, check_names=False
    )
    assert (found.method, found.label, found.minus) == ("deeplift", "NA", "01")
    assert found.title == "NA - 01"


def test_what_is_left_out_is_counted_by_reason():
    left_out = pd.DataFrame({"reason": ["in no window", "in no window"]})
    assert count_sequences(7, left_out, 5).to_numpy().tolist() == [
        ["explained", 7],
        ["held out as well, beyond `max_sequences`", 5],
        ["in no window", 2],
    ]
    assert len(count_sequences(7, left_out[:0])) == 1
