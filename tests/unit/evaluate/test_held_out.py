import numpy as np
import pandas as pd
import pytest
import torch
from anndata import AnnData
from scipy import sparse
from sklearn.metrics import average_precision_score, roc_auc_score

from cisgrammar.data.split import Inputs
from cisgrammar.evaluate.held_out import score_held_out, score_test_part, summarise, summarise_folds
from cisgrammar.models.scbasset import Scbasset

SETTINGS = {
    "length": 30, "stem_filters": 4, "stem_width": 5, "stem_pool": 3, "tower_filters": [4],
    "tower_width": 3, "tower_pool": 2, "last_filters": 4, "bottleneck": 3, "dropout": 0.2,
    "precision": "float32",
}  # fmt: skip


@pytest.fixture
def case():
    rng = np.random.default_rng(1)
    model = Scbasset.build(7, SETTINGS, {}, torch.Generator().manual_seed(1)).eval()
    codes = torch.from_numpy(rng.integers(0, 4, (50, 30), dtype=np.uint8))
    is_open = rng.random((7, 50)) < 0.4
    is_open[2] = False  # a cell without any open peak
    return model, codes, sparse.csr_matrix(is_open), np.arange(20, 50), is_open


@pytest.mark.parametrize("at_once", [3, 100])
def test_scores_are_scikit_learns(case, at_once):
    model, codes, matrix, rows, is_open = case
    per_cell, per_peak = score_held_out(model, codes, matrix, rows, at_once)
    with torch.no_grad():
        logits = model(Inputs(codes[rows])).numpy()
    truth = is_open[:, rows].T
    for cell in (0, 6):
        row = per_cell.set_index("cell").loc[cell]
        assert row["auroc"] == pytest.approx(roc_auc_score(truth[:, cell], logits[:, cell]))
        expected = average_precision_score(truth[:, cell], logits[:, cell])
        assert row["aupr"] == pytest.approx(expected)
    row = per_peak.set_index("peak").loc[23]
    assert row["n_open"] == truth[3].sum()
    assert row["auroc"] == pytest.approx(roc_auc_score(truth[3], logits[3]))
    assert per_cell["auroc"].isna().tolist() == [cell == 2 for cell in range(7)]


def test_summary_leaves_out_what_cannot_be_scored(case):
    per_cell, per_peak = score_held_out(*case[:4])
    table = summarise(per_cell, per_peak).set_index("per")
    assert table.loc["cell", ["n", "n_scored"]].tolist() == [7, 6]
    assert table.loc["cell", "auroc"] == pytest.approx(per_cell["auroc"].mean())
    assert table.loc["peak", "n"] == 30


def test_a_folds_test_part_is_scored_by_name(case):
    model, codes, _, rows, is_open = case
    obs = pd.DataFrame({"cell_type": list("aabbccc"), "batch": "x"}, index=list("ABCDEFG"))
    var = pd.DataFrame(index=[f"peak{i}" for i in range(50)])
    dataset = AnnData(sparse.csr_matrix(is_open.astype(np.uint8)), obs, var)
    dataset.varm["codes"] = codes.numpy()
    folds = pd.DataFrame({"fold0": "test", "fold1": ["train"] * 20 + ["test"] * 30})
    per_cell, per_peak = score_test_part(model, dataset, folds, 1)
    expected = score_held_out(*case[:4])
    assert per_cell["cell"].tolist() == list("ABCDEFG")
    assert per_cell["cell_type"].tolist() == list("aabbccc")
    assert per_peak["peak"].tolist() == [f"peak{i}" for i in rows.tolist()]
    for table, same in zip((per_cell, per_peak), expected, strict=True):
        assert table["auroc"].equals(same["auroc"])


def test_summary_of_folds_tells_the_chance_level(case):
    tables = score_held_out(*case[:4])
    table = summarise_folds({"measured": [tables, tables], "shuffled": []})
    assert table["fold"].tolist() == [0, 0, 1, 1] and set(table["labels"]) == {"measured"}
    assert table["open_share"].iloc[0] == pytest.approx(case[4][:, 20:].mean())
