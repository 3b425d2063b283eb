"""The fused loss of scBasset: on a GPU where there is one, else through Triton's interpreter."""

import os

import pytest
import torch
from scipy import sparse
from torch.nn import functional as F

from cisgrammar.data.open_entries import OpenEntries
from cisgrammar.models.kernels import open_cross_entropy

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
if DEVICE == "cpu":
    os.environ["TRITON_INTERPRET"] = "1"  # read when Triton is imported
pytest.importorskip("triton", reason="Triton comes with torch for CUDA, and is not installed")
from cisgrammar.data import open_entries_triton  # noqa: E402
from cisgrammar.models.kernels import cross_entropy_triton  # noqa: E402

SHAPES = pytest.mark.parametrize(
    "n_peaks, n_cells, bottleneck",
    [(5, 3, 32), (32, 64, 32), (128, 200, 32), (33, 65, 7), (70, 130, 33), (1, 1, 1), (9, 70, 64)],
)


def random_case(n_peaks, n_cells, bottleneck):
    generator = torch.Generator().manual_seed(0)
    shapes = (n_peaks, bottleneck), (n_cells, bottleneck), (n_cells,)
    leaves = [torch.randn(shape, generator=generator) for shape in shapes]
    return [*leaves, torch.rand(n_peaks, n_cells, generator=generator) < 0.3]


def fused(*case, wanted=True):
    arguments = (tensor.to(DEVICE) for tensor in case)
    total, grads = cross_entropy_triton.forward(*arguments, wanted)
    return [total.cpu(), *(grad.cpu() for grad in grads)]


def expected(embedding, weight, bias, opened):
    leaves = [leaf.double().requires_grad_() for leaf in (embedding, weight, bias)]
    logits = leaves[0] @ leaves[1].T + leaves[2]
    total = F.binary_cross_entropy_with_logits(logits, opened.double(), reduction="sum")
    return [total.detach(), *torch.autograd.grad(total, leaves)]


def check(found, case):
    assert found[0].item() == pytest.approx(expected(*case)[0].item(), rel=1e-6)
    for grad, right in zip(found[1:], expected(*case)[1:], strict=True):
        torch.testing.assert_close(grad.double(), right, rtol=1e-5, atol=1e-5)


@SHAPES
def test_sum_and_gradients_are_those_of_the_blocks(n_peaks, n_cells, bottleneck):
    case = random_case(n_peaks, n_cells, bottleneck)
    check(fused(*case), case)


@pytest.mark.parametrize("programs", [1, 2, 3])
def test_a_program_takes_several_tiles(monkeypatch, programs):
    monkeypatch.setattr(cross_entropy_triton, "PROGRAMS", programs)
    case = random_case(40, 300, 32)
    check(fused(*case), case)


@pytest.mark.parametrize("bias", [-200, -20, -16, 0, 20, 200])
def test_extreme_logits(bias):
    embedding, weight, _, opened = random_case(33, 65, 32)
    case = embedding * 0.1, weight, torch.full((65,), float(bias)), opened
    check(fused(*case), case)


@pytest.mark.parametrize("value, slope", [(torch.nan, torch.nan), (torch.inf, 1)])
def test_what_is_not_finite_shows(value, slope):
    embedding, weight, bias, opened = random_case(33, 65, 32)
    bias[64], opened[:, 64] = value, False
    total, _, _, of_bias = fused(embedding, weight, bias, opened)
    assert not total.isfinite()
    assert of_bias[64].item() == pytest.approx(33 * slope, nan_ok=True)


@SHAPES
def test_the_sum_is_the_same_without_gradients(n_peaks, n_cells, bottleneck):
    case = random_case(n_peaks, n_cells, bottleneck)
    with_gradients = fused(*case)[0].item()
    assert fused(*case, wanted=False)[0].item() == pytest.approx(with_gradients, rel=1e-6)


def test_same_bytes_in_every_run():
    case = random_case(70, 1000, 32)
    for one, other in zip(fused(*case), fused(*case), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("enabled", [True, False])
def test_the_loss_takes_the_kernel(monkeypatch, enabled):
    monkeypatch.setattr(open_cross_entropy, "is_fused", lambda weight: True)
    asked = []

    def watched(*arguments, forward=cross_entropy_triton.forward):
        asked.append(arguments[-1])
        return forward(*arguments)

    monkeypatch.setattr(cross_entropy_triton, "forward", watched)
    targets = sparse.random(40, 9, 0.3, format="csr", random_state=1)
    entries = OpenEntries.of_matrix(targets, DEVICE)
    rows = torch.tensor([1, 8, 2, 0], device=DEVICE)
    leaves = [tensor.to(DEVICE).requires_grad_() for tensor in random_case(4, 40, 7)[:3]]
    with torch.set_grad_enabled(enabled):
        loss = open_cross_entropy.cross_entropy_sum(*leaves, entries, rows)
    assert asked == [enabled]
    logits = leaves[0] @ leaves[1].T + leaves[2]
    dense = entries.dense(rows).float()
    right = F.binary_cross_entropy_with_logits(logits, dense, reduction="sum")
    torch.testing.assert_close(loss, right if enabled else right.detach())
    if enabled:
        found, grads = (torch.autograd.grad(2 * total, leaves) for total in (loss, right))
        torch.testing.assert_close(found, grads, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_open_entries_are_marked(share):
    targets = sparse.random(700, 9, share, format="csr", random_state=1)
    rows = torch.tensor([1, 8, 2, 2])
    entries = OpenEntries.of_matrix(targets, DEVICE)
    found = open_entries_triton.dense(entries.offsets, entries.cells, rows.to(DEVICE), 700)
    assert (found.cpu().numpy() == (targets.toarray().T[rows] > 0)).all()
