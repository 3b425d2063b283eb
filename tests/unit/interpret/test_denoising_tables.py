"""Which peaks and genes are denoised, what is noted, and the tables by hand."""

import numpy as np
import pandas as pd
import pytest
import torch
from anndata import AnnData
from made_accessibility import build, motif_split
from scipy import sparse

from cisgrammar.common.notes import Notes
from cisgrammar.interpret.denoising import GeneReading, denoise, gene_scores, read_genes
from cisgrammar.interpret.denoising_tables import (
    DenoisingSettings,
    denoise_peaks,
    expression_of,
    note_absent,
    score_genes,
    tables_of,
)

GENES = pd.DataFrame({"gene_name": ["A", "B"], "n_peaks": [1, 1]}, index=["g1", "g2"])
SHARES = sparse.csr_matrix(([1.0, 1.0], ([0, 1], [3, 7])), (2, 200))


@pytest.fixture
def case():
    codes = motif_split().inputs.codes
    cells = AnnData(
        sparse.csr_matrix(np.random.default_rng(1).random((30, 200)) < 0.3).astype(np.uint8),
        pd.DataFrame({"cell_type": ["x"] * 10 + ["y"] * 20}, [f"c{i}" for i in range(30)]),
        pd.DataFrame(index=[f"p{i}" for i in range(200)]),
        varm={"codes": codes.numpy()},
    )
    return build().eval(), cells


def settings(peaks=(), n_peaks=4, genes=(), n_genes=1):
    return DenoisingSettings(list(peaks), n_peaks, list(genes), n_genes)


def test_named_peaks_and_those_that_are_unknown(case):
    model, cells = case
    notes = Notes()
    found = denoise_peaks(model, cells, settings(peaks=["p9", "p2", "no"]), notes)
    assert found.var_names.tolist() == ["p2", "p9"] and found.shape == (30, 2)
    (block,) = denoise(model, torch.from_numpy(cells.varm["codes"][[2, 9]]))
    np.testing.assert_array_equal(found.X, block.T)
    assert notes.table()["note"].tolist() == ["Not among the peaks that the model learned: no."]


def test_peaks_by_cell_type_where_none_is_named_and_none_at_all(case):
    notes = Notes()
    found = denoise_peaks(*case, settings(n_peaks=4), notes)
    assert found.n_vars == 4 and notes.table().empty
    assert denoise_peaks(*case, settings(peaks=["no"]), notes).shape == (30, 0)


def test_genes_by_name(case):
    model, cells = case
    codes, notes = torch.from_numpy(cells.varm["codes"]), Notes()
    reading = read_genes(model, codes, cells.X, cells.obs["cell_type"], GENES, SHARES)
    wanted = settings(genes=["B", "no"])
    found = score_genes(model, cells, GENES, SHARES, reading, wanted, notes)
    assert found.var_names.tolist() == ["g2"] and found.X.dtype == np.float32
    expected = np.concatenate(list(gene_scores(model, codes, SHARES[[1]])))
    np.testing.assert_allclose(found.X, expected, rtol=1e-6)
    assert notes.table()["note"].tolist() == ["Not among the genes with a promoter peak: no."]
    none = score_genes(model, cells, GENES[:0], SHARES[:0], reading, settings(n_genes=0), notes)
    assert none.shape == (30, 0)


def test_expression_is_of_these_cells_and_genes():
    counts = AnnData(
        sparse.csr_matrix(np.arange(12, dtype=np.float32).reshape(3, 4)),
        pd.DataFrame(index=["c2", "c0", "c1"]),
        pd.DataFrame(index=["g9", "g2", "g1", "g0"]),
    )
    found = expression_of(counts, pd.Index(["c0", "c2"]), GENES).toarray()
    assert found.shape == (2, 2) and (found[0] > 0).all()
    assert found[1, 0] > found[1, 1]  # c2 has 2 of g1 and 1 of g2
    assert expression_of(None, pd.Index(["c0"]), GENES) is None
    assert expression_of(counts, pd.Index(["c0"]), GENES[:0]) is None


@pytest.mark.parametrize(
    "n_genes, annotated, has_rna, words",
    [
        (2, True, True, []),
        (0, False, True, ["no annotation is given"]),
        (0, True, False, ["none has a peak at its TSS", "the cells have no RNA"]),
    ],
)
def test_what_is_absent_is_noted(n_genes, annotated, has_rna, words):
    notes = Notes()
    note_absent(GENES[:n_genes], annotated, has_rna, notes)
    said = notes.table()["note"].tolist()
    assert len(said) == len(words)
    assert all(word in note for word, note in zip(words, said, strict=True))


def test_tables_have_names():
    agreement = pd.DataFrame({"r_raw": [0.1, 0.2], "r_denoised": [0.3, 0.4]})
    by_type = pd.DataFrame({"x": [1.0, 2]}, index=GENES.index)
    reading = GeneReading(by_type, agreement, agreement.set_index(GENES.index))
    obs = pd.DataFrame({"cell_type": ["x", "x"]}, index=["c0", "c1"])
    by_cell_type, per_gene, per_cell = tables_of(reading, GENES, obs)
    assert by_cell_type.columns.tolist() == ["gene_name", "n_peaks", "x"]
    assert per_gene.columns.tolist() == ["gene_name", "n_peaks", "r_raw", "r_denoised"]
    assert by_cell_type.index.name == per_gene.index.name == "gene"
    assert per_cell.iloc[1].tolist() == ["c1", "x", 0.2, 0.4]
