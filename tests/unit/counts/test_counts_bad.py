import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_counts import (
    CELLS,
    DENSE,
    annotated,
    h5ad,
    write_10x_h5,
    write_10x_mtx,
    write_h5ad,
    write_h5mu,
)
from made_inputs import write

from cisgrammar.common.errors import InputError
from cisgrammar.counts import read_counts
from cisgrammar.counts.cell_table import add_cell_table
from cisgrammar.counts.values import describe_values


def damaged_h5ad(folder):
    path = write_h5ad(folder / "a.h5ad", annotated(sp.csr_matrix(DENSE)))
    with h5py.File(path, "a") as file:
        del file["X/indptr"]
    return path


def without_barcodes(folder):
    run = write_10x_mtx(folder / "run")
    (run / "barcodes.tsv").unlink()
    return run


def mixed_runs(folder):
    run = write_10x_mtx(folder / "run")
    write(run / "barcodes.tsv", "c0\n")
    return run


def cut(path, n_bytes):
    path.write_bytes(path.read_bytes()[:n_bytes])
    return path


def other_hdf5(path):
    with h5py.File(path, "w") as file:
        file["weights"] = [1]
    return path


def bad_values(value):
    return lambda d: write_h5ad(d / "a.h5ad", annotated(DENSE + np.float32(value)))


BAD = {
    "missing file": (lambda d: d / "a.h5ad", {}, ["no such file", "`counts.path`"]),
    "missing folder": (lambda d: d / "run" / "a.h5ad", {}, ["The folder", "not there either"]),
    "empty file": (lambda d: write(d / "a.h5ad", ""), {}, ["0 bytes"]),
    "file of R": (lambda d: write(d / "a.rds", "x"), {}, ["a file of R", "h5ad"]),
    "HDF5 in gzip": (
        lambda d: write(d / "a.h5ad.gz", h5ad(DENSE)(d).read_bytes()), {},
        ["inside gzip", "gunzip"],
    ),
    "no HDF5": (lambda d: write(d / "a.h5ad", "<html>404</html>"), {}, ["not an HDF5", "<html>"]),
    "other HDF5": (lambda d: other_hdf5(d / "a.h5"), {}, ["neither h5ad", "weights"]),
    "truncated h5ad": (
        lambda d: cut(write_h5ad(d / "a.h5ad", annotated()), 4000), {}, ["cut short", "again"],
    ),
    "part missing": (damaged_h5ad, {}, ["a part of it is missing", "indptr"]),
    "FASTA": (lambda d: write(d / "a.fa.gz", ">chr1\nACGT\n"), {}, ["not a count", "'>chr1'"]),
    "binary": (lambda d: write(d / "a", b"\x00\x01\t\x02\n"), {}, ["not a count matrix"]),
    "negative": (bad_values(-1), {}, ["negative values (the least is -1)", "centred and scaled"]),
    "not a number": (bad_values(np.nan), {}, ["NaN"]),
    "infinite": (bad_values(np.inf), {}, ["infinite"]),
    "logarithms": (bad_values(0.5), {}, ["log-normalised", "0.5", "`counts.accept_non_integer"]),
    "normalised": (bad_values(100.5), {}, ["CPM", "100.5"]),
    "negative, accepted": (bad_values(-0.5), {"accept_non_integer": True}, ["negative"]),
    "text in the table": (
        lambda d: write(d / "a.tsv", "g\tc0\tc1\nA\t1\t2\nB\tx\t2\n"), {}, ["line 3", "'x'"],
    ),
    "uneven table": (lambda d: write(d / "a.csv", "g,c0,c1\nA,1,2\nB,1\n"), {}, ["line 3"]),
    "header too short": (lambda d: write(d / "a.csv", "g,c0\nA,1,2,3\n"), {}, ["names 2 columns"]),
    "only a header": (lambda d: write(d / "a.csv", "g,c0,c1\n"), {}, ["not one gene"]),
    "no cell type column": (
        lambda d: write_h5ad(d / "a.h5ad", annotated(celltype=list("abab"))),
        {"cell_type": "cell_type"},
        ["no column `cell_type`", "Did you mean `celltype`", "`counts.cell_type`"],
    ),
    "no batch column": (
        lambda d: write_h5ad(d / "a.h5ad", annotated()), {"batch": "b"},
        ["no column `b`", "obs is empty", "`counts.batch`"],
    ),
    "no such matrix": (lambda d: write_10x_h5(d / "a.h5"), {"matrix": "raw"}, ["one matrix only"]),
    "no such modality": (
        lambda d: write_h5mu(d / "a.h5mu", rna=annotated()), {"modality": "atac"}, ["among rna"],
    ),
    "no such features": (
        lambda d: write_10x_h5(d / "a.h5"), {"modality": "atac"}, ["Gene Expression", "Peaks"],
    ),
    "mtx without barcodes": (without_barcodes, {}, ["no barcodes.tsv", "features.tsv"]),
    "mtx of two runs": (mixed_runs, {}, ["3 genes x 4 cells", "1 barcodes"]),
    "no mtx folder": (lambda d: d, {}, ["no matrix.mtx"]),
    "nothing but zeros": (h5ad(DENSE * 0), {}, ["no value but 0"]),
    "no cells": (lambda d: write_h5ad(d / "a.h5ad", annotated()[:0]), {}, ["0 cells"]),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD)
