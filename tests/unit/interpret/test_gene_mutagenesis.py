import numpy as np
import pandas as pd
import pytest
import torch
from made_populations import SMALL, build, made_populations

from cisgrammar.common.errors import InputError
from cisgrammar.common.threads import set_threads
from cisgrammar.evaluate.population_predictions import predict_held_out
from cisgrammar.interpret.gene_mutagenesis import (
    check_pairs,
    compare_populations,
    effect_profile,
    largest,
    mutate_genes,
    named_genes,
    variable_genes,
)
from cisgrammar.models.base import Ensemble

UPSTREAM = 70


@pytest.fixture(autouse=True)
def _one_thread():
    set_threads(1)


@pytest.fixture
def case():
    """Two folds with a model each, of which one is an ensemble."""
    dataset, _ = made_populations(20)
    parts = {
        f"fold{i}": ["test" if (row % 2 == i) else "train" for row in range(20)] for i in (0, 1)
    }
    parts["fold1"][19] = "validation"
    folds = pd.DataFrame({"sequence": dataset.var_names, **parts})
    members = [build(dataset, **SMALL).eval() for _ in range(2)]
    with torch.no_grad():
        for parameter in members[1].parameters():
            parameter.mul_(1.5)
    weights = torch.tensor([[0.5, 0.9, 0.2, 0.3], [0.5, 0.1, 0.8, 0.7]])  # of members and targets
    return dataset, folds, [(0, members[0]), (1, Ensemble(members, weights))]


def whole_pass(model, dataset, gene, position, base):
    inputs = model.read_inputs(dataset[:, [gene]])
    codes = inputs.codes.clone()
    codes[0, position] = base
    with torch.no_grad():
        return (model(inputs.replace(codes=codes)) - model(inputs))[0].numpy()


def test_each_gene_is_mutated_by_the_members_that_held_it_out(case):
    dataset, folds, models = case
    mutated = mutate_genes(models, dataset, folds, ["gene4", "gene7", "gene19"], UPSTREAM)
    # no fold tests gene19
    assert mutated.obs.groupby("gene", observed=True)["fold"].first().to_dict() == {
        "gene4": 0,
        "gene7": 1,
    }
    assert mutated.obs_names[0] == "gene4:-70" and mutated.shape == (240, 4)
    for gene, model in (("gene4", models[0][1]), ("gene7", models[1][1])):
        for position in (0, 42, 77):
            here = mutated[f"{gene}:{position - UPSTREAM}"]
            assert here.obs["base"].item() == "ACGT"[dataset[:, gene].varm["codes"][0, position]]
            for base, letter in enumerate("ACGT"):
                np.testing.assert_allclose(
                    here.layers[letter][0],
                    whole_pass(model, dataset, gene, position, base),
                    atol=1e-5,
                )
    layers = np.stack([mutated.layers[letter] for letter in "ACGT"])
    np.testing.assert_array_equal(np.abs(mutated.X), np.abs(layers).max(axis=0))


def test_genes_that_every_model_has_seen_are_refused(case):
    dataset, folds, models = case
    with pytest.raises(InputError, match=r"none of the 1 genes \(gene19\) is in the test part"):
        mutate_genes(models, dataset, folds, ["gene19"], UPSTREAM)


def test_profile_is_the_mean_of_the_largest_effects(case):
    dataset, folds, models = case
    genes = ["gene2", "gene3", "gene4"]
    profile = effect_profile(models, dataset, folds, genes, UPSTREAM)
    mutated = mutate_genes(models, dataset, folds, genes, UPSTREAM)
    expected = np.abs(mutated.X).reshape(3, 120, 4).mean(axis=0)
    wide = profile.set_index(["position", "population"])["mean_effect"].unstack()  # noqa: PD010
    np.testing.assert_allclose(wide[dataset.obs_names], expected, rtol=1e-5, atol=1e-7)
    assert wide.index[0] == -70 and set(profile["n_genes"]) == {3}


