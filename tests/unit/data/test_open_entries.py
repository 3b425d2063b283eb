import numpy as np
import pytest
import torch
from anndata import AnnData, read_h5ad
from scipy import sparse
from torch.nn import functional as F

from cisgrammar.data import open_entries
from cisgrammar.data.open_entries import OpenEntries
from cisgrammar.models.kernels import open_cross_entropy
from cisgrammar.models.kernels.open_cross_entropy import cross_entropy_sum


def matrix(cells=17, peaks=9):
    return sparse.random(cells, peaks, 0.3, format="csr", random_state=1)


def test_entries_are_those_of_the_matrix():
    found = OpenEntries.of_matrix(matrix())
    assert found.shape == (9, 17) and found.cells.dtype == torch.int32
    rows = torch.tensor([3, 0, 8, 3])
    assert (found.dense(rows).numpy() == (matrix().T[[3, 0, 8, 3]] > 0).toarray()).all()


def test_stored_zeros_are_closed():
    counts = matrix()
    counts.data[:5] = 0
    found = OpenEntries.of_matrix(counts)
    assert len(found.cells) == len(counts.data) - 5
    assert (found.dense(torch.arange(9)).numpy() == (counts.T > 0).toarray()).all()


@pytest.mark.parametrize("at_once", [1, 5, 100])
def test_entries_are_read_from_a_file_some_cells_at_a_time(tmp_path, at_once):
    counts = matrix()
    counts.data[:5] = 0
    AnnData(counts).write_h5ad(tmp_path / "counts.h5ad")
    on_disk = read_h5ad(tmp_path / "counts.h5ad", backed="r").X
    found = OpenEntries.of_matrix(on_disk, at_once=at_once)
    whole = OpenEntries.of_matrix(counts)
    assert found.shape == whole.shape
    assert torch.equal(found.offsets, whole.offsets) and torch.equal(found.cells, whole.cells)
    assert all(
        torch.equal(cells, cells.sort().values)
        for cells in found.cells.tensor_split(found.offsets[1:-1])
    )


@pytest.mark.parametrize("at_once", [1, 20, 2**22])
def test_some_cells_in_another_order(monkeypatch, at_once):
    monkeypatch.setattr(open_entries, "ENTRIES_AT_ONCE", at_once)
    chosen = torch.tensor([5, 2, 16])
    found = OpenEntries.of_matrix(matrix()).of_cells(chosen)
    expected = (matrix().T > 0).toarray()[:, [5, 2, 16]]
    assert (found.dense(torch.arange(9)).numpy() == expected).all()


@pytest.mark.parametrize("at_once", [1, 5, 17, 100])
def test_loss_and_gradients_are_those_of_dense_targets(at_once):
    entries = OpenEntries.of_matrix(matrix())
    generator = torch.Generator().manual_seed(1)
    leaves = [torch.randn(shape, generator=generator) for shape in ((4, 3), (17, 3), (17,))]
    rows = torch.tensor([1, 8, 2, 0])
    results = []
    for ours in (True, False):
        embedding, weight, bias = (leaf.clone().requires_grad_() for leaf in leaves)
        if ours:
            loss = cross_entropy_sum(embedding, weight, bias, entries, rows, at_once)
        else:
            targets = entries.dense(rows).float()
            logits = embedding @ weight.T + bias
            loss = F.binary_cross_entropy_with_logits(logits, targets, reduction="sum")
        (2 * loss).backward()
        results.append([loss.detach(), embedding.grad, weight.grad, bias.grad])
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("enabled", [True, False])
def test_no_gradients_are_made_in_validation(monkeypatch, enabled):
    asked = []

    def watched(*arguments, forward=open_cross_entropy._block_by_block):
        asked.append(arguments[-1])
        return forward(*arguments)

    monkeypatch.setattr(open_cross_entropy, "_block_by_block", watched)
    leaves = [torch.randn(shape).requires_grad_() for shape in ((4, 3), (17, 3), (17,))]
    targets = OpenEntries.of_matrix(matrix())
    with torch.set_grad_enabled(enabled):
        cross_entropy_sum(*leaves, targets, torch.arange(4))
    assert asked == [enabled]


def test_a_peak_that_is_closed_everywhere_is_no_special_case():
    entries = OpenEntries.of_matrix(sparse.csr_matrix(np.array([[0, 1, 0], [0, 1, 0]])))
    embedding, weight, bias = torch.ones(3, 2), torch.ones(2, 2), torch.zeros(2)
    loss = cross_entropy_sum(embedding, weight, bias, entries, torch.arange(3))
    assert loss.item() == pytest.approx(6 * np.log1p(np.exp(2)) - 4, rel=1e-6)
