import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from made_counts import write_h5mu
from made_inputs import SHARED, real

from cisgrammar.common.errors import InputError
from cisgrammar.counts.multiome import read_cells, share_cells, shared_cells

READING = {"cell_type": "kind", "batch": None, "modality": None, "ignore_in_barcodes": None}
CHOSEN = {"keep": {}, "drop": {}}
LEAST = {"min_genes": 1, "min_cells": 1}
PEAKS = {"matrix": "X", "min_peaks": 1, "min_cells": 1}


def counts(values, cells, names, **obs):
    matrix = sp.csr_matrix(np.array(values, np.float32))
    return ad.AnnData(matrix, pd.DataFrame(obs, index=cells), pd.DataFrame(index=names))


def rna(cells=("a", "b", "c")):
    return counts([[1, 2], [3, 0], [0, 5]], list(cells), ["G1", "G2"], kind=list("xyx"))


def atac(cells=("c", "d", "a"), names=("1:0-10", "1:2-8", "2:5-9")):
    return counts([[1, 1, 0], [2, 0, 3], [0, 4, 1]], list(cells), list(names))


@pytest.mark.parametrize(
    "peaks, ignore, rows",
    [
        (["c", "d", "a"], None, ([0, 2], [2, 0])),
        (["c-1", "d-1", "a-1"], r"-\d$", ([0, 2], [2, 0])),
        (["b", "a", "c"], None, ([0, 1, 2], [1, 0, 2])),
    ],
)
def test_cells_that_both_have(peaks, ignore, rows):
    found = shared_cells(pd.Index(["a", "b", "c"]), pd.Index(peaks), ignore)
    assert [side.tolist() for side in found] == list(rows)


@pytest.mark.parametrize(
    "peaks, ignore, words",
    [
        (["a-1", "b-1"], None, r"only 0 cells.*`counts\.ignore_in_barcodes: '-"),
        (["x", "y"], None, r"only 0 cells.*a, b, c.*x, y.*not of the same cells"),
        (["a-1", "a-2"], r"-\d$", r"1 barcodes come more than once.*a"),
    ],
)
def test_cells_that_do_not_fit(peaks, ignore, words):
    with pytest.raises(InputError, match=words):
        shared_cells(pd.Index(["a", "b", "c"]), pd.Index(peaks), ignore, "atac.h5ad")


def test_shared_cells_have_one_order_and_the_labels_of_the_rna():
    expression, peaks = share_cells(rna(), atac())
    assert expression.obs_names.tolist() == peaks.obs_names.tolist() == ["a", "c"]
    assert peaks.obs["kind"].tolist() == ["x", "x"]
    assert peaks.X.toarray().tolist() == [[0, 4, 1], [1, 1, 0]]


def in_one_h5mu(folder):
    return {"files": write_h5mu(folder / "m.h5mu", rna=rna(), atac=atac())}


def in_a_file_each(folder):
    rna().write_h5ad(folder / "rna.h5ad")
    atac().write_h5ad(folder / "atac.h5ad")
    return {"files": folder / "rna.h5ad", "peak_files": folder / "atac.h5ad"}


def in_one_h5ad(folder):
    both = ad.concat([rna(), atac(("a", "b", "c"))], axis=1)
    both.obs["kind"] = list("xyx")
    both.var["feature_types"] = ["Gene Expression"] * 2 + ["Peaks"] * 3
    both.write_h5ad(folder / "both.h5ad")
    return {"files": folder / "both.h5ad"}


@pytest.mark.parametrize("write", [in_one_h5mu, in_a_file_each, in_one_h5ad])
def test_peaks_and_their_expression(tmp_path, write):
    peaks, expression = read_cells(
        **write(tmp_path), reading=READING, chosen=CHOSEN, least=LEAST, peaks=PEAKS
    )
    assert peaks.obs_names.equals(expression.obs_names)
    assert peaks.var_names.tolist() == ["1:0-10", "2:5-9"]  # 1:2-8 has the middle of 1:0-10
    assert peaks.var["merged"].tolist() == [2, 1]
    assert expression.var_names.tolist() == ["G1", "G2"]
    assert peaks.obs["cell_type"].astype(str).tolist() == expression.obs["kind"].tolist()
    if write is not in_one_h5ad:
        assert peaks["c"].X.toarray().tolist() == [[2, 0]]


