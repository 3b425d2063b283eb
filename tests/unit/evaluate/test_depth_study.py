import numpy as np
import pandas as pd
import pytest
import torch
from anndata import AnnData
from made_accessibility import motif_split, trained
from scipy import sparse

from cisgrammar.data.cells_by_peaks import thin
from cisgrammar.evaluate.depth_study import measure


@pytest.fixture(scope="module")
def case():
    split, model = trained()
    dense = split.targets.dense(torch.arange(400)).numpy().T
    cells = AnnData(
        sparse.csr_matrix(dense.astype(np.uint8)),
        pd.DataFrame(
            {"cell_type": ["yes"] * 15 + ["no"] * 15, "batch": "one"},
            index=[f"c{i}" for i in range(30)],
        ),
        pd.DataFrame({"chrom": "chr1"}, index=[f"p{i}" for i in range(400)]),
    )
    cells.varm["codes"] = motif_split(n=400).inputs.codes.numpy()
    parts = np.where(np.arange(400) < 360, "train", "test")
    folds = pd.DataFrame({"sequence": cells.var_names, "chrom": "chr1", "fold0": parts})
    return model, cells, folds


def test_peaks_are_scored_against_all_open_entries(case):
    model, cells, folds = case
    thinned = cells.copy()
    thinned.X = thin(cells.X, 0.3, 1)
    full, less = (
        measure(model, cells, part, folds, 0, None, 1).set_index("measure")["value"]
        for part in (cells, thinned)
    )
    assert full["open_share"] == pytest.approx(cells.X.nnz / 12_000)
    assert less["open_share"] == pytest.approx(0.3 * full["open_share"], rel=0.1)
    assert full["auroc_per_cell"] == less["auroc_per_cell"] > 0.65
    assert 0.5 < full["ari"] <= 1 and full["empty_cells"] == 0
    assert not [name for name in full.index if name.startswith("neighbor")]


def test_empty_cells_are_counted_and_left_out_of_the_embedding(case):
    model, cells, folds = case
    thinned = cells.copy()
    kept = np.ones(30)
    kept[[0, 20]] = 0
    thinned.X = sparse.csr_matrix(sparse.diags(kept) @ cells.X)
    thinned.X.eliminate_zeros()
    values = measure(model, cells, thinned, folds, 0, cells.obsm.get("none"), 1)
    assert values.set_index("measure").loc["empty_cells", "value"] == 2


def test_cells_without_types_have_no_scores_of_types(case):
    model, cells, folds = case
    unlabelled = cells.copy()
    unlabelled.obs["cell_type"] = "unlabelled"
    values = measure(model, unlabelled, unlabelled, folds, 0, None, 1)
    assert "ari" not in set(values["measure"])
