import inspect
from dataclasses import replace

import numpy as np
import pytest
from anndata import AnnData
from scipy import sparse
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression, Ridge

from cisgrammar.common.errors import InputError
from cisgrammar.data.features import composition, kmer_counts
from cisgrammar.data.fold_splits import split_folds
from cisgrammar.evaluate import baselines
from cisgrammar.evaluate.baselines import (
    METHODS,
    FoldData,
    check_methods,
    options_of,
    predict,
    principal_components,
)
from cisgrammar.models.linear_path import LinearPath


@pytest.fixture
def data():
    """Two hundred sequences whose targets follow three of twenty motif scores."""
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 4, (200, 60), dtype=np.uint8)
    scores = rng.gamma(2, 3, (200, 20)) * (rng.random((200, 20)) < 0.4)
    targets = scores[:, :3] @ rng.normal(size=(3, 5)) + rng.normal(size=(200, 5)) + 4
    parts = np.split(rng.permutation(200), [120, 150])
    return FoldData(
        codes, targets.astype(np.float32), *parts, sparse.csr_matrix(scores.astype(np.float32))
    )


OPTIONS = {"kmer_ridge": {"k": 3}, "kmer_logistic": {"k": 3}}


def binary(data):
    """The same sequences, classed by how often they have CpG."""
    cpg = composition(data.codes)[:, 1]
    classes = (cpg > np.median(cpg)).astype(np.float32)
    return replace(data, targets=np.stack([classes, 1 - classes], axis=1))


@pytest.mark.parametrize("method", METHODS)
def test_every_method_predicts_the_test_rows_and_never_reads_them(data, method):
    if method in baselines.NEED_BINARY_TARGETS:
        data = binary(data)
    predicted = predict(method, data, **OPTIONS.get(method, {}))
    assert predicted.shape == (50, data.targets.shape[1])
    assert predicted.dtype == np.float32
    assert np.isfinite(predicted).all()
    blinded = data.targets.copy()
    blinded[data.test] = 1 - blinded[data.test]
    blind = predict(method, replace(data, targets=blinded), **OPTIONS.get(method, {}))
    assert (blind == predicted).all()


def test_kmers_are_chosen_without_the_test_rows(data):
    """Neither permuted targets nor other sequences of the test rows change the choice."""
    predicted = predict("kmer_ridge", data)
    permuted = data.targets.copy()
    permuted[data.test] = permuted[np.random.default_rng(5).permutation(data.test)]
    assert (predict("kmer_ridge", replace(data, targets=permuted)) == predicted).all()
    others = data.codes.copy()
    others[data.test[1:]] = 0
    assert predict("kmer_ridge", replace(data, codes=others))[0] == pytest.approx(predicted[0])


@pytest.mark.parametrize("method", METHODS)
def test_every_method_repeats_itself_on_two_threads(data, method):
    if method in baselines.NEED_BINARY_TARGETS:
        data = binary(data)
    options = OPTIONS.get(method, {})
    once, twice = (predict(method, replace(data, n_threads=n), **options) for n in (1, 2))
    assert once.tobytes() == twice.tobytes()


def test_mean_is_a_constant_per_target(data):
    expected = data.targets[data.train].mean(axis=0)
    assert predict("mean", data) == pytest.approx(np.tile(expected, (50, 1)), rel=1e-6)


def test_linear_is_least_squares(data):
    x, y = data.motif_scores.toarray().astype(float), data.targets.astype(float)
    expected = LinearRegression().fit(x[data.train], y[data.train]).predict(x[data.test])
    assert predict("linear", data) == pytest.approx(expected, rel=1e-4)


def test_least_squares_bear_features_that_repeat_or_never_vary(data):
    x = np.hstack(
        [data.motif_scores.toarray(), data.motif_scores.toarray()[:, :4], np.ones((200, 1))]
    )
    doubled = replace(data, motif_scores=sparse.csr_matrix(x))
    assert predict("linear", doubled) == pytest.approx(predict("linear", data), rel=1e-4)


@pytest.mark.parametrize("penalty", [1e-3, 0.1, 10])
def test_the_path_is_ridge_regression(data, penalty):
    x, y = data.motif_scores, data.targets
    path = LinearPath(x[data.train], y[data.train])
    alpha = penalty * path.unit
    dense = x.toarray().astype(float)
    expected = Ridge(alpha).fit(dense[data.train], y[data.train]).predict(dense[data.test])
    assert next(path.predict(x[data.test], [penalty])) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("penalty", [1e-3, 0.1, 10])
@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_matrix])
def test_more_features_than_rows_are_the_same_ridge_regression(penalty, convert):
    rng = np.random.default_rng(4)
    x, y = rng.gamma(2, 1, (40, 90)), rng.normal(size=(40, 3))
    path = LinearPath(convert(x[:30]), y[:30])
    assert path.dual
    centred = x[:30] - x[:30].mean(axis=0)
    assert path.unit == pytest.approx((centred**2).sum() / 90)
    expected = Ridge(penalty * path.unit).fit(x[:30], y[:30]).predict(x[30:])
    assert next(path.predict(convert(x[30:]), [penalty])) == pytest.approx(expected, rel=1e-4)


