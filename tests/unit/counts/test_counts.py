import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from made_counts import (
    CELLS,
    DENSE,
    IDS,
    NAMES,
    annotated,
    h5ad,
    write_10x_h5,
    write_10x_mtx,
    write_h5ad,
    write_h5mu,
    write_loom,
    write_table,
)
from made_inputs import SHARED, YEAST, real, write

from cisgrammar.common.errors import InputError
from cisgrammar.counts import load, read_counts, read_files, read_several

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


def test_two_types_of_index_in_one_matrix(tmp_path):
    """As files have that are written in blocks."""
    path = write_h5ad(tmp_path / "a.h5ad", annotated(sp.csr_matrix(DENSE)))
    with h5py.File(path, "a") as file:
        indptr = file["X/indptr"][:].astype(np.int64)
        del file["X/indptr"]
        file["X/indptr"] = indptr
    np.testing.assert_array_equal(read_counts(path).X.toarray(), DENSE)


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


@pytest.mark.parametrize("block", [2, 512])
def test_loom(tmp_path, monkeypatch, block):
    monkeypatch.setattr("cisgrammar.counts.loom.BLOCK_GENES", block)
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
        ("barcode\tlabel\nc3\tw\nc0\tx\nc1\t\n", None),
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


def test_barcodes_in_another_column(tmp_path):
    table = write(tmp_path / "cells.csv", "label,cell\nw,c3\nx,c0\ny,c1\n")
    path = write_h5ad(tmp_path / "a.h5ad", annotated())
    counts = read_counts(path, cell_type="label", cell_table=table, cell_column="cell")
    assert counts.obs["cell_type"].tolist() == ["x", "y", "unlabelled", "w"]
    with pytest.raises(InputError, match=r"no column `cel`.*Did you mean `cell`.*cell_column"):
        read_counts(path, cell_table=table, cell_column="cel")


def test_one_or_several_files(tmp_path):
    path = write_h5ad(tmp_path / "a.h5ad", annotated())
    assert read_files(path).obs["batch"].tolist() == ["all"] * 4
    both = read_files([path, path], batches=["x", "y"], join="outer")
    assert both.obs["batch"].tolist() == ["x"] * 4 + ["y"] * 4


@pytest.mark.parametrize("modality, names", [(None, ["A"]), ("rna", ["A"]), ("atac", ["B", "C"])])
def test_modalities_of_an_h5ad(tmp_path, modality, names):
    adata = annotated()
    adata.var["feature_types"] = pd.Categorical(["Gene Expression", "Peaks", "Peaks"])
    counts = read_counts(write_h5ad(tmp_path / "a.h5ad", adata), modality=modality)
    assert counts.var_names.tolist() == names
    np.testing.assert_array_equal(
        counts.X.toarray(), DENSE[:, :1] if names == ["A"] else DENSE[:, 1:]
    )


def test_columns_out_of_the_names_of_cells(tmp_path):
    adata = annotated()
    adata.obs_names = ["x_Stressed_1", "x_Unstressed_1", "y_Stressed_2", "other"]
    path = write_h5ad(tmp_path / "a.h5ad", adata)
    rules = {"condition": "_(Stressed|Unstressed)_"}
    counts = read_counts(path, columns_in_barcodes=rules, cell_type="condition")
    assert counts.obs["cell_type"].tolist() == [
        "Stressed", "Unstressed", "Stressed", "unlabelled",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "pattern, words",
    [("(a", "not a regular expression"), ("_a_", "has 0 groups"), ("(z)", "matches none.*c0, c1")],
)
def test_bad_rules_for_columns(tmp_path, pattern, words):
    path = write_h5ad(tmp_path / "a.h5ad", annotated())
    with pytest.raises(InputError, match=words):
        read_counts(path, columns_in_barcodes={"x": pattern})
