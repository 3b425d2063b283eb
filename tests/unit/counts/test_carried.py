"""What an AnnData carries along, though unused, never stops a run."""

import datetime

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from anndata.io import write_elem
from hypothesis import given
from hypothesis import strategies as st

from cisgrammar.common.errors import InputError
from cisgrammar.common.files import read_h5ad, write_h5ad
from cisgrammar.counts import read_counts, read_several
from cisgrammar.counts.carried import named_columns, writable

COLUMNS = {
    "text": ["a", "NA", "01"],
    "numbers": [1, 2, 3],
    "halves": np.array([0.5, 1, 2], dtype=np.float16),
    "yes": [True, False, True],
    "two kinds": ["a", 1, 2.5],
    "missing": ["a", None, np.nan],
    "nothing": [None, None, None],
    "maybe": pd.array([1, None, 3], dtype="Int64"),
    "maybe yes": pd.array([True, None, False], dtype="boolean"),
    "string": pd.array(["a", None, "c"], dtype="string"),
    "when": pd.to_datetime(["2020-01-01"] * 3),
    "day": [datetime.date(2020, 1, 1)] * 3,
    "bytes": [b"a", b"b", b"c"],
    "complex": [1j, 2j, 3j],
    "number types": pd.Categorical([1, 2, 1]),
    "mixed types": pd.Categorical([1, "a", 2.5]),
    "spans": pd.cut(pd.Series([1, 2, 3]), 2).array,
    "a/b": ["x", "y", "z"],
}
NESTED = {
    "lists": [[1], [2, 3], []],
    "dicts": [{"a": 1}, {}, {"b": [2]}],
    "arrays": [np.zeros(2), np.ones(2), np.zeros(0)],
    "_index": ["a", "b", "c"],
}


def written(tmp_path, table):
    data = ad.AnnData(sp.csr_matrix(np.eye(len(table), dtype=np.float32)), obs=table)
    write_h5ad(data, tmp_path / "a.h5ad")
    return read_h5ad(tmp_path / "a.h5ad").obs


@pytest.mark.parametrize("name", COLUMNS)
def test_a_column_of_any_kind_is_carried(tmp_path, name):
    table = pd.DataFrame({name: COLUMNS[name]}, index=list("xyz"))
    again = written(tmp_path, writable("a", table))
    assert again.columns.tolist() == [name.replace("/", "_")]
    assert again.iloc[:, 0].isna().tolist() == table[name].isna().tolist()


@pytest.mark.parametrize("name", NESTED)
def test_what_cannot_be_held_is_left_out_with_a_word(tmp_path, caplog, name):
    table = pd.DataFrame({name: pd.Series(NESTED[name], index=list("xyz")), "n": 1})
    assert written(tmp_path, writable("a.h5ad", table)).columns.tolist() == ["n"]
    assert f"`{name}` cannot be kept" in caplog.text


def test_labels_stay_the_text_they_are(tmp_path):
    labels = ["NA", "nan", "None", "01", "1.10", "1e5", "True"]
    table = pd.DataFrame({"kind": labels}, index=[f"c{label}" for label in labels])
    assert written(tmp_path, writable("a", table))["kind"].tolist() == labels


def test_names_of_columns_and_of_the_index(tmp_path):
    table = pd.DataFrame([[1, 2, 3]] * 3, columns=["kind", "kind", 7])
    table.index = pd.Index(["x", "y", "z"], name="kind")
    again = written(tmp_path, writable("a", table))
    assert again["kind"].tolist() == [1, 1, 1]
    assert again.columns.tolist() == ["kind", "7"]
    assert named_columns("a", table).columns.tolist() == ["kind", "7"]


VALUES = st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.floats(), st.text(max_size=3))


@given(st.lists(VALUES, min_size=1, max_size=5))
def test_any_values_can_be_written(tmp_path_factory, values):
    table = pd.DataFrame({"a": pd.Series(values, dtype=object)}).rename(str)
    written(tmp_path_factory.mktemp("h5ad"), writable("a", table))


