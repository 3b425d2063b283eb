import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_links import SETTINGS, made_gene_peaks, made_peaks, parts_of
from scipy import sparse
from sklearn.metrics import roc_auc_score

from cisgrammar.interpret.link_baselines import baseline_table, draw_background
from cisgrammar.interpret.link_scoring import activities_of_cells, score_by_folds, specific_links
from cisgrammar.interpret.link_table import (
    activities_of_types,
    certainty,
    false_discovery_rates,
    link_table,
    p_values,
    slopes,
    strengths,
)
from cisgrammar.models.cre_attention import save_attention
from cisgrammar.training.link_model import train_attention

CALLS = {"weak": 40, "strong": 85, "max_fdr": 1}
SCORES = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=30)


@given(SCORES)
def test_false_discovery_rates_are_decoys_over_pairs_at_the_best_threshold(rows):
    score, null = (np.array(column, float) for column in zip(*rows, strict=True))
    found = false_discovery_rates(score, null)
    for value, rate in zip(score, found, strict=True):
        estimates = [
            min(1, (1 + (null >= t).sum()) / (score >= t).sum()) for t in score if t <= value
        ]
        assert rate == pytest.approx(min(estimates))


def test_p_values_count_nulls_as_high():
    p = p_values(np.array([5.0, 1.0, 3.0]), np.array([0.0, 2.0, 3.0]), np.array([1, 2, 3]))
    assert p.tolist() == [1 / 4, 3 / 4, 2 / 4]


def test_slopes_are_those_of_least_squares_and_0_for_constant_accessibility():
    access = np.array([[-1.0, 0.0], [0.0, 0.0], [1.0, 0.0]])
    added = np.array([[-2.0, 1.0], [1.0, -1.0], [1.0, 0.0]])
    assert slopes(added, access).tolist() == [1.5, 0]


def test_certainty_is_of_size_whatever_the_sign():
    found = certainty(np.array([1.0, -1.0, 3.0, 1.0]), np.array([1.0, 1.0, 1.0, 0.0]), 1.0)
    assert found[:2] == pytest.approx(np.log10([2, 2]))
    assert found[2] == pytest.approx(-np.log10(0.0227501))
    assert certainty(np.array([5.0]), np.array([0.1]), 1.0) > 300  # not cut off at 1


def test_calls_ask_for_score_sign_and_fdr():
    score, fdr = np.arange(10.0), np.zeros(10)
    effect = np.ones(10)
    effect[9], fdr[8] = -1, 0.5
    found = strengths(score, effect, fdr, {"weak": 40, "strong": 70, "max_fdr": 0.1})
    assert found.tolist() == ["", "", "", "", "", "weak", "weak", "strong", "", ""]


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    data, drives, types = made_gene_peaks(n_genes=100)
    parts = parts_of(90)
    folder, names = tmp_path_factory.mktemp("links"), data.candidates.genes["gene"]
    settings = SETTINGS | {
        "epochs": 60, "patience": None, "heads": 8, "head_size": 4, "dropout": 0,
        "wide_dropout": 0, "attention_rate": 0.02,
    }  # fmt: skip
    folds, models = {"sequence": names}, []
    for fold in range(2):
        of_genes = np.where(np.arange(100) % 2 == fold, "test", "train").astype(object)
        of_genes[np.flatnonzero(of_genes == "train")[::5]] = "validation"
        folds[f"fold{fold}"] = of_genes
        model, _ = train_attention(data, of_genes, parts, settings, seed=fold)
        save_attention(model, folder / f"{fold}.pt")
        models.append(folder / f"{fold}.pt")
    folds = pd.DataFrame(folds)
    places, described = made_peaks(data)
    section = {"target": "own_gene", "calls": CALLS}
    scores = score_by_folds(models, data, folds, described, (types, parts), section, seed=1)
    baselines = baseline_table(
        data.candidates, data.accessibility._accessibility._columns.tocsr(),
        data.expression.measured, sparse.eye(90, format="csr"), described,
        n_background=20, ridge_penalty=0.2, seed=1,
    )  # fmt: skip
    table = link_table(data, places, scores, ["a", "b", "c"], baselines, CALLS)
    return data, drives, types, folds, scores, table


def test_links_that_drive_genes_rank_above_the_others(scored):
    _, drives, *_, scores, table = scored
    assert roc_auc_score(drives, table["link_score"]) > 0.9
    assert roc_auc_score(drives, table["r_cells"]) > 0.8
    assert roc_auc_score(drives, table["ridge"]) > 0.8
    assert roc_auc_score(drives, table["z_background"]) > 0.8
    assert (table["sign"][drives & (table["link_score"] > 1)] == "+").mean() > 0.9
    held_out = scores.gene_table(scored[3])
    assert held_out["gene"].tolist() == scored[3]["sequence"].tolist()
    assert held_out["model"].mean() > held_out["promoter"].mean()


def test_activities_of_types_and_cells_tell_the_same(scored):
    data, _, types, _, scores, table = scored
    by_type = activities_of_types(table, scores, ["a", "b", "c"])
    obs = pd.DataFrame({"cell_type": types}, index=[f"c{i}" for i in range(len(types))])
    cells = activities_of_cells(data, table, obs)
    strong = (table["call"] == "strong").to_numpy()
    assert cells.n_vars == strong.sum() > 0
    centred = cells.X - cells.X.mean(axis=0)
    means = np.stack([centred[types == name].mean(axis=0) for name in "abc"])
    assert np.allclose(means, by_type.X[:, strong], atol=1e-4)
    found = specific_links(cells)
    assert set(found["cell_type"]) <= set("abc")
    assert (found["p_adj"] < 1e-4).all()


def test_matched_peaks_are_of_other_chromosomes_and_alike():
    data, _, _ = made_gene_peaks()
    _, peaks = made_peaks(data)
    drawn = draw_background(peaks, 4, seed=1)
    chroms = peaks["chrom"].to_numpy()
    assert (chroms[drawn] != chroms[:, None]).all()
    mine = peaks["accessibility"].to_numpy()
    apart = np.abs(mine[drawn] - mine[:, None]).mean()
    assert apart < np.abs(mine - mine[:, None]).mean()
