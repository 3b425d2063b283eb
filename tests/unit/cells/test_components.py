import anndata as ad
import numba
import numpy as np
import pytest
import scanpy as sc
import scipy.sparse as sp

from cisgrammar.cells.components import log_normalised, lsi, randomised_components


def matrix(n=400, n_genes=120, n_types=6, seed=0):
    """Give counts of cells of some types."""
    rng = np.random.default_rng(seed)
    mean = np.exp(rng.normal(0, 1, (n_types, n_genes)))[rng.integers(n_types, size=n)]
    return sp.csr_matrix(rng.poisson(mean), dtype=np.float32)


def test_normalisation_is_scanpys_to_the_byte():
    counts = matrix()
    counts.data += np.random.default_rng(1).random(counts.nnz).astype(np.float32)
    before = counts.copy()
    normal = log_normalised(counts)
    assert (before != counts).nnz == 0
    scanpy = ad.AnnData(counts.copy())
    sc.pp.normalize_total(scanpy)
    sc.pp.log1p(scanpy)
    assert normal.data.tobytes() == scanpy.X.data.tobytes()
    assert np.shares_memory(normal.indices, counts.indices)


@pytest.mark.parametrize("centre", [True, False])
def test_randomised_components_are_the_exact_ones(centre):
    values = log_normalised(matrix())
    dense = values.toarray().astype(float)
    left, scale, right = np.linalg.svd(dense - dense.mean(axis=0) * centre, full_matrices=False)
    found = randomised_components(values, 5, seed=0, centre=centre)
    assert found.shape == (400, 5)
    sign = np.sign(right[np.arange(5), np.abs(right[:5]).argmax(axis=1)])
    np.testing.assert_allclose(found, left[:, :5] * scale[:5] * sign, atol=2e-3)


def test_randomised_components_keep_the_variance_of_noise():
    """Where the spectrum is flat, components are not the exact ones, but as good."""
    values = sp.csr_matrix(np.random.default_rng(0).poisson(0.3, (2000, 300)), dtype=np.float32)
    dense = values.toarray().astype(float)
    exact = np.linalg.svd(dense - dense.mean(axis=0), compute_uv=False)[:20]
    found = randomised_components(values, 20, seed=0, centre=True)
    assert np.linalg.norm(found) > 0.97 * np.linalg.norm(exact)


@pytest.mark.skipif(numba.config.NUMBA_NUM_THREADS < 2, reason="one processor")
def test_randomised_components_do_not_depend_on_threads():
    values = log_normalised(matrix())
    found = []
    for n_threads in (1, 2):
        numba.set_num_threads(n_threads)
        found.append(randomised_components(values, 10, seed=3, centre=True))
    assert found[0].tobytes() == found[1].tobytes()


def test_lsi_is_the_svd_of_tf_idf():
    rng = np.random.default_rng(0)
    dense = rng.poisson(0.7, (30, 20)).astype(float)
    dense[:, 0] += 1  # no cell without counts
    found = lsi(sp.csr_matrix(dense), 5, seed=1)
    tf = dense / dense.sum(axis=1, keepdims=True)
    values = np.log1p(1e4 * tf * len(dense) / dense.sum(axis=0))
    left, scale, _ = np.linalg.svd(values, full_matrices=False)
    np.testing.assert_allclose(np.abs(found), np.abs((left * scale)[:, :5]), atol=1e-8)
    near = lsi(sp.csr_matrix(dense), 5, seed=1, exact=False)
    np.testing.assert_allclose(near, found, atol=0.05)
    np.testing.assert_array_equal(found, lsi(sp.csr_matrix(dense), 5, seed=1))
    np.testing.assert_allclose(found, lsi(sp.csr_matrix(dense), 5, seed=2), atol=1e-8)


@pytest.mark.parametrize("part", [0.0, 0.5])
def test_values_made_anew_give_the_components_of_those_that_are_kept(part):
    """Small counts, those beyond the table of logarithms, no integers, and no counts at all."""
    counts = matrix()
    counts.data[::7] += 40 + part
    counts = sp.vstack([counts, sp.csr_matrix((1, counts.shape[1]))], format="csr")
    kept = randomised_components(log_normalised(counts), 5, seed=0, centre=True)
    anew = randomised_components(counts, 5, seed=0, centre=True, log_normalise=True)
    np.testing.assert_allclose(anew, kept, rtol=1e-4, atol=1e-4)
