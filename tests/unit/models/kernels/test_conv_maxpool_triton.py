"""The CUDA kernels: on a GPU where there is one, else through Triton's interpreter."""

import os

import pytest
import torch

from cisgrammar.models.kernels import conv_maxpool_cpu

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
if DEVICE == "cpu":
    os.environ["TRITON_INTERPRET"] = "1"  # read when Triton is imported
pytest.importorskip("triton", reason="Triton comes with torch for CUDA, and is not installed")
from cisgrammar.models.kernels import conv_maxpool_triton  # noqa: E402

READINGS = pytest.mark.parametrize("strands, bins", [(1, 1), (2, 1), (1, 3), (2, 4)])
SHAPES = pytest.mark.parametrize(
    "batch, length, n_filters, width",
    [(5, 40, 7, 5), (3, 200, 70, 12), (2, 19, 3, 19), (9, 65, 65, 1), (40, 30, 4, 8)],
)


def random_case(batch, length, n_filters, width):
    generator = torch.Generator().manual_seed(0)
    codes = torch.randint(0, 5, (batch + 3, length), dtype=torch.uint8, generator=generator)
    weight = torch.randn(n_filters, 4, width, generator=generator)
    weight[0] *= 1e-14  # the published initial weights are as small
    rows = torch.randint(0, batch + 3, (batch,), generator=generator)
    return codes, weight, rows


def scan(codes, weight, rows, precision, strands=1, bins=1):
    arguments = (tensor.to(DEVICE) for tensor in (codes, weight, rows))
    maxima, windows = conv_maxpool_triton.forward(*arguments, precision, strands, bins)
    return maxima.cpu(), windows.cpu()


def at_most(bins, length, width):
    return min(bins, length - width + 1)


@SHAPES
@READINGS
def test_equals_the_cpu_operator(batch, length, n_filters, width, strands, bins):
    codes, weight, rows = random_case(batch, length, n_filters, width)
    bins = at_most(bins, length, width)
    maxima, _ = scan(codes, weight, rows, "fp32", strands, bins)
    expected, _ = conv_maxpool_cpu.forward(codes, weight, rows, "fp32", strands, bins)
    torch.testing.assert_close(maxima, expected, rtol=1e-5, atol=1e-19)


@SHAPES
@READINGS
def test_first_of_ties(batch, length, n_filters, width, strands, bins):
    codes, weight, rows = random_case(batch, length, n_filters, width)
    reading = ("fp32", strands, at_most(bins, length, width))
    _, windows = scan(codes, weight.sign(), rows, *reading)
    _, expected = conv_maxpool_cpu.forward(codes, weight.sign(), rows, *reading)
    assert torch.equal(windows.long(), expected.long())


@SHAPES
def test_fp16_is_within_its_stated_error(batch, length, n_filters, width):
    codes, weight, rows = random_case(batch, length, n_filters, width)
    maxima, _ = scan(codes, weight, rows, "fp16")
    expected, _ = conv_maxpool_cpu.forward(codes, weight, rows)
    bound = weight.abs().amax(dim=1).sum(dim=1) * (2**-11 + 1e-6)
    error = (maxima - expected).abs()
    assert (error <= bound).all()
    assert error.max() > 0


@SHAPES
@READINGS
def test_gradient_equals_the_cpu_operator(batch, length, n_filters, width, strands, bins):
    codes, weight, rows = random_case(batch, length, n_filters, width)
    bins = at_most(bins, length, width)
    _, windows = conv_maxpool_cpu.forward(codes, weight, rows, "fp32", strands, bins)
    grad_maxima = torch.randn(windows.shape, generator=torch.Generator().manual_seed(1))
    arguments = (codes, rows, windows.int(), grad_maxima)
    grad_weight = conv_maxpool_triton.backward(*(a.to(DEVICE) for a in arguments), width)
    expected = conv_maxpool_cpu.backward(*arguments, width)
    torch.testing.assert_close(grad_weight.cpu(), expected, rtol=1e-5, atol=1e-5)
