import numpy as np
import pytest
import torch
from made_links import made_gene_peaks
from scipy import sparse

from cisgrammar.common.errors import InputError
from cisgrammar.data.gene_peaks import (
    Counted,
    Predicted,
    Scaled,
    learn_expression,
    pools_of_cells,
    split_cells,
)


def made_counts(n_cells=80, n_genes=30, seed=1):
    rng = np.random.default_rng(seed)
    state = rng.normal(size=(n_cells, 3))
    rate = np.exp(1 + 0.5 * state @ rng.normal(size=(3, n_genes)))
    return sparse.csr_matrix(rng.poisson(rate))


def test_components_and_scalers_are_of_training_cells_alone():
    counts, train = made_counts(), np.arange(50)
    learned = learn_expression(counts, train, 3, seed=1)
    changed = counts.toarray()
    changed[70:] = changed[70:, ::-1]
    again = learn_expression(sparse.csr_matrix(changed), train, 3, seed=1)
    # depth is scaled to the median of all cells, which stays
    assert np.allclose(learned.loadings, again.loadings, atol=1e-5)
    assert np.allclose(learned.components[train], again.components[train], atol=1e-5)
    observed = learned.observed(np.arange(30))[train]
    assert np.allclose(observed.mean(axis=0), 0, atol=1e-5)
    assert np.allclose(observed.std(axis=0), 1, atol=1e-4)


def test_all_components_rebuild_expression_of_training_cells():
    counts, train = made_counts(), np.arange(80)
    learned = learn_expression(counts, train, 29, seed=1)
    genes = np.arange(30)
    r = np.corrcoef(learned.denoised(genes).ravel(), learned.observed(genes).ravel())[0, 1]
    assert r > 0.98


def test_fewer_cells_than_components_are_refused():
    with pytest.raises(InputError, match="50 components of expression cannot be found in 40"):
        learn_expression(made_counts(), np.arange(40), 50, seed=1)


def test_scaled_accessibility_has_mean_square_1_over_its_cells_and_is_then_centred():
    rng = np.random.default_rng(1)
    counted = Counted(sparse.csr_matrix(rng.random((40, 6)) < 0.4))
    cells, peaks = torch.arange(30), np.arange(6)
    plain = Scaled(counted, 6, cells, False).of_peaks(peaks, cells)
    assert torch.allclose(plain.square().mean(dim=0), torch.ones(6), atol=1e-5)
    centred = Scaled(counted, 6, cells, True).of_peaks(peaks, cells)
    assert torch.allclose(centred, plain - plain.mean(dim=0), atol=1e-5)


def test_scaled_together_peaks_keep_their_proportions():
    is_open = np.zeros((4, 2))
    is_open[:, 0], is_open[0, 1] = 1, 1
    counted = Counted(sparse.csr_matrix(is_open))
    found = Scaled(counted, 2, torch.arange(4), False, together=True)
    expected = is_open / np.sqrt((is_open**2).mean())
    assert np.allclose(found.of_peaks(np.arange(2)).numpy(), expected)


def test_predicted_accessibility_is_the_first_stage_s_with_or_without_depth():
    embedding, weight, depth = torch.randn(5, 3), torch.randn(7, 3), torch.randn(7)
    peaks, cells = np.array([4, 1]), torch.tensor([0, 6])
    found = Predicted(embedding, weight, depth).of_peaks(peaks, cells)
    expected = torch.sigmoid(weight @ embedding.T + depth[:, None])[cells][:, peaks]
    assert torch.allclose(found, expected)
    free = Predicted(embedding, weight, None).of_peaks(peaks)
    assert torch.allclose(free, torch.sigmoid(weight @ embedding.T)[:, peaks])


def test_cells_are_split_once_and_the_same_again():
    parts = split_cells(100, {"validation": 0.1, "test": 0.2}, seed=1)
    counted = dict(zip(*np.unique(parts.astype(str), return_counts=True), strict=True))
    assert counted == {"test": 20, "train": 70, "validation": 10}
    assert (parts == split_cells(100, {"validation": 0.1, "test": 0.2}, seed=1)).all()


def test_pools_are_means_of_like_cells():
    components = np.repeat([[0.0, 0.0], [9.0, 9.0]], 10, axis=0)
    components = components + np.random.default_rng(1).normal(0, 0.1, components.shape)
    pools = pools_of_cells(components, 6, 5, seed=1).toarray()
    assert np.allclose(pools.sum(axis=1), 1)
    assert all((row[:10] > 0).sum() in (0, 5) for row in pools)


def test_a_batch_holds_what_genes_have_and_no_padding():
    data, _, _ = made_gene_peaks()
    batch = data.batch([3, 0], torch.tensor([1, 5]))
    assert list(batch.counts) == [4, 4]
    assert [tuple(its.shape) for its in batch.accessibility] == [(2, 5), (2, 5)]
    assert torch.equal(batch.promoters[0], data.embedding[15])
    assert torch.equal(batch.candidates[4:], data.embedding[1:5])
    assert batch.distances[:4].tolist() == pytest.approx([-0.4, -0.1, 0.1, 0.4])
    target = data.targets([3], torch.tensor([1]), "own_gene")
    assert target.shape == (1, 1, 1)
    assert target.item() == pytest.approx(data.expression.denoised(np.array([3]))[1, 0])
