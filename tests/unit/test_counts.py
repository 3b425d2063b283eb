import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.io
import scipy.sparse as sp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_inputs import SHARED, YEAST, real, write

from cisgrammar.counts import load, read_counts, read_several
from cisgrammar.counts.cell_table import add_cell_table
from cisgrammar.counts.values import describe_values
from cisgrammar.errors import InputError

DENSE = np.array([[1, 0, 3], [0, 0, 5], [2, 4, 0], [7, 0, 0]], np.float32)  # cells x genes
CELLS = ["c0", "c1", "c2", "c3"]
IDS, NAMES = ["ENSG0", "ENSG1", "ENSG2"], ["A", "B", "C"]


def annotated(x=DENSE, names=NAMES, **obs):
    return ad.AnnData(x, pd.DataFrame(obs, index=CELLS), pd.DataFrame({"id": IDS}, index=names))


def write_h5ad(path, adata):
    adata.write_h5ad(path)
    return path


def write_h5mu(path, **modalities):
    """Write as MuData does: each modality an AnnData under `mod`."""
    with h5py.File(path, "w") as file:
        for name, adata in modalities.items():
            ad.io.write_elem(file, f"mod/{name}", adata)
        ad.io.write_elem(file, "obs", pd.DataFrame(index=adata.obs_names))
    return path


def write_10x_h5(path, types=("Gene Expression",) * 3, legacy=False):
    """Write as Cell Ranger does: features x cells, column-compressed."""
    stored = sp.csc_matrix(DENSE.T.astype(np.int32))
    with h5py.File(path, "w") as file:
        group = file.create_group("GRCh38" if legacy else "matrix")
        for key in ("data", "indices", "indptr"):
            group[key] = getattr(stored, key)
        group["shape"] = stored.shape
        group["barcodes"] = np.array(CELLS, "S")
        group["genes" if legacy else "features/id"] = np.array(IDS, "S")
        group["gene_names" if legacy else "features/name"] = np.array(NAMES, "S")
        if not legacy:
            group["features/feature_type"] = np.array(types, "S")
    return path


def write_10x_mtx(folder, end="", prefix="", features="features", columns=3):
    folder.mkdir(exist_ok=True)
    scipy.io.mmwrite(folder / "m.mtx", sp.coo_matrix(DENSE.T.astype(int)))
    write(folder / f"{prefix}matrix.mtx{end}", (folder / "m.mtx").read_bytes())
    (folder / "m.mtx").unlink()
    rows = zip(IDS, NAMES, ["Gene Expression"] * 3, strict=True)
    table = "".join("\t".join(row[:columns]) + "\n" for row in rows)
    write(folder / f"{prefix}{features}.tsv{end}", table)
    write(folder / f"{prefix}barcodes.tsv{end}", "\n".join(CELLS) + "\n")
    return folder


def write_loom(path):
    """Write as loom's specification says: genes x cells, dense."""
    with h5py.File(path, "w") as file:
        file["matrix"] = np.log1p(DENSE.T)
        file["layers/counts"] = DENSE.T
        file["row_attrs/Gene"] = np.array(NAMES, "S")
        file["row_attrs/Accession"] = np.array(IDS, "S")
        file["col_attrs/CellID"] = np.array(CELLS, "S")
        file["col_attrs/label"] = np.array(list("abab"), "S")
    return path


def write_table(path, separator="\t", corner="gene", names=NAMES):
    header = [corner, *CELLS] if corner is not None else CELLS
    rows = [[name, *map(str, row)] for name, row in zip(names, DENSE.T.astype(int), strict=True)]
    text = "\n".join(separator.join(row) for row in [header, *rows]) + "\n"
    return write(path, text)


def h5ad(x):
    return lambda d: write_h5ad(d / "a.h5ad", annotated(x))


