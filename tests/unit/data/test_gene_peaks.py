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
    densest_description,
    learn_expression,
    pools_of_cells,
    split_cells,
    without_depth,
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


def test_predicted_accessibility_is_the_first_stage_s():
    embedding, weight, depth = torch.randn(5, 3), torch.randn(7, 3), torch.randn(7)
    peaks, cells = np.array([4, 1]), torch.tensor([0, 6])
    found = Predicted(embedding, weight, depth).of_peaks(peaks, cells)
    logits = (weight @ embedding.T + depth[:, None])[cells][:, peaks]
    assert torch.allclose(found, torch.sigmoid(logits))
    found = Predicted(embedding, weight, depth, log_odds=True).of_peaks(peaks, cells)
    assert torch.allclose(found, logits)


def peaks_of_which_most_stand_still():
    """Make descriptions: 60 alike, 40 that bear what opens them in some cells; and cells."""
    torch.manual_seed(0)
    embedding = torch.tensor([1.0, 2.0, -1.0]) + 0.02 * torch.randn(100, 3)
    embedding[60:] += torch.tensor([2.0, 0.0, 1.0]) * torch.rand(40, 1)
    return embedding, torch.randn(30, 3), torch.randn(30)


def test_most_peaks_stand_still_whatever_the_others_do():
    embedding, weight, _ = peaks_of_which_most_stand_still()
    found = densest_description(embedding, weight)
    assert torch.allclose(found, torch.tensor([1.0, 2.0, -1.0]), atol=0.02)
    assert (embedding.mean(dim=0) - found).abs().max() > 0.3, "their mean does not"


def test_peaks_that_are_all_the_same_and_cells_that_are_stand_still_too():
    embedding, weight, _ = peaks_of_which_most_stand_still()
    same = embedding[:1].expand(100, 3)
    assert torch.allclose(densest_description(same, weight), same[0], atol=1e-4)
    found = densest_description(embedding, weight[:1].expand(30, 3))
    assert np.array_equal(found, np.median(embedding, axis=0))


@pytest.mark.parametrize("log_odds", [True, False])
def test_without_depth_peaks_that_do_not_vary_are_as_open_in_each_cell(log_odds):
    embedding, weight, depth = peaks_of_which_most_stand_still()
    peaks = np.arange(100)
    found = without_depth(embedding, weight, depth, log_odds).of_peaks(peaks)
    logits = found if log_odds else torch.logit(found)
    whole = weight @ embedding.T + depth[:, None]
    assert logits[:, :60].mean(dim=1).std() < 0.02 < whole[:, :60].mean(dim=1).std()
    assert torch.allclose(logits.mean(dim=0), whole.mean(dim=0), atol=1e-4), "peaks keep theirs"
    assert torch.allclose(logits - logits[:, :1], whole - whole[:, :1], atol=1e-3)
    # the same where descriptions move and the intercept makes up for it
    moved = without_depth(embedding + 1, weight, depth - weight.sum(dim=1), log_odds)
    assert torch.allclose(moved.of_peaks(peaks), found, atol=1e-3)


def test_genes_that_do_not_vary_stand_still_where_many_others_rise():
    rng = np.random.default_rng(1)
    rises, silent = np.arange(400) < 80, np.arange(400) >= 200  # hardly a count of half of them
    state = np.repeat([0, 1], 150)
    rate = np.exp(2 - 6 * silent + np.outer(state, 1.5 * rises))
    depth = 2000 * rng.lognormal(0, 0.2, (300, 1))
    counts = sparse.csr_matrix(rng.poisson(depth * rate / rate.sum(axis=1, keepdims=True)))
    genes, train = np.arange(400), np.arange(0, 300, 2)
    still = ~rises & ~silent

    def change(relative):
        learned = learn_expression(counts, train, 3, seed=1, relative=relative)
        both = learned.denoised(genes), learned.observed(genes)
        return [each[state == 1].mean(axis=0) - each[state == 0].mean(axis=0) for each in both]

    for plain, relative in zip(change(False), change(True), strict=True):
        assert plain[still].mean() < -0.3, "they seem to fall"
        assert abs(relative[still].mean()) < 0.1
        assert abs(relative[silent]).mean() < 0.3
        assert relative[rises].mean() > plain[rises].mean()


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
