import os

import pytest
import torch
from torch.nn import functional as F

from cisgrammar.models.kernels import norm_pool as module
from cisgrammar.models.kernels.norm_pool import norm_pool, same_padding

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


@pytest.fixture
def fused(monkeypatch):
    """Take the kernels of GPUs: on one where there is one, else through Triton's interpreter."""
    if DEVICE == "cpu":
        monkeypatch.setitem(os.environ, "TRITON_INTERPRET", "1")  # read when Triton is imported
    pytest.importorskip("triton", reason="Triton comes with torch for CUDA, and is not installed")
    from cisgrammar.models.kernels import norm_pool_triton

    monkeypatch.setattr(module, "_is_fused", lambda x: True)
    return norm_pool_triton


def plainly(x, gain, offset, mean, var, pool):
    left, right = same_padding(x.shape[2], pool)
    x = F.batch_norm(x, mean, var, gain, offset, True, 0.1, 1e-3)
    return F.max_pool1d(F.pad(x, (left, right), value=-torch.inf), pool)


def arguments(length, dtype=torch.float32):
    generator = torch.Generator().manual_seed(1)
    x = 3 + 2 * torch.randn((5, 7, length), generator=generator)
    gain, offset = torch.randn((2, 7), generator=generator)  # gains of both signs
    weights = torch.randn((5, 7, length), generator=generator)
    return x.to(dtype), gain, offset, weights


@pytest.mark.parametrize("length, pool", [(12, 3), (13, 3), (14, 3), (7, 2), (8, 2), (6, 1)])
def test_values_and_gradients_are_those_of_the_two_operators(length, pool):
    x, gain, offset, weights = arguments(length)
    results = []
    for ours in (True, False):
        leaves = [t.clone().requires_grad_() for t in (x, gain, offset)]
        running = [torch.zeros(7), torch.ones(7)]
        if ours:
            z = norm_pool(*leaves, *running, pool=pool, training=True, momentum=0.1, eps=1e-3)
        else:
            z = plainly(*leaves, *running, pool)
        (z * weights[:, :, : z.shape[2]]).sum().backward()
        results.append([z.detach(), *running, *(leaf.grad for leaf in leaves)])
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


def test_bfloat16_is_within_its_rounding():
    x, gain, offset, weights = arguments(12, torch.bfloat16)
    grads = []
    for dtype in (torch.bfloat16, torch.float32):
        leaf = x.to(dtype).clone().requires_grad_()
        z = norm_pool(
            leaf, gain, offset, torch.zeros(7), torch.ones(7),
            pool=3, training=True, momentum=0.1, eps=1e-3,
        )  # fmt: skip
        (z * weights[:, :, :4].to(dtype)).sum().backward()
        grads.append((z.detach().float(), leaf.grad.float()))
        assert z.dtype == leaf.grad.dtype == dtype
    for one, other in zip(*grads, strict=True):
        torch.testing.assert_close(one, other, rtol=2e-2, atol=2e-2)


def test_without_training_running_averages_are_used_and_kept():
    x, gain, offset, _ = arguments(7)
    mean, var = torch.full((7,), 3.0), torch.full((7,), 4.0)
    z = norm_pool(x, gain, offset, mean, var, pool=2, training=False, momentum=0.1, eps=0.0)
    expected = (x - 3) / 2 * gain[:, None] + offset[:, None]
    assert z.shape == (5, 7, 4)
    torch.testing.assert_close(z[:, :, 0], expected[:, :, :2].amax(2))
    torch.testing.assert_close(z[:, :, 3], expected[:, :, 6])
    assert (mean == 3).all() and (var == 4).all()


def test_results_do_not_depend_on_threads():
    import numba

    x, gain, offset, _ = arguments(60)
    results = []
    for threads in (1, numba.config.NUMBA_NUM_THREADS):
        numba.set_num_threads(threads)
        leaf = x.clone().requires_grad_()
        z = norm_pool(
            leaf, gain, offset, torch.zeros(7), torch.ones(7),
            pool=2, training=True, momentum=0.1, eps=1e-3,
        )  # fmt: skip
        z.square().sum().backward()
        results.append((z.detach(), leaf.grad))
    assert all(torch.equal(one, other) for one, other in zip(*results, strict=True))


def on_device(ours, length, pool, dtype=torch.float32):
    x, gain, offset, weights = (each.to(DEVICE) for each in arguments(length))
    leaves = [x.to(dtype).requires_grad_(), gain.requires_grad_(), offset.requires_grad_()]
    running = [torch.zeros(7, device=DEVICE), torch.ones(7, device=DEVICE)]
    way = {"training": True, "momentum": 0.1, "eps": 1e-3}
    z = norm_pool(*leaves, *running, pool=pool, **way) if ours else plainly(*leaves, *running, pool)
    (z * weights[:, :, : z.shape[2]].to(dtype)).sum().backward()
    return [z.detach(), *running, *(leaf.grad for leaf in leaves)]


@pytest.mark.parametrize("programs", [1, 512])
@pytest.mark.parametrize("length, pool", [(12, 3), (13, 3), (14, 3), (7, 2), (80, 2), (6, 1)])
def test_fused_they_are_the_same(fused, monkeypatch, length, pool, programs):
    monkeypatch.setattr(fused, "PROGRAMS", programs)
    found, expected = (on_device(ours, length, pool) for ours in (True, False))
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


def test_fused_bfloat16_is_within_its_rounding(fused):
    rough, exact = on_device(True, 12, 3, torch.bfloat16), on_device(False, 12, 3)
    assert rough[0].dtype == rough[3].dtype == torch.bfloat16
    for one, other in zip(rough, exact, strict=True):
        torch.testing.assert_close(one.float(), other.float(), rtol=5e-2, atol=5e-2)


def test_fused_gives_the_same_bytes_in_every_run(fused):
    for one, other in zip(on_device(True, 80, 2), on_device(True, 80, 2), strict=True):
        assert torch.equal(one, other)