def test_bad_counts_are_named(tmp_path, kind):
    make, arguments, words = BAD[kind]
    path = make(tmp_path)
    with pytest.raises(InputError) as error:
        read_counts(path, **arguments)
    message = str(error.value)
    assert str(path) in message and "\n" not in message
    for word in words:
        assert word in message


def test_damaged_mtx_is_named(tmp_path):
    run = write_10x_mtx(tmp_path / "run")
    cut(run / "matrix.mtx", 60)
    with pytest.raises(InputError, match="Matrix Market") as error:
        read_counts(run)
    assert "matrix.mtx" in str(error.value)


@pytest.mark.parametrize(
    "values, kind",
    [
        ([1, 2, 3], "counts"), ([1.0, 2.0, 3.0], "counts"), ([True], "counts"), ([], "counts"),
        ([1, 2, 3, 0.5], "logarithms"), ([1, 2, 3, 25.5], "not integers"),
        ([0.5, 100, 1, 1], "not integers"), ([1, 1, 1, -1], "negative"),
        ([1, 1, 1, np.nan], "not finite"), (["1"], "not numbers"), ([1j], "not numbers"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("block", [2, 100])
def test_kinds_of_values(monkeypatch, values, kind, block):
    monkeypatch.setattr("cisgrammar.counts.values.BLOCK", block)
    assert describe_values(np.array(values)) == kind


QUIET = {"deadline": None, "suppress_health_check": [HealthCheck.function_scoped_fixture]}


@settings(max_examples=60, derandomize=True, **QUIET)
@given(st.integers(0, 20_000), st.binary(min_size=1, max_size=8))
def test_no_damage_to_an_h5ad_ends_in_a_traceback(tmp_path, position, noise):
    path = write_h5ad(tmp_path / "a.h5ad", annotated(sp.csr_matrix(DENSE), label=list("abab")))
    data = bytearray(path.read_bytes())
    data[position : position + len(noise)] = noise
    path.write_bytes(data)
    try:
        counts = read_counts(path, cell_type="label")
    except InputError:
        return
    assert counts.shape == (4, 3) or counts.n_vars < 3  # names may have become equal


@settings(max_examples=60, **QUIET)
@given(st.text('gc,1.0x\t\n"-é', max_size=30))
def test_no_table_ends_in_a_traceback(tmp_path, text):
    path = tmp_path / "fuzz.tsv"
    path.write_bytes(text.encode())
    try:
        counts = read_counts(path)
    except InputError:
        return
    assert counts.n_obs and counts.n_vars


@settings(max_examples=60, **QUIET)
@given(st.text('bc0,1\t\n"-\0', max_size=40))
def test_no_table_of_cells_ends_in_a_traceback(tmp_path, text):
    path = tmp_path / "cells.csv"
    path.write_bytes(b"b,label\nc0,x\nc1,x\n" + text.encode())
    obs = pd.DataFrame({"label": list("kkkk")}, index=CELLS)
    try:
        found = add_cell_table("counts", obs, path)
    except InputError:
        return
    assert found.index.tolist() == CELLS and found["label"].iloc[0] == "x"


@pytest.mark.parametrize(
    "text, ignore, words",
    [
        ("", None, "0 bytes"),
        ("barcode\nc0\n", None, "not a table of cells"),
        ("barcode,label\n", None, "not a table of cells"),
        ("barcode\tlabel\nc0\tx\nc1\tx\ty\n", None, "line 3 has 3 columns, not 2"),
        ("barcode\tlabel\nc0\tx\nc1\n", None, "line 3 has 1 columns"),
        ("barcode\tlabel\nc0\tx\nc0\ty\n", None, "1 barcodes come more than once: c0"),
        ("barcode\tlabel\nz\tx\n", None, "only 0 of the 4 cells.*belongs to these counts"),
        ("barcode\tlabel\nc0-1\tx\nc1-1\tx\nc2-2\tx\n", None, r"set .*barcodes: '-\\d\+\$'"),
        ("barcode\tlabel\tlabel\nc0\tx\ty\n", None, r"more than once \(label\)"),
        ("barcode\tlabel\nc0\tx\n", "(", "not a regular expression"),
    ],
)
def test_bad_tables_of_cells_are_named(tmp_path, text, ignore, words):
    table = write(tmp_path / "cells.tsv", text)
    path = write_h5ad(tmp_path / "a.h5ad", annotated())
    with pytest.raises(InputError, match=words) as error:
        read_counts(path, cell_table=table, ignore_in_barcodes=ignore)
    assert "\n" not in str(error.value)
