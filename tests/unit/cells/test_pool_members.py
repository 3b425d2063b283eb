import pandas as pd
import pytest

from cisgrammar.cells.pool_members import read_members
from cisgrammar.common.errors import InputError
from cisgrammar.common.files import write_table

POOLS = pd.DataFrame({"n_cells": 2}, index=["pool0", "pool1"])
MEMBERS = pd.DataFrame(
    {"pool": ["pool0", "pool0", "pool1", "pool1"], "rank": [0, 1, 0, 1], "cell": list("abac")}
)


def test_members_of_these_pools_and_cells(tmp_path):
    write_table(MEMBERS, tmp_path / "members.tsv")
    assert read_members(tmp_path / "members.tsv", POOLS, ["a", "b", "c", "d"]).equals(MEMBERS)


@pytest.mark.parametrize("rows", [[0, 1], [0, 1, 2], [0, 1, 2, 3, 3]])
def test_members_of_part_of_the_pools_are_refused(tmp_path, rows):
    write_table(MEMBERS.iloc[rows], tmp_path / "members.tsv")
    with pytest.raises(InputError, match="Delete it and run again"):
        read_members(tmp_path / "members.tsv", POOLS)


def test_members_of_other_cells_are_refused(tmp_path):
    write_table(MEMBERS, tmp_path / "members.tsv")
    with pytest.raises(InputError, match="not among those"):
        read_members(tmp_path / "members.tsv", POOLS, ["a", "b"])
