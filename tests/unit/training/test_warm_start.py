import pandas as pd
import pytest

from cisgrammar.common.errors import InputError
from cisgrammar.common.files import write_table
from cisgrammar.training.warm_start import leading_trials

SPACE = {"learning_rate": ("range", [0.001, 0.1]), "batch_size": ("choice", [8, 16])}
TRIALS = pd.DataFrame(
    {
        "trial": [0, 1, 2, 3, 4, 5],
        "state": ["complete", "pruned", "complete", "pruned", "pruned", "complete"],
        "loss": [0.5, None, 0.3, None, None, 0.4],
        "epochs": [40, 2, 40, 8, 2, 40],
        "learning_rate": [0.01, 0.02, 0.03, 0.04, 0.05, 0.03],
        "batch_size": [8, 8, 16, 8, 16, 16],
    }
)


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "trials.tsv"
    write_table(TRIALS, path)
    return path


def test_whole_trials_lead_by_loss_then_those_that_were_stopped_last(table):
    rates = [each["learning_rate"] for each in leading_trials(table, SPACE, 10)]
    assert rates == [0.03, 0.01, 0.04, 0.02, 0.05]  # trial 5 tried the settings of trial 2


def test_no_more_than_asked_for_and_choices_are_those_of_the_space(table):
    assert leading_trials(table, SPACE, 1) == [{"learning_rate": 0.03, "batch_size": 16}]


@pytest.mark.parametrize(
    ("narrower", "left"),
    [
        ({"batch_size": ("choice", [8])}, [0.01, 0.04, 0.02]),
        ({"learning_rate": ("range", [0.015, 0.045])}, [0.03, 0.04, 0.02]),
        ({"batch_size": ("choice", [32])}, []),
    ],
)
def test_settings_outside_of_this_folds_space_are_left_out(table, narrower, left):
    found = leading_trials(table, {**SPACE, **narrower}, 10)
    assert [each["learning_rate"] for each in found] == left


def test_an_end_that_was_rounded_is_within_the_space(tmp_path):
    lowest = 0.001234567
    write_table(TRIALS.assign(learning_rate=lowest), tmp_path / "trials.tsv")
    space = {**SPACE, "learning_rate": ("range", [lowest, 0.1])}
    assert leading_trials(tmp_path / "trials.tsv", space, 1)[0]["learning_rate"] >= lowest


def test_choices_that_are_words(tmp_path):
    write_table(TRIALS.assign(strands="both"), tmp_path / "trials.tsv")
    space = {**SPACE, "strands": ("choice", ["forward", "both"])}
    assert leading_trials(tmp_path / "trials.tsv", space, 1)[0]["strands"] == "both"


def test_a_table_of_another_search_is_refused(table):
    with pytest.raises(InputError, match="no column dropout"):
        leading_trials(table, {**SPACE, "dropout": ("range", [0.1, 0.5])}, 3)