def adata(**obs):
    names = [f"c{i}" for i in range(3)]
    counts = sp.csr_matrix(np.arange(9, dtype=np.float32).reshape(3, 3) + 1)
    return ad.AnnData(counts, pd.DataFrame(obs, names), pd.DataFrame(index=["g0", "g1", "g2"]))


def test_a_column_of_two_kinds_across_files(tmp_path):
    adata(plate=["1", "a", "b"]).write_h5ad(tmp_path / "a.h5ad")
    adata(plate=[1, 2, 3]).write_h5ad(tmp_path / "b.h5ad")
    joined = read_several({"1": tmp_path / "a.h5ad", "2": tmp_path / "b.h5ad"})
    assert written(tmp_path, joined.obs)["plate"].tolist() == ["1", "a", "b", "1", "2", "3"]


def test_genes_in_a_column_that_is_called_like_an_index(tmp_path):
    """As SeuratDisk writes raw/var."""
    path = tmp_path / "cells.h5ad"
    data = adata()
    data.raw = data.copy()
    data.write_h5ad(path)
    with h5py.File(path, "a") as file:
        del file["raw/var"]
        var = file.create_group("raw/var")
        kind = {"encoding-type": "dataframe", "encoding-version": "0.2.0", "_index": "index"}
        var.attrs.update(kind)
        order = np.array(["_index"], dtype=object)
        var.attrs.create("column-order", order, dtype=h5py.string_dtype())
        write_elem(var, "index", np.array(["0", "1", "2"], dtype=object))
        write_elem(var, "_index", np.array(["g0", "g1", "g2"], dtype=object))
    counts = read_counts(path, matrix="raw", gene_column="_index")
    write_h5ad(counts, tmp_path / "again.h5ad")
    assert read_h5ad(tmp_path / "again.h5ad").var_names.tolist() == ["g0", "g1", "g2"]


def test_a_column_that_cannot_be_read_is_left_out(tmp_path, caplog):
    path = tmp_path / "cells.h5ad"
    adata(kind=["a", "b", "c"], odd=[1, 2, 3]).write_h5ad(path)
    with h5py.File(path, "a") as file:
        file["obs/odd"].attrs["encoding-type"] = "of the future"
    assert read_counts(path, cell_type="kind").obs["cell_type"].tolist() == ["a", "b", "c"]
    assert "`odd` cannot be read" in caplog.text


@pytest.mark.parametrize("key", ["ignore_in_barcodes", "columns_in_barcodes"])
def test_a_regular_expression_that_never_ends_is_stopped(tmp_path, monkeypatch, key):
    monkeypatch.setattr("cisgrammar.counts.cell_table.LONGEST_MATCHING", 0.3)
    data = adata()
    data.obs_names = ["a" * 60 + "!", "b", "c"]
    data.write_h5ad(tmp_path / "a.h5ad")
    (tmp_path / "cells.tsv").write_text("cell\tkind\nb\tx\nc\ty\n")
    value = "(a+)+$" if key == "ignore_in_barcodes" else {"x": "((?:a+)+)$"}
    settings = {key: value, "cell_table": tmp_path / "cells.tsv"}
    with pytest.raises(InputError, match=rf"counts\.{key}.*does not end"):
        read_counts(tmp_path / "a.h5ad", **settings)


@pytest.mark.parametrize("names", [["a\0b", "c"], ["a\0b", "a\0b"]])
def test_names_with_a_null_byte_keep_their_row(names):
    """They were looked for under the mended name: values went missing, or pandas raised."""
    found = writable("x", pd.DataFrame({"n": [1, 2]}, index=names))
    assert found.index.tolist() == [name.replace("\0", " ") for name in names]
    assert found["n"].tolist() == [1, 2]
