import os
from types import SimpleNamespace

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from cisgrammar.common import files
from cisgrammar.common.errors import InputError
from cisgrammar.common.files import (
    read_h5ad,
    read_matrix,
    read_table,
    unusable_folder,
    whole_file,
    write_h5ad,
    write_table,
)

LABELS = ["NA", "nan", "None", "", "01", "1.10", "1e5", "True", "-", "a b", '"', "cell_type"]
ANY_LABEL = st.one_of(st.sampled_from(LABELS), st.text("01.eNAan'\"\t\n é", max_size=4))


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_whole_file_appears_at_once_with_its_folders(tmp_path):
    path = tmp_path / "new" / "folder" / "table.tsv.gz"
    with whole_file(path) as temporary:
        temporary.write_text("whole")
        assert temporary.parent == path.parent
        assert temporary.name.endswith(".tsv.gz")
        assert not path.exists()
    assert path.read_text() == "whole"
    assert names(path.parent) == [path.name]


def test_an_error_leaves_nothing_behind(tmp_path):
    with pytest.raises(KeyError), whole_file(tmp_path / "table.tsv") as temporary:
        temporary.write_text("half")
        raise KeyError
    assert names(tmp_path) == []


def test_an_error_leaves_the_earlier_file(tmp_path):
    path = tmp_path / "table.tsv"
    path.write_text("earlier")
    with pytest.raises(KeyboardInterrupt), whole_file(path) as temporary:
        temporary.write_text("half")
        raise KeyboardInterrupt
    assert path.read_text() == "earlier"
    assert names(tmp_path) == ["table.tsv"]