def test_peaks_alone_and_genes_alone(tmp_path):
    files = in_a_file_each(tmp_path)
    reading = READING | {"cell_type": None, "modality": "atac"}
    peaks, expression = read_cells(
        files["peak_files"], reading=reading, chosen=CHOSEN, least=LEAST, peaks=PEAKS
    )
    assert expression is None
    assert peaks.shape == (3, 2)
    genes, expression = read_cells(files["files"], reading=READING, chosen=CHOSEN, least=LEAST)
    assert expression is None
    assert genes.var_names.tolist() == ["G1", "G2"]


def test_filters_of_both_sides(tmp_path):
    found, expression = read_cells(
        **in_a_file_each(tmp_path),
        reading=READING,
        chosen={"keep": {"kind": ["x"]}, "drop": {}},
        least={"min_genes": 1, "min_cells": 2},
        peaks=PEAKS | {"min_peaks": 2},
    )
    assert found.obs_names.tolist() == ["a"]  # c has one open peak, b is no x
    assert expression.var_names.tolist() == ["G2"]


def test_several_files_keep_their_pairs(tmp_path):
    for batch in ("one", "two"):
        rna().write_h5ad(tmp_path / f"rna_{batch}.h5ad")
        atac().write_h5ad(tmp_path / f"atac_{batch}.h5ad")
    peaks, expression = read_cells(
        [tmp_path / "rna_one.h5ad", tmp_path / "rna_two.h5ad"],
        peak_files=[tmp_path / "atac_one.h5ad", tmp_path / "atac_two.h5ad"],
        reading=READING | {"batches": ["one", "two"], "join": "inner"},
        chosen=CHOSEN,
        least=LEAST,
        peaks=PEAKS,
    )
    names = ["a-one", "c-one", "a-two", "c-two"]
    assert peaks.obs_names.tolist() == expression.obs_names.tolist() == names
    assert peaks.obs["batch"].tolist() == ["one", "one", "two", "two"]


def test_real_multiome():
    path = real(SHARED / "pbmc_multiome_tiny/test_rna_atac.h5mu")
    peaks, expression = read_cells(
        path, reading=READING | {"cell_type": None}, chosen=CHOSEN, least=LEAST, peaks=PEAKS
    )
    assert peaks.n_vars <= 174
    assert expression.n_vars <= 45
    assert peaks.obs_names.equals(expression.obs_names)
    with h5py.File(path) as file:
        assert set(file["mod"]) == {"rna", "atac"}
    assert peaks.var["chrom"].str.startswith("chr").all()


def test_real_peaks_alone():
    peaks, _ = read_cells(
        real(SHARED / "atac_small/atac_small_peaks.h5ad"),
        reading=READING | {"cell_type": "seurat_clusters", "modality": "atac"},
        chosen=CHOSEN,
        least=LEAST,
        peaks=PEAKS,
    )
    assert peaks.n_obs == 100
    assert (peaks.var["end"] > peaks.var["start"]).all()


def test_a_matrix_without_names_is_in_the_order_of_bed_and_rna(tmp_path):
    rna().write_h5ad(tmp_path / "rna.h5ad")
    table = tmp_path / "atac.tsv"
    table.write_text("1\t0\t2\n0\t3\t0\n")  # peaks x cells
    ranges = tmp_path / "peaks.txt"
    ranges.write_text("seqnames\tstart\tend\twidth\tname\n1\t11\t20\t10\tp1\n2\t5\t9\t5\tp2\n")
    found, _ = read_cells(
        tmp_path / "rna.h5ad",
        reading=READING,
        chosen={"keep": {}, "drop": {"kind": ["y"]}},  # after the order has told the names
        least=LEAST,
        peaks=PEAKS,
        peak_files=table,
        peak_bed=ranges,
    )
    assert found.obs_names.tolist() == ["a", "c"]
    assert found.var.loc["p1", ["chrom", "start", "end"]].tolist() == ["1", 10, 20]
    assert found["c", "p1"].X.toarray().item() == 2
    settings = {"reading": READING, "chosen": CHOSEN, "least": LEAST, "peaks": PEAKS}
    with pytest.raises(InputError, match=r"2 lines of 3 numbers, but no names.*`peaks\.bed`"):
        read_cells(tmp_path / "rna.h5ad", peak_files=table, **settings)
    table.write_text("1\t0\n0\t3\n")
    with pytest.raises(InputError, match=r"2 lines of 2 numbers.*3 cells and `peaks\.bed` 2 lines"):
        read_cells(tmp_path / "rna.h5ad", peak_files=table, peak_bed=ranges, **settings)
