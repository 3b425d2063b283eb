import numpy as np
import pytest
from made_links import made_gene_peaks, made_peaks
from scipy.stats import multivariate_normal

from cisgrammar.interpret.link_baselines import draw_background
from cisgrammar.interpret.link_evidence import (
    GeneEvidence,
    Prior,
    common_residuals,
    directions_of_cells,
    evidence_of,
    fit_effects,
    learn_prior,
    log_evidence,
    posterior,
    typical_squares,
    variances,
)

N = 12  # directions


def made_evidence(seed, n_peaks=3, noise=0.5):
    rng = np.random.default_rng(seed)
    return GeneEvidence(rng.normal(size=(N, n_peaks)), rng.normal(size=N), noise)


def test_posterior_is_least_squares_where_the_prior_is_wide_and_the_prior_where_it_is_narrow():
    gene, expected = made_evidence(1), np.array([1.0, -2.0, 0.5])
    nowhere = np.zeros(N)
    mean, deviation = posterior(gene, expected, np.full(3, 1e9), nowhere)
    assert np.allclose(mean, np.linalg.lstsq(gene.access, gene.observed, rcond=None)[0])
    inverse = np.linalg.inv(gene.access.T @ gene.access)
    assert np.allclose(deviation, np.sqrt(gene.noise * np.diag(inverse)))
    mean, deviation = posterior(gene, expected, np.full(3, 1e-9), nowhere)
    assert np.allclose(mean, expected, atol=1e-6)
    assert np.allclose(deviation, np.sqrt(1e-9))


def test_directions_that_genes_have_in_common_count_less():
    gene = GeneEvidence(np.array([[1.0], [1.0]]), np.array([4.0, 2.0]), 1.0)
    mean, _ = posterior(gene, np.zeros(1), np.full(1, 1e9), np.array([1e9, 0]))
    assert mean == pytest.approx([2.0])


def test_log_evidence_is_that_of_a_normal_distribution():
    gene, expected = made_evidence(2), np.array([1.0, 0.0, -1.0])
    variance, elsewhere = np.array([0.5, 2.0, 1e-12]), np.linspace(0, 2, N)
    covariance = np.diag(gene.noise + elsewhere) + (gene.access * variance) @ gene.access.T
    full = multivariate_normal(gene.access @ expected, covariance).logpdf(gene.observed)
    assert log_evidence(gene, expected, variance, elsewhere) == pytest.approx(
        full + N / 2 * np.log(2 * np.pi)
    )


def test_the_prior_s_variances_are_those_that_effects_were_drawn_with():
    rng = np.random.default_rng(3)
    genes, expected = [], []
    typical = np.array([1.0, 0.25, 0.25, 0.25])
    true = Prior(0.5, 2.0, 0.3, 1.0)
    for _ in range(600):
        access, prior = rng.normal(size=(N, 4)), np.array([1.0, *rng.normal(0, 0.5, 3)])
        effect = rng.normal(prior, np.sqrt(variances(true, prior, typical)))
        observed = access @ effect + rng.normal(0, 0.3, N)
        genes.append(GeneEvidence(access, observed, 0.09))
        expected.append(prior)
    found = learn_prior(genes, expected, [typical] * len(genes), np.zeros(N))
    assert found.own == pytest.approx(true.own, abs=0.15)
    assert found.typical == pytest.approx(true.typical, rel=0.15)
    assert found.promoter == pytest.approx(true.promoter, rel=0.15)


def test_what_genes_have_in_common_is_found():
    rng = np.random.default_rng(4)
    direction = np.zeros(N)
    direction[:2] = np.sqrt(0.5)
    genes, effects = [], []
    for _ in range(3000):
        access, effect = rng.normal(size=(N, 2)), rng.normal(size=2)
        shared = 3 + 2 * rng.normal() * direction
        observed = access @ effect + shared + rng.normal(0, 0.5, N)
        genes.append(GeneEvidence(access, observed, 0.25))
        effects.append(effect)
    shift, vectors, variance = common_residuals(genes, effects)
    assert np.allclose(shift, 3, atol=0.15)
    assert variance[-1] == pytest.approx(4, rel=0.1)
    assert abs(vectors[:, -1] @ direction) > 0.99
    assert variance[:-1].max() < 0.1


def test_typical_effects_fall_with_distance():
    distances = np.array([-100, 200, 300, -400])
    found = typical_squares(np.array([2.0, 1.0, 3.0, 0.5]), distances)
    assert found == pytest.approx([14 / 3] * 3 + [0.25])


def test_directions_hold_accessibility_and_the_rest_is_noise():
    data, _, _ = made_gene_peaks(n_genes=40)
    directions = directions_of_cells(data, seed=1)
    assert directions.shape == (90, 22)
    assert np.allclose(directions.T @ directions, np.eye(22), atol=1e-8)
    gene = evidence_of(data, directions, 3)
    observed = data.expression.observed(np.array([3]))[:, 0]
    whole = ((observed - observed.mean()) ** 2).sum()
    assert gene.noise * (90 - 1 - 22) + (gene.observed**2).sum() == pytest.approx(whole, rel=1e-5)


def test_a_gene_s_cells_tell_its_links_where_the_shared_model_knows_none():
    data, drives, _ = made_gene_peaks(n_genes=60)
    n = len(drives)
    matched = draw_background(made_peaks(data)[1], 1, seed=1)[:, 0]
    believed = np.full(n, 0.2)
    found = fit_effects(data, believed, np.full(60, 0.2), believed, matched, seed=1)
    assert found.mean[drives].mean() > found.mean[~drives].mean() + found.deviation.mean()
    assert found.null_mean.mean() < found.mean[drives].mean()
    again = fit_effects(data, believed, np.full(60, 0.2), believed, matched, seed=1)
    assert np.array_equal(found.mean, again.mean)