@pytest.mark.parametrize("mask, mode", [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_whole_file_is_as_readable_as_any_new_file(tmp_path, mask, mode):
    before = os.umask(mask)
    try:
        with whole_file(tmp_path / "file"):
            pass
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == mode


def test_table_by_hand(tmp_path):
    table = pd.DataFrame(
        {
            "name": ["a b", "", "NaN"],
            "value": [1 / 3, np.nan, 123456789.0],
            "n": [1, 20000000, 3],
            "yes": [True, False, True],
        }
    )
    write_table(table, tmp_path / "table.tsv")
    assert (tmp_path / "table.tsv").read_bytes() == (
        b"name\tvalue\tn\tyes\na b\t0.333333\t1\tTrue\n\tNA\t20000000\tFalse\n"
        b"NaN\t1.23457e+08\t3\tTrue\n"
    )


def test_index_becomes_the_first_column(tmp_path):
    table = pd.DataFrame({"b": [1.5]}, index=pd.Index(["0_1"], name="motif"))
    write_table(table, tmp_path / "table.tsv", index=True)
    assert (tmp_path / "table.tsv").read_text() == "motif\tb\n0_1\t1.5\n"
    # a motif's name must not be read as the number 1
    again = read_table(tmp_path / "table.tsv", index_col="motif")
    assert again.index.tolist() == ["0_1"]


@given(
    st.lists(
        st.tuples(
            st.text("abcXYZ0 -.\"'é", max_size=5).filter(lambda text: text != "NA"),
            st.floats(allow_infinity=False, allow_nan=True, width=32),
            st.integers(-(2**53), 2**53),
        ),
        min_size=1,
    )
)
def test_reading_gives_back_what_was_written(tmp_path_factory, rows):
    table = pd.DataFrame(rows, columns=["text", "float", "integer"])
    table["text"] = "x" + table["text"]
    path = tmp_path_factory.mktemp("table") / "table.tsv"
    write_table(table, path)
    again = read_table(path)
    assert again["text"].tolist() == table["text"].tolist()
    assert again["integer"].tolist() == table["integer"].tolist()
    np.testing.assert_allclose(again["float"].astype(float), table["float"], rtol=5e-6)


def test_h5ad_is_written_whole(tmp_path):
    data = ad.AnnData(np.eye(3, dtype=np.float32))
    write_h5ad(data, tmp_path / "a.h5ad")
    write_h5ad(data, tmp_path / "b.h5ad")
    assert ad.read_h5ad(tmp_path / "a.h5ad").X.tolist() == np.eye(3).tolist()
    assert (tmp_path / "a.h5ad").read_bytes() == (tmp_path / "b.h5ad").read_bytes()
    data.uns["unwritable"] = object()
    with pytest.raises(Exception, match="unwritable"):
        write_h5ad(data, tmp_path / "c.h5ad")
    assert names(tmp_path) == ["a.h5ad", "b.h5ad"]


@pytest.mark.parametrize("least, level", [(3, 1), (4, 4)])
def test_many_values_are_compressed_fast(tmp_path, monkeypatch, least, level):
    monkeypatch.setattr(files, "MANY_VALUES", least)
    data = ad.AnnData(sp.csr_matrix(np.eye(3, dtype=np.float32)))
    write_h5ad(data, tmp_path / "a.h5ad")
    with h5py.File(tmp_path / "a.h5ad") as file:
        assert file["X/data"].compression == "gzip"
        assert file["X/data"].compression_opts == level
    assert (ad.read_h5ad(tmp_path / "a.h5ad").X != data.X).nnz == 0


def test_what_a_killed_job_left_is_removed(tmp_path):
    half = tmp_path / ".a.partial-x7_k2.tsv"
    others = [tmp_path / name for name in (".a.partial-x7_k2.h5ad", ".ab.partial-x7_k2.tsv")]
    for left in (half, *others):
        left.write_text("half")
    with whole_file(tmp_path / "a.tsv") as path:
        path.write_text("whole")
    assert not half.exists()
    assert all(other.exists() for other in others)


def test_two_jobs_that_make_one_file_leave_each_other_alone(tmp_path):
    path = tmp_path / "genome.fai"
    with whole_file(path, shared=True) as first:
        first.write_text("same")
        with whole_file(path, shared=True) as second:
            second.write_text("same")
        assert path.read_text() == "same"
    assert path.read_text() == "same" and list(tmp_path.iterdir()) == [path]


@given(st.lists(ANY_LABEL, min_size=1))
def test_labels_are_read_as_the_text_that_was_written(tmp_path_factory, labels):
    path = tmp_path_factory.mktemp("table") / "table.tsv"
    table = pd.DataFrame({"cell_type": labels, "cell": labels, "r": np.nan})
    write_table(table, path)
    again = read_table(path, has={"cell_type": labels})
    assert again["cell_type"].tolist() == again["cell"].tolist() == labels
    assert again["r"].isna().all()
    write_table(table.set_index("cell"), path, index=True)
    assert read_table(path, index_col="cell").index.tolist() == labels


@given(st.lists(ANY_LABEL, min_size=1, unique=True), st.lists(ANY_LABEL, min_size=1, unique=True))
def test_a_matrix_may_have_any_names(tmp_path_factory, rows, columns):
    path = tmp_path_factory.mktemp("table") / "matrix.tsv"
    values = np.arange(len(rows) * len(columns), dtype=float).reshape(len(rows), -1)
    values[0, 0] = np.nan
    table = pd.DataFrame(values, pd.Index(rows, name="motif"), columns)
    write_table(table, path, index=True)
    again = read_matrix(path, rows=rows, columns=columns)
    pd.testing.assert_frame_equal(again, table)


def test_missing_words_are_empty_and_missing_again(tmp_path):
    table = pd.DataFrame({"target": ["NA", None], "note": ["", None], "p_value": [0.5, np.nan]})
    write_table(table, tmp_path / "table.tsv")
    assert (tmp_path / "table.tsv").read_text() == "target\tnote\tp_value\nNA\t\t0.5\n\t\tNA\n"
    again = read_table(tmp_path / "table.tsv")
    assert again["target"].fillna("missing").tolist() == ["NA", "missing"]
    assert again["note"].tolist() == ["", ""]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text[: text.index("b\t")],
        lambda text: text[:-3],
        lambda text: "",
        lambda text: "\0" * len(text),
        lambda text: text.replace("b\t", "z\t"),
        lambda text: text.replace("b\t", "b\t1\t"),
        lambda text: text.replace("2.5", "much"),
        lambda text: text.replace("motif", "other"),
    ],
    ids=["rows", "end", "zero", "nul", "other", "wide", "word", "header"],
)
@pytest.mark.parametrize("read", ["table", "matrix"])
def test_a_damaged_table_is_named(tmp_path, spoil, read):
    path = tmp_path / "table.tsv"
    table = pd.DataFrame({"r": [1.5, 2.5, 3.5]}, pd.Index(["a", "b", "c"], name="motif"))
    write_table(table, path, index=True)
    path.write_text(spoil(path.read_text()))
    if read == "table" and "much" in path.read_text():
        return  # it does not know which columns are numbers
    if read == "matrix" and "other" in path.read_text():
        return  # whatever the name above the names
    with pytest.raises(InputError, match=r"table\.tsv: .*Delete it and run again") as raised:
        if read == "table":
            read_table(path, index_col="motif", has={"motif": ["a", "b", "c"]})
        else:
            read_matrix(path, rows=["a", "b", "c"], columns=["r"])
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("backed", [None, "r"])
def test_a_damaged_h5ad_is_named(tmp_path, share, backed):
    path = tmp_path / "a.h5ad"
    write_h5ad(ad.AnnData(np.eye(300, dtype=np.float32)), path)
    assert read_h5ad(path, backed).shape == (300, 300)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(InputError, match=r"a\.h5ad: .*Delete it and run again"):
        read_h5ad(path, backed)


def test_where_results_can_go(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to("nothing")
    assert unusable_folder(tmp_path / "a/b") is None
    for name in ("file", "file/b/c"):
        assert unusable_folder(tmp_path / name).startswith(f"{tmp_path}/file: this is a file")
    assert "a link to nothing" in unusable_folder(tmp_path / "link/a")
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=3_000_000))
    assert f"{tmp_path}: only 3 MB are free" in unusable_folder(tmp_path / "a/b")
    monkeypatch.setattr("os.access", lambda path, mode: False)
    assert f"{tmp_path}: you may not write" in unusable_folder(tmp_path / "a/b")
