import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from cisgrammar.common.statistics import benjamini_hochberg, spearman


def test_spearman_agrees_with_scipy_ties_included():
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 4, (30, 3)).astype(float), rng.normal(size=(30, 2))
    rho, p = spearman(first, second)
    for i in range(3):
        for j in range(2):
            expected = stats.spearmanr(first[:, i], second[:, j])
            assert rho[i, j] == pytest.approx(expected.statistic)
            assert p[i, j] == pytest.approx(expected.pvalue)


def test_perfect_and_constant_and_few():
    rising = np.arange(6.0)[:, None]
    rho, p = spearman(rising, np.hstack([rising**3, -rising, np.ones((6, 1))]))
    assert rho[0, :2].tolist() == [1, -1] and p[0, :2].tolist() == [0, 0]
    assert np.isnan(rho[0, 2]) and np.isnan(p[0, 2])
    assert np.isnan(spearman(rising[:3], rising[:3])[0]).all()


def test_benjamini_hochberg_by_hand_with_missing():
    p = np.array([0.01, np.nan, 0.04, 0.03, 0.5])
    expected = [0.04, np.nan, 0.04 * 4 / 3, 0.04 * 4 / 3, 0.5]
    np.testing.assert_allclose(benjamini_hochberg(p), expected)
    assert np.isnan(benjamini_hochberg(np.array([np.nan]))).all()


@settings(max_examples=50)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_benjamini_hochberg_is_monotone(values):
    p = np.array(values)
    order = np.argsort(p)
    adjusted = benjamini_hochberg(p)
    assert (np.diff(adjusted[order]) >= 0).all()
    assert (adjusted >= p - 1e-12).all() and (adjusted <= 1).all()
