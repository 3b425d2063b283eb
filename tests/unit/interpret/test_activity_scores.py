"""Activity of a database's motifs: those that fit, with expression where there is some."""

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from made_accessibility import build, motif_split
from scipy import sparse

from cisgrammar.interpret.activity_scores import (
    add_ranks,
    compare_with_expression,
    score_activity,
)
from cisgrammar.interpret.tf_activity import insertion_effects
from cisgrammar.motifs.databases import Database
from cisgrammar.motifs.meme import Motif

WIDTHS = {"short": 5, "wide": 41, "other": 6}


@pytest.fixture(scope="module")
def activity():
    rng = np.random.default_rng(1)
    motifs = [Motif(name, rng.dirichlet(np.ones(4), n).T) for name, n in WIDTHS.items()]
    table = pd.DataFrame({"motif": list(WIDTHS), "name": list(WIDTHS), "tfs": ["T1", "T2", "T3"]})
    codes = motif_split().inputs.codes.numpy()
    cells = AnnData(
        sparse.csr_matrix((30, 200)),
        pd.DataFrame({"cell_type": list("ab") * 15}, [f"c{i}" for i in range(30)]),
        varm={"codes": codes},
    )
    model = build().eval()
    found = score_activity(
        model, cells, Database("made", motifs, table), n_backgrounds=10, change_of="logits", seed=1
    )
    keys = {"n_backgrounds": 10, "of_logits": True, "seed": 1}
    expected = insertion_effects(model, codes, [motifs[0], motifs[2]], **keys)
    np.testing.assert_allclose(found.var["mean"], expected.mean(axis=0))
    return found


def test_motifs_that_fit_are_scored_in_each_cell(activity):
    assert activity.var_names.tolist() == ["short", "other"] and activity.n_obs == 30
    assert activity.var["tfs"].tolist() == ["T1", "T3"]


def test_expression_is_found_by_the_names_of_an_annotation(activity):
    rng = np.random.default_rng(2)
    counts = AnnData(
        sparse.csr_matrix(rng.poisson(2, (31, 2)).astype(np.float32)),
        pd.DataFrame(index=["another", *activity.obs_names[::-1]]),
        pd.DataFrame(index=["g1", "g2"]),
    )
    assert set(compare_with_expression(activity, None, None)["note"]) == {"no expression"}
    assert compare_with_expression(activity, counts, None)["r"].isna().all()
    tss = pd.DataFrame({"gene_id": ["g1", "g2"], "gene_name": ["T9", "T3"]})
    tests = compare_with_expression(activity, counts, tss).set_index("motif")
    assert tests["gene"].tolist() == [None, "g2"] and abs(tests.loc["other", "r"]) <= 1
    ranked = activity.copy()
    add_ranks(ranked, tests.reset_index())
    assert ranked.var["rank"].min() == 1
    assert ranked.var["rank_of_expressed"].isna().tolist() == [True, False]