FORMATS = {
    "dense h5ad": (h5ad(DENSE), NAMES),
    "CSC h5ad": (h5ad(sp.csc_matrix(DENSE)), NAMES),
    "h5ad with zeros stored": (
        h5ad(sp.csr_matrix((DENSE.ravel(), np.tile(range(3), 4), range(0, 13, 3)))),
        NAMES,
    ),
    "integer h5ad": (h5ad(sp.csr_matrix(DENSE.astype(int))), NAMES),
    "h5ad without its suffix": (lambda d: h5ad(DENSE)(d).rename(d / "a"), NAMES),
    "h5mu": (lambda d: write_h5mu(d / "a.h5mu", rna=annotated(), atac=annotated(DENSE * 2)), NAMES),
    "10x h5": (lambda d: write_10x_h5(d / "a.h5"), IDS),
    "10x h5 of Cell Ranger 2": (lambda d: write_10x_h5(d / "a.h5", legacy=True), IDS),
    "10x mtx": (lambda d: write_10x_mtx(d / "run", ".gz"), IDS),
    "10x mtx named by its file": (lambda d: write_10x_mtx(d / "run") / "matrix.mtx", IDS),
    "10x mtx of Cell Ranger 2": (lambda d: write_10x_mtx(d / "r", "", "", "genes", 2), IDS),
    "10x mtx from GEO": (lambda d: write_10x_mtx(d / "run", ".gz", "GSM1_", "genes", 2), IDS),
    "TSV": (lambda d: write_table(d / "a.tsv"), NAMES),
    "TSV of R": (lambda d: write_table(d / "a.tsv.gz", corner=None), NAMES),
    "CSV": (lambda d: write_table(d / "a.csv", ",", '""'), NAMES),
}


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("block", [2, 4096])
def test_every_format_gives_the_same_counts(tmp_path, monkeypatch, kind, block):
    monkeypatch.setattr("cisgrammar.counts.hdf5.BLOCK_CELLS", block)
    monkeypatch.setattr("cisgrammar.counts.text.BLOCK_GENES", block)
    monkeypatch.setattr("cisgrammar.counts.loom.BLOCK_GENES", block)
    make, names = FORMATS[kind]
    counts = read_counts(make(tmp_path))
    assert isinstance(counts.X, sp.csr_matrix) and counts.X.dtype == np.float32
    assert counts.X.has_sorted_indices and counts.X.data.all()
    np.testing.assert_array_equal(counts.X.toarray(), DENSE)
    assert counts.obs_names.tolist() == CELLS
    assert counts.var_names.tolist() == names
    assert counts.obs["cell_type"].unique().tolist() == ["unlabelled"]
    assert counts.obs["batch"].unique().tolist() == ["all"]
    counts.write_h5ad(tmp_path / "back.h5ad")


@pytest.mark.parametrize("kind", FORMATS)
def test_a_sample_has_the_same_names_and_kind_of_values(tmp_path, kind):
    path = FORMATS[kind][0](tmp_path)
    raw, sample = load(path), load(path, sample=True)
    assert sample.obs.equals(raw.obs) and sample.var.equals(raw.var)
    assert set(sample.numbers) - {0} == set(raw.numbers) - {0}


def test_where_the_counts_are(tmp_path):
    adata = annotated(np.log1p(DENSE))
    adata.layers["counts"] = sp.csr_matrix(DENSE)
    adata.raw = annotated(DENSE * 10)
    path = write_h5ad(tmp_path / "a.h5ad", adata[:, :2])
    np.testing.assert_array_equal(
        read_counts(path, matrix="layers/counts").X.toarray(), DENSE[:, :2]
    )
    np.testing.assert_array_equal(read_counts(path, matrix="raw").X.toarray(), DENSE * 10)
    with pytest.raises(
        InputError, match=r"log-normalised.*`raw` and `layers/counts`.*matrix: raw`"
    ):
        read_counts(path)
    with pytest.raises(InputError, match=r"no matrix `layers/count`.*Did you mean `layers/counts`"):
        read_counts(path, matrix="layers/count")
    assert read_counts(path, accept_non_integer=True).X.max() == pytest.approx(np.log1p(7))


def test_labels_become_text_in_natural_order(tmp_path):
    adata = annotated(cluster=[10.0, 9.0, np.nan, 9.0], donor=pd.Categorical(["x", "y", "x", "x"]))
    counts = read_counts(write_h5ad(tmp_path / "a.h5ad", adata), cell_type="cluster", batch="donor")
    assert counts.obs["cell_type"].tolist() == ["10", "9", "unlabelled", "9"]
    assert counts.obs["cell_type"].cat.categories.tolist() == ["9", "10", "unlabelled"]
    assert counts.obs["batch"].tolist() == ["x", "y", "x", "x"]
    assert "cluster" in counts.obs


def test_same_names_are_added_up(tmp_path, caplog):
    counts = read_counts(write_table(tmp_path / "a.tsv", names=["A", "B", "A"]))
    assert counts.var_names.tolist() == ["A", "B"]
    np.testing.assert_array_equal(counts.X.toarray(), [[4, 0], [5, 0], [2, 4], [7, 0]])
    assert "1 genes have a name that came before (A)" in caplog.text


