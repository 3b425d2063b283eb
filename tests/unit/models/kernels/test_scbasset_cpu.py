"""The trunk as it is trained on a CPU against the layers one after the other, in float64."""

import numba
import pytest
import torch
from torch.nn import functional as F

from cisgrammar.common.threads import set_threads
from cisgrammar.models.kernels import scbasset_cpu
from cisgrammar.models.kernels.norm_pool import same_padding
from cisgrammar.models.kernels.scbasset_cpu import transforms, trunk

BLOCKS = ((5, 7, 3), (6, 5, 2), (4, 4, 2), (3, 1, 1))  # filters, width, pool


def leaves(length, batch=11, seed=1):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn((batch, length, 4), generator=generator)
    weights, gains, offsets, channels = [], [], [], 4
    for filters, width, _ in BLOCKS:
        weights.append(torch.randn((filters, channels, width), generator=generator))
        gains.append(torch.randn(filters, generator=generator))  # of both signs
        offsets.append(torch.randn(filters, generator=generator))
        channels = filters
    return x, [*weights, *gains, *offsets]


def plainly(x, weights, gains, offsets, pools, eps):
    moments, x = [], x.transpose(1, 2)
    for i, (weight, gain, offset, pool) in enumerate(
        zip(weights, gains, offsets, pools, strict=True)
    ):
        width = weight.shape[2]
        x = F.conv1d(F.pad(F.silu(x) if i else x, ((width - 1) // 2, width // 2)), weight)
        moments.append((x.mean((0, 2)), x.var((0, 2), correction=0)))
        x = F.batch_norm(x, None, None, gain, offset, True, 0.0, eps)
        x = F.pad(x, same_padding(x.shape[2], pool), value=-torch.inf)
        x = F.max_pool1d(x, pool)
    return x.transpose(1, 2), moments


def run(what, length, dtype, **changes):
    x, parameters = leaves(length, **changes)
    parameters = [p.to(dtype).requires_grad_() for p in parameters]
    n = len(BLOCKS)
    z, moments = what(
        x.to(dtype), parameters[:n], parameters[n : 2 * n], parameters[2 * n :],
        [pool for *_, pool in BLOCKS], 1e-3,
    )  # fmt: skip
    generator = torch.Generator().manual_seed(2)
    (z * torch.randn(z.shape, generator=generator).to(dtype)).sum().backward()
    return [z.detach(), *(m.detach() for pair in moments for m in pair)], [
        p.grad for p in parameters
    ]


@pytest.mark.parametrize("at_once", [1, 100, 2048])
@pytest.mark.parametrize("length", [24, 25, 31])
def test_values_and_gradients_are_those_of_the_layers(length, at_once, monkeypatch):
    monkeypatch.setattr(scbasset_cpu, "POSITIONS_AT_ONCE", at_once)
    found, expected = (run(trunk, length, torch.float32), run(plainly, length, torch.float64))
    for one, other in zip([*found[0], *found[1]], [*expected[0], *expected[1]], strict=True):
        scale = other.abs().max()
        torch.testing.assert_close(one.double() / scale, other / scale, rtol=0, atol=2e-5)


@pytest.mark.parametrize("width", range(1, 8))
def test_winograd_transforms_give_the_convolution(width):
    to_filter, to_tile, from_tile = (m.double() for m in transforms(width))
    generator = torch.Generator().manual_seed(1)
    kernel = torch.randn(width, generator=generator).double()
    values = torch.randn(len(to_tile), generator=generator).double()
    expected = F.conv1d(values[None, None], kernel[None, None])[0, 0]
    found = from_tile @ ((to_filter @ kernel) * (to_tile @ values))
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


def test_results_do_not_depend_on_threads():
    results = []
    for threads in (1, numba.config.NUMBA_NUM_THREADS):
        set_threads(threads)
        results.append(run(trunk, 60, torch.float32, batch=16))
    for one, other in zip(*(values + grads for values, grads in results), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-5)


def test_a_gain_of_0_gives_the_offset():
    x, parameters = leaves(24)
    n = len(BLOCKS)
    parameters[n + n - 1].zero_()
    z, _ = trunk(x, parameters[:n], parameters[n : 2 * n], parameters[2 * n :], [3, 2, 2, 1], 1e-3)
    assert (z == parameters[-1]).all()
