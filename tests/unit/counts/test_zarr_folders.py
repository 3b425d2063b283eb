"""AnnData in zarr folders, of both of zarr's formats."""

import json
import shutil

import numpy as np
import pytest
import scipy.sparse as sp
import zarr
from made_counts import DENSE, annotated, write_10x_mtx, write_zarr

from cisgrammar.common.errors import InputError
from cisgrammar.counts import load, read_counts

KINDS = ("T", "NA", "01", "γδ")


def sparse(**obs):
    return annotated(sp.csr_matrix(DENSE), **obs)


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("make", [annotated, sparse])
def test_counts_and_labels_are_read(tmp_path, version, make):
    path = write_zarr(tmp_path / "cells.zarr", make(kind=list(KINDS)), version)
    counts = read_counts(path, cell_type="kind", gene_column="id")
    assert counts.X.toarray().tolist() == DENSE.tolist()
    assert counts.var_names.tolist() == ["ENSG0", "ENSG1", "ENSG2"]
    assert counts.obs["cell_type"].tolist() == list(KINDS)
    looked_at = load(path, sample=True)
    assert looked_at.matrix is None and looked_at.numbers.max() == 7


@pytest.mark.parametrize("version", [2, 3])
def test_raw_and_layers_are_read(tmp_path, version):
    adata = sparse()
    adata.raw = adata.copy()
    adata.layers["twice"] = adata.X * 2
    adata.X = np.log1p(adata.X)
    path = write_zarr(tmp_path / "cells.zarr", adata, version)
    assert read_counts(path, matrix="raw").X.toarray().tolist() == DENSE.tolist()
    assert read_counts(path, matrix="layers/twice").X.toarray().tolist() == (2 * DENSE).tolist()
    with pytest.raises(InputError, match="`raw` and `layers/twice`"):
        read_counts(path)


def other_group(path):
    zarr.open_group(path, mode="w").create_group("images")


def spatial(path):
    zarr.open_group(path, mode="w").create_group("tables")


def without_a_chunk(path):
    shutil.rmtree(path / "X" / "indices" / "c")


def pickled(path):
    described = json.loads((path / "X/data/zarr.json").read_text())
    described["codecs"].append({"name": "numcodecs.pickle", "configuration": {}})
    (path / "X/data/zarr.json").write_text(json.dumps(described))


def leading_elsewhere(path):
    (path / "secret").symlink_to("/etc/hostname")


def cut(path):
    (path / "obs" / "zarr.json").write_text('{"zarr_for')


def emptied(path):
    shutil.rmtree(path / "X")


@pytest.mark.parametrize(
    "spoil, words",
    [
        (other_group, "holds no AnnData .* but images"),
        (spatial, r"It is SpatialData: name the table in it, as in \S+/tables/table"),
        (without_a_chunk, "X/indices has 0 of its 1 chunks.*copied in part"),
        (pickled, "X/data is packed with pickle"),
        (leading_elsewhere, "secret is not in this folder but leads to another"),
        (cut, "obs/zarr.json is not JSON"),
        (emptied, "there is no matrix `X`"),
    ],
)
@pytest.mark.parametrize("sample", [False, True])
def test_bad_folders_are_named(tmp_path, spoil, words, sample):
    path = tmp_path / "cells.zarr"
    if spoil not in (other_group, spatial):
        write_zarr(path, sparse())
    spoil(path)
    with pytest.raises(InputError, match=words):
        load(path, sample=sample)


def test_pickles_are_refused_in_the_older_format_too(tmp_path):
    path = write_zarr(tmp_path / "cells.zarr", sparse(), 2)
    described = json.loads((path / "var/_index/.zarray").read_text())
    described["filters"] = [{"id": "pickle"}]
    (path / "var/_index/.zarray").write_text(json.dumps(described))
    with pytest.raises(InputError, match="var/_index is packed with pickle"):
        read_counts(path)


def test_any_damage_to_a_file_ends_in_words(tmp_path):
    """Each file of a small folder is cut in the middle, emptied or taken away."""
    whole = write_zarr(tmp_path / "whole.zarr", sparse(kind=list("abab")))
    files = [file.relative_to(whole) for file in sorted(whole.rglob("*")) if file.is_file()]
    for i, name in enumerate(files):
        copy = shutil.copytree(whole, tmp_path / f"{i}.zarr")
        sound = (copy / name).read_bytes()
        for content in (sound[: len(sound) // 2], b"", None):
            (copy / name).unlink() if content is None else (copy / name).write_bytes(content)
            try:
                counts = read_counts(copy, cell_type="kind")
            except InputError:
                continue
            assert counts.X.toarray().tolist() == DENSE.tolist(), name


def test_no_fork_reads_zarr(tmp_path, monkeypatch):
    """Its threads are not in a fork, which then hangs now and again; found by fuzzing."""
    monkeypatch.setattr("os.fork", lambda: pytest.fail("forked"))
    assert load(write_zarr(tmp_path / "cells.zarr", sparse()), sample=True).numbers.max() == 7


def test_a_folder_of_cell_ranger_is_none(tmp_path):
    assert load(write_10x_mtx(tmp_path / "run")).format == "10x mtx"