@pytest.mark.filterwarnings("ignore:Variable names are not unique")
def test_gene_column(tmp_path):
    path = write_h5ad(tmp_path / "a.h5ad", annotated(names=["A", "A", "C"]))
    assert read_counts(path, gene_column="id").var_names.tolist() == IDS
    with pytest.raises(InputError, match=r"no column `ids`.*Did you mean `id`"):
        read_counts(path, gene_column="ids")


def test_loom(tmp_path):
    path = write_loom(tmp_path / "a.loom")
    counts = read_counts(path, matrix="layers/counts", cell_type="label", gene_column="Gene")
    np.testing.assert_array_equal(counts.X.toarray(), DENSE)
    assert counts.obs["cell_type"].tolist() == list("abab")
    assert counts.var_names.tolist() == NAMES and counts.obs_names.tolist() == CELLS
    assert read_counts(path, matrix="layers/counts").var_names.tolist() == IDS
    assert set(load(path, matrix="layers/counts", sample=True).numbers) == set(DENSE.ravel())
    with pytest.raises(InputError, match="log-normalised"):
        read_counts(path)
    with pytest.raises(InputError, match="`raw`; there are X, layers/counts"):
        read_counts(path, matrix="raw")


def test_h5mu_labels_may_be_outside_the_modality(tmp_path):
    path = write_h5mu(tmp_path / "a.h5mu", rna=annotated(own=list("xyxy")))
    shared = pd.DataFrame({"label": list("dcba"), "own": list("zzzz")}, index=CELLS[::-1])
    with h5py.File(path, "a") as file:
        ad.io.write_elem(file, "obs", shared)
    counts = read_counts(path, cell_type="label", batch="own")
    assert counts.obs["cell_type"].tolist() == list("abcd")
    assert counts.obs["batch"].tolist() == list("xyxy")


@pytest.mark.parametrize(
    "text, ignore",
    [
        ("barcode\tlabel\nc3\tw\nc0\tx\nc1\tNA\n", None),
        ('"","label"\n"c3","w"\n"c0","x"\n"c9","x"\n', None),
        ("label,n\nc3,w,1\nc0,x,2\n", None),
        ("barcode\tlabel\nc3-1\tw\nc0-1\tx\n", r"-\d+$"),
        ("barcode\tlabel\nrun:c3\tw\nrun:c0\tx\n", "^.*:"),
    ],
)
def test_labels_from_a_table_of_cells(tmp_path, text, ignore):
    table = write(tmp_path / "cells.txt.gz", text)
    path = write_h5ad(tmp_path / "a.h5ad", annotated(label=list("kkkk")))
    counts = read_counts(path, cell_type="label", cell_table=table, ignore_in_barcodes=ignore)
    assert counts.obs["cell_type"].tolist() == ["x", "unlabelled", "unlabelled", "w"]


@pytest.mark.parametrize(
    "text, ignore, words",
    [
        ("", None, "0 bytes"),
        ("barcode\nc0\n", None, "no table of cells"),
        ("barcode,label\n", None, "no table of cells"),
        ("barcode\tlabel\nc0\tx\nc1\tx\ty\n", None, "line 3 has 3 columns, not 2"),
        ("barcode\tlabel\nc0\tx\nc1\n", None, "line 3 has 1 columns"),
        ("barcode\tlabel\nc0\tx\nc0\ty\n", None, "1 barcodes come more than once: c0"),
        ("barcode\tlabel\nz\tx\n", None, "only 0 of the 4 cells.*belongs to these counts"),
        ("barcode\tlabel\nc0-1\tx\nc1-1\tx\nc2-2\tx\n", None, r"set .*barcodes: '-\\d\+\$'"),
        ("barcode\tlabel\tlabel\nc0\tx\ty\n", None, r"more than once \(label\)"),
        ("barcode\tlabel\nc0\tx\n", "(", "no regular expression"),
    ],
)
def test_bad_tables_of_cells_are_named(tmp_path, text, ignore, words):
    table = write(tmp_path / "cells.tsv", text)
    path = write_h5ad(tmp_path / "a.h5ad", annotated())
    with pytest.raises(InputError, match=words) as error:
        read_counts(path, cell_table=table, ignore_in_barcodes=ignore)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "join, genes, first",
    [("inner", ["B", "C"], [0, 3]), ("outer", ["A", "B", "C", "D"], [1, 0, 3, 0])],
)
def test_several_files(tmp_path, join, genes, first):
    one = write_h5ad(tmp_path / "one.h5ad", annotated(label=list("abab")))
    two = write_h5ad(tmp_path / "two.h5ad", annotated(names=["C", "B", "D"], label=list("bbbc")))
    counts = read_several({"x": one, "y": two}, join=join, cell_type="label")
    assert sorted(counts.var_names) == genes
    assert counts[0, genes].X.toarray().tolist() == [first]
    assert counts["c0-y", ["B", "C"]].X.toarray().tolist() == [[0, 1]]
    assert counts.obs["batch"].tolist() == ["x"] * 4 + ["y"] * 4
    assert counts.obs["cell_type"].cat.categories.tolist() == ["a", "b", "c"]
    assert isinstance(counts.X, sp.csr_matrix) and counts.X.dtype == np.float32


