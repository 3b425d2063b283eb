"""Damaged and hostile files of counts: words, in bounded time, and nothing else is read."""

import time

import anndata as ad
import h5py
import numpy as np
import pytest
from made_counts import CELLS, annotated, write_10x_mtx, write_h5ad
from made_inputs import write

from cisgrammar.common.errors import InputError
from cisgrammar.counts import load, read_counts


@pytest.mark.parametrize("kind", ["link", "storage", "virtual"])
def test_a_file_that_leads_to_another_is_refused(tmp_path, kind):
    path = write_h5ad(tmp_path / "cells.h5ad", annotated())
    other = tmp_path / "other.h5"
    with h5py.File(other, "w") as file:
        file["secret"] = np.arange(4)
    with h5py.File(path, "a") as file:
        if kind == "link":
            file["obs/secret"] = h5py.ExternalLink(str(other), "/secret")
        elif kind == "storage":
            where = [(str(other), 0, 16)]
            file.create_dataset("uns/secret", (4,), "i4", external=where)
        else:
            layout = h5py.VirtualLayout((4,), "i8")
            layout[:] = h5py.VirtualSource(other, "secret", (4,))
            file.create_virtual_dataset("uns/secret", layout)
    for sample in (False, True):
        with pytest.raises(InputError, match=r"leads to another \(.*other\.h5\)"):
            load(path, sample=sample)


def test_links_in_a_circle_are_no_matter(tmp_path):
    path = write_h5ad(tmp_path / "cells.h5ad", annotated())
    with h5py.File(path, "a") as file:
        file["uns/again"] = file["/"]
        file["uns/soft"] = h5py.SoftLink("/")
        file["uns/nowhere"] = h5py.SoftLink("/no/such/place")
    assert read_counts(path).obs_names.tolist() == CELLS


MTX = "%%MatrixMarket matrix coordinate integer general\n% a comment\n"


@pytest.mark.parametrize(
    "sizes, words",
    [
        ("3 4 99999999999999", "claims 99,999,999,999,999 values"),
        ("3 4 13", "more than there can be in 3 x 4 or in its bytes"),
        ("999999999999 4 1", "the matrix has 999,999,999,999 genes"),
        ("3 4 " + "9" * 400, "where its sizes should be"),
        ("-3 4 1", "where its sizes should be"),
        ("3 4", "where its sizes should be"),
        ("", "where its sizes should be"),
        ("4 3 1", "The matrix is transposed"),
    ],
)
def test_sizes_are_not_believed(tmp_path, sizes, words):
    run = write_10x_mtx(tmp_path / "run")
    write(run / "matrix.mtx", f"{MTX}{sizes}\n1 1 1\n")
    with pytest.raises(InputError, match=words):
        load(run)


@pytest.mark.parametrize("name, header", [("features", "id\tname\ttype"), ("barcodes", "barcode")])
def test_a_header_line_is_recognised(tmp_path, name, header):
    run = write_10x_mtx(tmp_path / "run")
    write(run / f"{name}.tsv", f"{header}\n{(run / f'{name}.tsv').read_text()}")
    with pytest.raises(InputError, match=f"probably a header line in {name}: remove it"):
        load(run)


def test_the_first_look_does_not_hang(tmp_path, monkeypatch):
    path = write_h5ad(tmp_path / "cells.h5ad", annotated())
    monkeypatch.setattr("cisgrammar.counts.formats.TIME_LIMIT", 0.3)
    monkeypatch.setattr("cisgrammar.counts.hdf5.read", lambda *_, **__: time.sleep(60))
    with pytest.raises(InputError, match="did not end"):
        load(path, sample=True)


def test_a_sound_file_is_read_after_the_first_look(tmp_path):
    path = write_h5ad(tmp_path / "cells.h5ad", annotated())
    assert load(path, sample=True).obs.index.tolist() == ad.read_h5ad(path).obs_names.tolist()


@pytest.mark.parametrize(
    "text",
    [
        MTX + "3 4 2\n1 1 1\n1 1 99999999999999999999\n2",
        MTX + "3 4 2\n1 1 1\n",
        MTX + "3 4 1\n1 1 1\n2 2 2\n",
        MTX + "3 4 1\n1 1 1 1\n",
        MTX + "3 4 1\n1 1\n",
        MTX + "3 4 1\n4 1 1\n",
        MTX + "3 4 1\n0 1 1\n",
        MTX + "3 4 1\n1 -1 1\n",
        MTX + "3 4 1\n1 1 x\n",
        MTX + "3 4 1\n1 \0 1\n",
        MTX + "3 4 1\n1 99999999999999999999 1\n",
        MTX.replace("coordinate", "array") + "3 4\n1\n",
        MTX.replace("general", "symmetric") + "3 4 1\n1 1 1\n",
        "%%MatrixMarket\n3 4 1\n1 1 1\n",
        "1 1 1\n",
    ],
)
def test_a_damaged_matrix_is_refused_and_does_not_end_the_process(tmp_path, text):
    run = write_10x_mtx(tmp_path / "run")
    write(run / "matrix.mtx", text)
    with pytest.raises(InputError, match=r"matrix\.mtx: (this is no|it has values outside)"):
        load(run)


@pytest.mark.parametrize("kind", ["integer", "real"])
def test_values_of_a_matrix_are_added_up_where_they_come_again(tmp_path, kind):
    run = write_10x_mtx(tmp_path / "run")
    text = MTX.replace("integer", kind) + "3 4 3\n2 1 1\n% a comment\n2 1 2\n\n3 4 5.0\n"
    write(run / "matrix.mtx", text)
    counts = load(run).matrix
    assert counts.toarray().tolist() == [[0, 3, 0], [0, 0, 0], [0, 0, 0], [0, 0, 5]]


def test_a_matrix_without_a_value(tmp_path):
    run = write_10x_mtx(tmp_path / "run")
    write(run / "matrix.mtx", MTX + "3 4 0\n")
    assert load(run).matrix.nnz == 0
