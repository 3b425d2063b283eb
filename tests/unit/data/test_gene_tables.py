"""Tables of numbers by gene."""

import numpy as np
import pandas as pd
import pytest
from made_inputs import write

from cisgrammar.common.errors import InputError
from cisgrammar.data.gene_tables import by_gene, read_numbers

KEY = "populations.table.path"
GENES = pd.DataFrame({"gene_name": ["GATA1", "SPI1", "01"]}, index=["ENSG1.4", "ENSG2.1", "g3"])


def table(folder, text, **how):
    return read_numbers(write(folder / "table.tsv", text), KEY, **how)


@pytest.mark.parametrize("separator", "\t,")
def test_numbers_are_read_and_missing_ones_stay_missing(tmp_path, separator):
    text = "gene name half_life\nA x 1.5\nB y NA\nC z \n".replace(" ", separator)
    found = table(tmp_path, text, columns=["half_life"])
    assert list(found.index) == ["A", "B", "C"]
    assert found["half_life"].tolist() == pytest.approx([1.5, np.nan, np.nan], nan_ok=True)
    assert list(table(tmp_path, text)) == ["half_life"]  # names are not numbers


def test_genes_are_joined_by_id_version_and_name(tmp_path):
    found = table(tmp_path, "gene\tx\nSPI1\t2\nENSG1.7\t1\nother\t9\n")
    joined = by_gene(found, GENES, "table.tsv", KEY, 0.5)
    assert joined["x"].tolist() == pytest.approx([1, 2, np.nan], nan_ok=True)


@pytest.mark.parametrize(
    "text, how, message",
    [
        ("gene\tx\nA\t1\nA\t2\n", {}, "1 genes come more than once"),
        ("gene\thalf_life\nA\t1\n", {"columns": ["halflife"]}, "Did you mean `half_life`?"),
        ("gene\tx\nA\tlong\n", {"columns": ["x"]}, "'long' of A in column `x`"),
        ("gene\tx\nA\tlong\n", {}, "no column holds numbers"),
        ("gene\tx\nA\t-2\n", {"least": 0.0}, "1 values are below 0"),
        ("gene\nA\n", {}, "not a table of genes"),
    ],
)
def test_a_bad_table_is_told(tmp_path, text, how, message):
    with pytest.raises(InputError, match=message):
        table(tmp_path, text, **how)


def test_a_table_of_other_ids_is_told(tmp_path):
    with pytest.raises(InputError, match="only 0 of its 2 genes"):
        by_gene(table(tmp_path, "gene\tx\nP1\t2\nP2\t1\n"), GENES, "table.tsv", KEY, 0.5)
