"""What is missing for gene sets and markers is noted, and the rest goes on."""

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from cisgrammar.common.notes import Notes
from cisgrammar.interpret.gene_sets import no_sets
from cisgrammar.interpret.processes import NO_EXPRESSION, NO_SETS, markers_or_note, sets_or_note

SIZES = {"min_size": 1, "max_size": 9, "n_top": 5, "n_clusters": 1}
POOLS = pd.DataFrame(index=[f"pool{i}" for i in range(8)])
SETS = {"rising": ["g0", "g1"]}


@pytest.fixture
def case():
    rise = np.arange(8.0)
    families = AnnData(rise[:, None], POOLS, pd.DataFrame(index=["UP"]))
    counts = np.stack([rise, rise + 1, rise[::-1]], axis=1)
    return families, AnnData(counts, POOLS, pd.DataFrame(index=["g0", "g1", "g2"]))


def test_sets_are_correlated(case):
    notes = Notes()
    table = sets_or_note(*case, SETS, SIZES, "sets.gmt", notes)
    assert table["best_rho"].tolist() == pytest.approx([1.0]) and notes.table().empty


@pytest.mark.parametrize(
    "has_pools, sets, about, note",
    [
        (False, SETS, ["gene sets", "regulators"], NO_EXPRESSION),
        (True, None, ["gene sets"], NO_SETS),
        (True, {"elsewhere": ["x"]}, ["gene sets"], "sets.gmt: 0 of its 1 genes"),
    ],
)
def test_what_sets_lack_is_noted(case, has_pools, sets, about, note):
    families, pools = case
    notes = Notes()
    table = sets_or_note(families, pools if has_pools else None, sets, SIZES, "sets.gmt", notes)
    assert table.empty and table.columns.equals(no_sets(families).columns)
    assert notes.table()["about"].tolist() == about
    assert notes.table()["note"].str.contains(note, regex=False).all()


def test_lists_of_markers_that_are_not_there_are_noted(case):
    families, pools = case
    notes, markers = Notes(), {"absent": ["x"], "falling": ["g2"]}
    table = markers_or_note(families, pools, markers, notes)
    assert table["list"].tolist() == ["falling"] * 2
    assert table["UP"].tolist() == pytest.approx([-1.0, -1.0])
    assert "none of 'absent'" in notes.table()["note"].item()
    assert markers_or_note(families, None, markers, notes).empty and len(notes.table()) == 1
