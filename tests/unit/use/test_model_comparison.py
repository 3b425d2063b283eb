"""All models of a data set on the same sequences and cell types."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from made_trained import made_results
from scipy import sparse

import cisgrammar
from cisgrammar.evaluate.baselines import FoldData
from cisgrammar.evaluate.baselines import predict as kmer_ridge
from cisgrammar.use.model_comparison import (
    _kmer_ridge,
    compare_models,
    held_out_by_type,
    means_of_types,
)

NO_BASELINE = {"baselines": []}


def test_counts_of_a_type_are_added_up_before_the_logarithm():
    cells = AnnData(
        sparse.csr_matrix([[1, 0], [2, 1], [0, 4]]),
        obs=pd.DataFrame({"cell_type": ["01", "01", "NA"]}, index=list("abc")),
        var=pd.DataFrame(index=["g", "h"]),
    )
    means = means_of_types(cells)
    assert list(means) == ["01", "NA"]
    np.testing.assert_allclose(means["01"], np.log10(1 + np.array([7500, 2500])))
    np.testing.assert_allclose(means["NA"], np.log10(1 + np.array([0, 10_000])))


def test_cell_types_are_as_deep_as_the_pools_that_a_model_learned(tmp_path):
    """Else the logarithm bends otherwise than in the pools, and models of pools lose by that."""
    trained = cisgrammar.load(made_results(tmp_path))
    names = trained.dataset.var_names
    dataset = trained.dataset.to_memory()
    dataset.X = np.full(dataset.shape, 2, np.float32)
    trained = dataclasses.replace(trained, dataset=dataset)
    counts = np.random.default_rng(0).integers(0, 50, (2, len(names) + 1))
    counts[:, -1] = 1000  # a gene that is not in the data set
    cells = AnnData(
        sparse.csr_matrix(counts),
        obs=pd.DataFrame({"cell_type": ["01", "NA"]}, index=list("ab")),
        var=pd.DataFrame(index=[*names, "other"]),
    )
    means = means_of_types(cells, [trained])
    of_types = (10.0 ** means.loc[names] - 1).sum()
    assert of_types.mean() == pytest.approx(99 * len(names))  # log10(1 + 99) is 2


def test_kmer_ridge_learns_what_models_of_pools_learned(tmp_path):
    trained = cisgrammar.load(made_results(tmp_path))
    dataset = trained.dataset.to_memory()
    dataset.X = np.random.default_rng(0).normal(size=dataset.shape).astype(np.float32)
    trained = dataclasses.replace(trained, dataset=dataset)
    settings = {"k": 3, "both_strands": True, "bins": 1}
    names = trained.dataset.var_names
    observed = pd.DataFrame(1.0, names, ["01", "NA"])
    found = _kmer_ridge([trained], observed, settings, 1)
    fold = next(iter(trained.models))
    data = FoldData.of_fold(trained.dataset, trained.folds, fold)
    predicted = kmer_ridge("kmer_ridge", data, **settings)
    types = trained.labels("cell_type")
    for name in ("01", "NA"):
        expected = predicted[:, (types == name).to_numpy()].mean(axis=1)
        np.testing.assert_allclose(found.loc[names[data.test], name], expected, rtol=1e-5)


def test_each_sequence_is_predicted_by_the_fold_that_tested_it(tmp_path):
    trained = cisgrammar.load(made_results(tmp_path))
    table = held_out_by_type(trained, ["01", "NA", "other"])
    tested = trained.dataset.var_names[trained.test_fold >= 0]
    assert sorted(table.index) == sorted(tested)
    assert list(table) == ["01", "NA"]
    labels = trained.labels("cell_type")
    codes = np.asarray(trained.dataset.varm["codes"])
    for name, fold in zip(trained.dataset.var_names, trained.test_fold, strict=True):
        if fold >= 0:
            row = trained.dataset.var_names.get_indexer([name])
            expected = trained.predicted(fold, codes[row], labels)[0]
            np.testing.assert_allclose(table.loc[name], expected, rtol=1e-5)


def test_a_model_without_targets_of_the_cell_types_is_named(tmp_path):
    trained = cisgrammar.load(made_results(tmp_path))
    observed = pd.DataFrame(1.0, trained.dataset.var_names, ["B cell"])
    table = compare_models({"scover": trained}, {"genes": observed}, NO_BASELINE, 1)
    assert table["note"].tolist() == ["no target is called as a cell type"]


def test_models_are_scored_on_what_all_of_them_held_out(tmp_path):
    trained = cisgrammar.load(made_results(tmp_path))
    names = trained.dataset.var_names
    observed = pd.DataFrame(
        np.random.default_rng(0).normal(size=(len(names), 3)), names, ["01", "NA", "third"]
    )
    both = {"scover": trained, "again": trained}
    table = compare_models(both, {"genes": observed}, NO_BASELINE, 1)
    assert set(table["n_sequences"]) == {int((trained.test_fold >= 0).sum())}
    assert set(table["n_cell_types"]) == {2}
    assert table["behind"].fillna(0).tolist() == pytest.approx([0] * len(table))


def test_models_with_too_little_in_common_are_noted(tmp_path):
    trained = cisgrammar.load(made_results(tmp_path))
    other = dataclasses.replace(trained, models={0: trained.models[0]})
    third = dataclasses.replace(trained, models={1: trained.models[1]})
    observed = pd.DataFrame(1.0, trained.dataset.var_names, ["01", "NA"])
    table = compare_models({"a": other, "b": third}, {"genes": observed}, NO_BASELINE, 1)
    assert set(table["note"]) == {"0 held-out sequences and 2 cell types in common: too few"}
    assert table["value"].isna().all()


def test_models_of_other_sequences_are_not_put_together(tmp_path):
    trained = cisgrammar.load(made_results(tmp_path))
    peaks = pd.DataFrame(1.0, ["chr1:1-2"], ["01"])
    assert compare_models({"scover": trained}, {"peaks": peaks}, NO_BASELINE, 1).empty
