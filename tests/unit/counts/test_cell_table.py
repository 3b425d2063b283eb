"""Tables of what is known of cells."""

import logging

import pandas as pd
import pytest
from made_inputs import write

from cisgrammar.common.inputs import time_limit
from cisgrammar.counts.cell_table import add_cell_table

CELLS = pd.DataFrame(index=["c0", "c1", "c2"])
NA = '"cell","kind","age"\n"c0","T",1\n"c1",{},NA\n"c2","B",3\n'


@pytest.mark.parametrize(
    "text, kinds",
    [
        ("cell,kind\nc0,T\nc1,NA\nc2,nan\n", ["T", "NA", "nan"]),  # text is as it stands
        ("cell,kind\nc0,T\nc1,\nc2,None\n", ["T", None, "None"]),
        ('cell,kind\nc0,T\nc1,"NA"\nc2,"a,""NA"",b"\n', ["T", "NA", 'a,"NA",b']),
        (NA.format("NA"), ["T", None, "B"]),  # R quotes labels and nothing else
        (NA.format('"NA"'), ["T", "NA", "B"]),
        (NA.format('"NA"').replace(",", "\t"), ["T", "NA", "B"]),
        ("cell,kind\nc0,1\nc1,NA\nc2,-2e3\n", ["1", None, "-2e3"]),  # a missing number
        ("cell,kind\nc0,NA\nc1,NA\nc2,NA\n", [None, None, None]),
    ],
)
def test_na_is_a_label_where_labels_are_and_missing_where_values_are(tmp_path, text, kinds):
    obs = add_cell_table("x.h5ad", CELLS, write(tmp_path / "cells.csv", text))
    assert obs["kind"].tolist() == kinds
    assert "age" not in obs or obs["age"].tolist() == ["1", None, "3"]


@pytest.mark.parametrize("label, notes", [("NA", 1), ("nothing", 0)])
def test_a_note_says_that_na_is_taken_for_a_label(tmp_path, caplog, label, notes):
    table = write(tmp_path / "cells.csv", f"cell,kind\nc0,T\nc1,{label}\nc2,B\n")
    with caplog.at_level(logging.WARNING):
        add_cell_table("x.h5ad", CELLS, table)
    assert len(caplog.messages) == notes
    assert all("1 cells have NA" in said and "`kind`" in said for said in caplog.messages)


def test_a_table_of_many_columns_is_read_at_once(tmp_path):
    names = [f"k{i}" for i in range(20_000)]
    rows = [",".join([cell, *["1"] * len(names)]) for cell in CELLS.index]
    table = write(tmp_path / "cells.csv", "\n".join([",".join(["cell", *names]), *rows]))
    with time_limit(30, "too slow"):
        assert add_cell_table("x.h5ad", CELLS, table).columns.tolist() == names