def test_ridge_takes_the_penalty_that_validates_best(data):
    """Where targets are noise, the best penalty is the largest: near the mean."""
    noise = np.random.default_rng(1).normal(size=data.targets.shape).astype(np.float32)
    data = replace(data, targets=noise)
    ridge, linear, mean = (predict(m, data) for m in ("ridge", "linear", "mean"))
    assert np.abs(ridge - mean).mean() < 0.2 * np.abs(linear - mean).mean()


def test_gc_uses_gc_and_cpg(data):
    x = composition(data.codes)
    data = replace(data, targets=(x @ [[2, -1], [3, 5]]).astype(np.float32))
    assert predict("gc", data) == pytest.approx(data.targets[data.test], abs=1e-5)


def test_kmer_ridge_finds_a_kmer(data):
    counts = kmer_counts(data.codes, 3).toarray()
    data = replace(data, targets=np.log1p(counts[:, [5, 9]]))
    predicted = predict("kmer_ridge", data, k=3, both_strands=True, bins=1)
    assert predicted == pytest.approx(data.targets[data.test], abs=0.01)


def test_kmer_logistic_gives_probabilities_that_sort_classes(data):
    data = binary(data)
    chance = predict("kmer_logistic", data, k=2)
    assert ((chance >= 0) & (chance <= 1)).all()
    assert ((chance > 0.5) == data.targets[data.test]).mean() > 0.8


def test_kmer_logistic_bears_a_target_of_one_class(data):
    data = binary(data)
    data.targets[:, 1] = 1
    assert (predict("kmer_logistic", data, k=2)[:, 1] == 1).all()


@pytest.mark.parametrize("min_leaf, tolerance", [(5, 1e-4), (1, 1.5)])
def test_the_forest_on_all_components_is_the_forest_on_the_targets(data, min_leaf, tolerance):
    """Nodes of two sequences are ties, which rounding decides: hence the second tolerance."""
    x = data.motif_scores.toarray()
    x = np.where(x > 0, x, np.random.default_rng(2).random(x.shape)).astype(np.float32)
    data = replace(data, motif_scores=sparse.csr_matrix(x))
    forest = RandomForestRegressor(20, min_samples_leaf=min_leaf, random_state=0)
    expected = forest.fit(x[data.train], data.targets[data.train]).predict(x[data.test])
    predicted = predict("random_forest", data, variance_kept=1, min_leaf=min_leaf)
    assert np.abs(predicted - expected).max() < tolerance
    assert expected.std() > 2


@pytest.mark.parametrize("variance_kept, n", [(0.5, 1), (0.98, 2), (1, 3)])
def test_components_hold_the_variance_asked_for(variance_kept, n):
    """Three independent targets with variances 90, 9 and 1."""
    random = np.random.default_rng(0).normal(size=(50, 3))
    orthogonal = np.linalg.qr(random - random.mean(axis=0))[0]
    targets = orthogonal * np.sqrt([90, 9, 1]) + 7
    components, rotation, mean = principal_components(targets, variance_kept)
    assert rotation.shape == (3, n)
    if variance_kept == 1:
        assert components @ rotation.T + mean == pytest.approx(targets)


def test_components_of_constant_targets():
    components, rotation, mean = principal_components(np.full((10, 2), 3.0), 0.9)
    assert components @ rotation.T + mean == pytest.approx(3)


@pytest.mark.parametrize(
    "method, change, message",
    [
        ("ridge", {"motif_scores": None}, "motif scores"),
        ("kmer_logistic", {}, "not all 0 or 1"),
    ],
)
def test_what_a_method_needs_is_asked_for(data, method, change, message):
    with pytest.raises(ValueError, match=message):
        predict(method, replace(data, **change))


def test_a_fold_is_taken_from_the_files(data):
    dataset = AnnData(data.targets.T.copy())
    dataset.varm["codes"] = data.codes
    dataset.var["chrom"] = "chr1"
    folds = split_folds(dataset.var, n_folds=4, validation=0.2, by="random", seed=0)
    fold = FoldData.of_fold(dataset, folds, 1, seed=7)
    assert (fold.targets == data.targets).all()
    assert fold.seed == 7
    assert sorted(np.concatenate([fold.train, fold.validation, fold.test])) == list(range(200))
    assert (folds["fold1"].to_numpy()[fold.test] == "test").all()


def test_classifiers_are_refused_for_numbers():
    check_methods(["ridge", "kmer_logistic"], np.array([[0, 1], [1, 1]]))
    check_methods(["ridge"], np.array([[0.5, 1]]))
    with pytest.raises(InputError, match=r"kmer_logistic predicts classes.*0.5 to 7"):
        check_methods(["ridge", "kmer_logistic"], np.array([[0.5, 7]]))


@pytest.mark.parametrize("method", METHODS)
def test_options_are_all_that_a_method_takes(method):
    parameters = list(inspect.signature(METHODS[method]).parameters)[1:]
    settings = dict.fromkeys([*parameters, "another"], 1)
    assert options_of(method, settings) == dict.fromkeys(parameters, 1)
