"""Ablations of what models of populations read: the right bases are left, scores are compared."""

import numpy as np
import pandas as pd
import pytest
from made_populations import BEST, SMALL, made_populations, settings_of

from cisgrammar.evaluate.ablation_table import WHOLE, join_ablations
from cisgrammar.evaluate.population_ablations import ablate, score_ablation
from cisgrammar.models.scxpresso import Scxpresso

UPSTREAM = 70


@pytest.mark.parametrize("inputs", ["sequence", "features"])
def test_an_input_is_left_alone(inputs):
    dataset, _ = made_populations()
    same, settings = ablate(dataset, settings_of(**SMALL), inputs, UPSTREAM)
    assert same is dataset and settings["inputs"] == inputs


def test_bases_outside_of_a_window_are_unknown():
    dataset, _ = made_populations()
    before = dataset.varm["codes"].copy()
    hidden, settings = ablate(dataset, settings_of(**SMALL), "30_10", UPSTREAM)
    codes = hidden.varm["codes"]
    assert (codes[:, 40:80] == before[:, 40:80]).all()
    assert (codes[:, :40] == 4).all() and (codes[:, 80:] == 4).all()
    assert settings == settings_of(**SMALL)
    assert (dataset.varm["codes"] == before).all()
    for window in ("71_10", "30_51"):
        with pytest.raises(ValueError, match="not within"):
            ablate(dataset, {}, window, UPSTREAM)


def test_what_depends_on_features_is_lost_without_them():
    from cisgrammar.training.final_model import train_final

    dataset, folds = made_populations(n_genes=300)
    training = {"epochs": 15, "patience": None, "members": 1, "retries": 0, "deterministic": True}
    tables = []
    for inputs in ("features", "sequence"):
        data, settings = ablate(dataset, settings_of(**SMALL), inputs, UPSTREAM)
        best = BEST | {"learning_rate": 0.01}
        model, _ = train_final("scxpresso", data, folds, 0, settings, best, training, "cpu", None)
        assert isinstance(model, Scxpresso)
        tables.append(score_ablation(model, data, folds, 0, inputs))
    table = pd.concat(tables)
    assert table.columns.tolist() == ["ablation", "population", "level", "fold", "n_genes", "r"]
    assert (table["n_genes"] == 60).all()
    r = table.groupby("ablation")["r"].median()
    assert r["features"] > 0.6 > r["sequence"]


def test_the_whole_model_stands_first_and_what_is_lost_is_of_the_same_fold():
    scores = pd.DataFrame(
        [
            ("scxpresso", "a", "type", 0, "all", 9, 0.5),
            ("scxpresso", "a", "type", 1, "all", 9, 0.7),
            ("scxpresso", "a", "type", 0, "expressed", 5, 0.1),
            ("tissue", "a", "type", 0, "all", 9, 0.4),
        ],
        columns=["method", "population", "level", "fold", "genes", "n_genes", "r"],
    )
    ablations = pd.DataFrame(
        [("sequence", "a", "type", 1, 9, 0.4), ("sequence", "a", "type", 0, 9, 0.3)],
        columns=["ablation", "population", "level", "fold", "n_genes", "r"],
    )
    table = join_ablations(ablations, scores, "scxpresso")
    assert table["ablation"].tolist() == [WHOLE, WHOLE, "sequence", "sequence"]
    np.testing.assert_allclose(table["lost"], [0, 0, 0.3, 0.2])
