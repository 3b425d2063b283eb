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


def scan(codes, weight, rows, precision):
    arguments = (tensor.to(DEVICE) for tensor in (codes, weight, rows))
    maxima, positions = conv_maxpool_triton.forward(*arguments, precision)
    return maxima.cpu(), positions.cpu()


@SHAPES
def test_equals_the_cpu_operator(batch, length, n_filters, width):
    codes, weight, rows = random_case(batch, length, n_filters, width)
    maxima, _ = scan(codes, weight, rows, "fp32")
    expected, _ = conv_maxpool_cpu.forward(codes, weight, rows)
    torch.testing.assert_close(maxima, expected, rtol=1e-5, atol=1e-19)


@SHAPES
def test_first_of_ties(batch, length, n_filters, width):
    codes, weight, rows = random_case(batch, length, n_filters, width)
    _, positions = scan(codes, weight.sign(), rows, "fp32")
    _, expected = conv_maxpool_cpu.forward(codes, weight.sign(), rows)
    assert torch.equal(positions.long(), expected.long())


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
def test_gradient_equals_the_cpu_operator(batch, length, n_filters, width):
    codes, weight, rows = random_case(batch, length, n_filters, width)
    _, positions = conv_maxpool_cpu.forward(codes, weight, rows)
    grad_maxima = torch.randn(positions.shape, generator=torch.Generator().manual_seed(1))
    arguments = (codes, rows, positions.int(), grad_maxima)
    grad_weight = conv_maxpool_triton.backward(*(a.to(DEVICE) for a in arguments), width)
    expected = conv_maxpool_cpu.backward(*arguments, width)
    torch.testing.assert_close(grad_weight.cpu(), expected, rtol=1e-5, atol=1e-5)