def test_several_files_report_all_their_problems(tmp_path):
    one = write_h5ad(tmp_path / "one.h5ad", annotated(-DENSE))
    with pytest.raises(InputError, match=r"(?s)2 problems.*negative.*no such file"):
        read_several({"x": one, "y": tmp_path / "two.h5ad"})


def test_several_files_without_common_genes(tmp_path):
    one = write_h5ad(tmp_path / "one.h5ad", annotated())
    two = write_h5ad(tmp_path / "two.h5ad", annotated(names=IDS))
    with pytest.raises(InputError, match="only 0 are in all 2 files"):
        read_several({"x": one, "y": two})


@pytest.mark.parametrize("modality, names", [(None, IDS[:2]), ("rna", IDS[:2]), ("atac", IDS[2:])])
def test_modalities_of_a_10x_multiome(tmp_path, modality, names):
    path = write_10x_h5(tmp_path / "a.h5", ["Gene Expression", "Gene Expression", "Peaks"])
    assert read_counts(path, modality=modality).var_names.tolist() == names


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
        lambda d: write(d / "a.h5ad.gz", h5ad(DENSE)(d).read_bytes()), {}, ["inside gzip", "gunzip"],
    ),
    "no HDF5": (lambda d: write(d / "a.h5ad", "<html>404</html>"), {}, ["no HDF5 file", "<html>"]),
    "other HDF5": (lambda d: other_hdf5(d / "a.h5"), {}, ["neither h5ad", "weights"]),
    "truncated h5ad": (
        lambda d: cut(write_h5ad(d / "a.h5ad", annotated()), 4000), {}, ["cut short", "again"],
    ),
    "part missing": (damaged_h5ad, {}, ["a part of it is missing", "indptr"]),
    "FASTA": (lambda d: write(d / "a.fa.gz", ">chr1\nACGT\n"), {}, ["no count matrix", "'>chr1'"]),
    "binary": (lambda d: write(d / "a", b"\x00\x01\t\x02\n"), {}, ["no count matrix"]),
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


REAL = {
    "yeast": (
        YEAST / "gasch2017.h5ad",
        {"cell_type": "condition", "batch": "batch", "accept_non_integer": True},
        (163, 6789), ["Stressed", "Unstressed"],
    ),
    "pbmc68k": (
        SHARED / "pbmc68k/pbmc68k_counts.h5ad", {"cell_type": "louvain"},
        (700, 765), [str(i) for i in range(11)],
    ),
    "atac": (
        SHARED / "atac_small/atac_small_peaks.h5ad", {"cell_type": "seurat_clusters"},
        (100, 323), ["0.0", "1.0"],
    ),
    "multiome, genes": (
        SHARED / "pbmc_multiome_tiny/test_rna_atac.h5mu", {}, (1000, 45), ["unlabelled"],
    ),
    "multiome, peaks": (
        SHARED / "pbmc_multiome_tiny/test_rna_atac.h5mu", {"modality": "atac"},
        (1000, 174), ["unlabelled"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REAL)
def test_real_counts(name):
    path, arguments, shape, labels = REAL[name]
    counts = read_counts(real(path), **arguments)
    assert counts.shape == shape
    assert counts.obs["cell_type"].cat.categories.tolist() == labels


@pytest.mark.parametrize(
    "path", [YEAST / "gasch2017.h5ad", SHARED / "scover_small/small_dataset.h5ad"]
)
def test_real_values_that_are_no_counts_are_refused(path):
    with pytest.raises(InputError, match="accept_non_integer"):
        read_counts(real(path))
