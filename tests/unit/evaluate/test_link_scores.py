import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from cisgrammar.evaluate.link_scores import areas, draws_of_genes, enrichment, score_methods

ROWS = st.lists(
    st.tuples(st.integers(0, 5), st.booleans(), st.integers(0, 3)), min_size=4, max_size=40
)


@given(ROWS)
def test_areas_are_those_of_scikit_learn_ties_and_repeats_included(rows):
    scores, labels, counts = (np.array(column) for column in zip(*rows, strict=True))
    found = areas(scores.astype(float), labels, counts[None].astype(float))
    many = np.repeat(labels, counts), np.repeat(scores, counts)
    if len(set(many[0])) < 2:
        assert np.isnan(found[0][0]) and np.isnan(found[1][0])
        return
    assert found[0][0] == pytest.approx(average_precision_score(*many))
    assert found[1][0] == pytest.approx(roc_auc_score(*many))


def made_table():
    rng = np.random.default_rng(1)
    label = rng.random(600) < 0.2
    return pd.DataFrame(
        {
            "gene": np.repeat([f"g{i}" for i in range(60)], 10),
            "distance": rng.integers(-50_000, 50_000, 600),
            "label": label,
            "good": label + rng.normal(0, 0.5, 600),
            "chance": rng.normal(0, 1, 600),
        }
    )


def test_pairs_of_a_gene_are_drawn_together():
    draws = draws_of_genes(np.array(["a", "b", "a", "c"]), 50, seed=1)
    assert (draws[0] == 1).all()
    assert (draws[:, 0] == draws[:, 2]).all()
    assert (draws[1:, [0, 1, 3]].sum(axis=1) == 3).all()


def test_a_good_method_beats_chance_by_more_than_its_interval_in_every_window():
    table = score_methods(
        made_table(), ["good", "chance"], edges=[0, 25_000, 50_000], n_bootstrap=100, seed=1,
        against="good",
    )  # fmt: skip
    assert list(table["distance_window"].unique()) == ["all", "0-25000", "25000-50000"]
    assert table.groupby("distance_window")["pairs"].nunique().eq(1).all()  # equal windows
    chance = table[table["method"] == "chance"]
    assert (chance["auprc_gain_low"] > 0).all()
    itself = table[table["method"] == "good"]
    assert (itself["auprc_gain"] == 0).all()
    assert (itself["auroc_low"] <= itself["auroc"]).all()
    assert (itself["auroc"] <= itself["auroc_high"]).all()


def test_enrichment_of_the_best_pairs():
    table = pd.DataFrame({"label": [True, False, False, False], "score": [4.0, 3.0, 2.0, 1.0]})
    found = enrichment(table, ["score"], top=0.25)
    assert found["enrichment"].tolist() == [4.0]