def test_differences_are_of_the_substitution_that_differs_most(case):
    dataset, folds, models = case
    mutated = mutate_genes(models, dataset, folds, ["gene2"], UPSTREAM)
    table = compare_populations(mutated, dataset, [])
    expression = dataset.to_df().loc["type:p1":, "gene2"]
    assert set(table["population"]) == {expression.idxmax()}
    assert set(table["other"]) == {expression.idxmin()}
    named = compare_populations(mutated, dataset, [("type:p1", "tissue:p0")])
    np.testing.assert_array_equal(named["effect"], mutated[:, "type:p1"].X.ravel())
    i, j = dataset.obs_names.get_indexer(["type:p1", "tissue:p0"])
    for row, differs in enumerate(named["difference"]):
        each = [mutated.layers[base][row, i] - mutated.layers[base][row, j] for base in "ACGT"]
        assert differs == max(each, key=abs)


def test_a_site_that_the_other_population_uses_a_little_the_other_way_differs(case):
    dataset, folds, models = case
    mutated = mutate_genes(models, dataset, folds, ["gene2"], UPSTREAM)
    i, j = dataset.obs_names.get_indexer(["type:p1", "type:p2"])
    mutated.layers["C"][50, [i, j]] = [-3.0, 0.1]
    mutated.layers["G"][50, [i, j]] = [-3.2, -0.3]
    table = compare_populations(mutated, dataset, [("type:p1", "type:p2")])
    assert table["difference"][50] == pytest.approx(-3.1)


def test_populations_to_compare_are_checked():
    known = pd.Index(["type/a", "type/b"])
    check_pairs([["type/a", "type/b"]], known, "key")
    with pytest.raises(InputError, match="`key` names type/c, but populations are type/a, type/b"):
        check_pairs([["type/a", "type/c"]], known, "key")


def test_the_largest_keeps_its_sign():
    assert largest(np.array([[0.0, 1.0], [-3.0, 0.5], [2.0, -0.2], [0, 0]])).tolist() == [-3, 1]


def test_variable_genes_differ_between_populations_of_the_finest_level():
    dataset, _ = made_populations(20)
    dataset.X[0, 5] = 1e3  # the tissue is one population
    dataset.X[1:, 7] = [0, 50, 100]
    dataset.X[1:, 9] = [0, 40, 80]
    assert variable_genes(dataset, 2) == ["gene7", "gene9"]


def test_genes_are_found_by_id_or_name():
    var = pd.DataFrame({"gene_name": ["A", "B", "B"]}, index=["1", "2", "3"])
    assert named_genes(["A", "3", "1"], var, "key") == ["1", "3"]
    with pytest.raises(InputError, match=r"`key`: 2 of 2 genes are not among the 3"):
        named_genes(["B", "C"], var, "key")


def test_predictions_are_of_the_models_that_held_genes_out(case):
    dataset, folds, models = case
    predictions = predict_held_out(models, dataset, folds)
    assert predictions.shape == (4, 19) and "gene19" not in predictions.var_names
    assert predictions.var["fold"].tolist() == [0, 1] * 9 + [0]
    np.testing.assert_array_equal(predictions.layers["observed"], dataset.X[:, :19])
    ensemble = models[1][1]
    inputs = ensemble.read_inputs(dataset[:, ["gene7"]])
    with torch.no_grad():
        each = ensemble.predict_members(inputs)[:, 0].numpy()
    mean = np.average(each, axis=0, weights=ensemble.weights)
    np.testing.assert_allclose(predictions[:, "gene7"].X.ravel(), mean, rtol=1e-5, atol=1e-6)
    spread = predictions[:, "gene7"].layers["spread"].ravel()
    np.testing.assert_allclose(spread, each.std(axis=0, ddof=1), rtol=1e-4)  # of two: in any case
    assert np.isnan(predictions[:, "gene4"].layers["spread"]).all()
