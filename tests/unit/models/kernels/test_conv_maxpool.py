import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from cisgrammar.genome.sequence import encode, one_hot
from cisgrammar.models.kernels import conv_maxpool_gpu
from cisgrammar.models.kernels.conv_maxpool import (
    ConvMaxPool,
    conv_maxpool,
    conv_maxpool_side_by_side,
)


def random_codes(seed, batch, length, n_codes=5):
    rng = np.random.default_rng(seed)
    return torch.from_numpy(rng.integers(0, n_codes, (batch, length), dtype=np.uint8))


def random_weight(seed, n_filters, width):
    return torch.randn(n_filters, 4, width, generator=torch.Generator().manual_seed(seed))


def window_scores(codes, weight):
    """Convolution in float64, as the published layers do it: (batch, filters, windows)."""
    return F.conv1d(torch.from_numpy(one_hot(codes.numpy())).double(), weight.double())


shapes = given(
    batch=st.integers(1, 70),
    n_filters=st.integers(1, 40),
    width=st.integers(1, 21),
    extra=st.integers(0, 30),
    n_codes=st.sampled_from([1, 4, 5]),
    seed=st.integers(0, 1000),
)


def test_best_window_by_hand():
    codes = torch.from_numpy(np.stack([encode("AACGTT"), encode("NNNNNN"), encode("CGCGAA")]))
    weight = torch.zeros(2, 4, 2)
    weight[0, 1, 0] = weight[0, 2, 1] = 1  # CG
    weight[1, :, 0] = torch.tensor([4.0, 0, 0, 8])
    maxima, positions = conv_maxpool(codes, weight)
    assert maxima.tolist() == [[2, 8], [0.5, 3], [2, 4]]
    assert positions.tolist() == [[2, 4], [0, 0], [0, 4]]


@shapes
@settings(max_examples=60, deadline=None)
def test_maxima_and_gradient_equal_float64_convolution(
    batch, n_filters, width, extra, n_codes, seed
):
    codes = random_codes(seed, batch, width + extra, n_codes)
    weight = random_weight(seed, n_filters, width).requires_grad_()
    maxima, positions = conv_maxpool(codes, weight)
    exact = weight.detach().double().requires_grad_()
    scores = window_scores(codes, exact)
    at_position = scores.gather(2, positions.long()[:, :, None])[:, :, 0]
    torch.testing.assert_close(maxima.double(), scores.amax(dim=2), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(at_position, scores.amax(dim=2), atol=1e-5, rtol=1e-5)

    grad_maxima = random_weight(seed + 1, batch, n_filters)[:, 0, :]
    maxima.backward(grad_maxima)
    at_position.backward(grad_maxima.double())
    torch.testing.assert_close(weight.grad.double(), exact.grad, atol=1e-4, rtol=1e-4)


@shapes
@settings(max_examples=30, deadline=None)
def test_first_of_ties_as_torch(batch, n_filters, width, extra, n_codes, seed):
    codes = random_codes(seed, batch, width + extra, n_codes)
    weight = random_weight(seed, n_filters, width).sign() * 4  # sums without rounding: real ties
    maxima, positions = conv_maxpool(codes, weight)
    scores = window_scores(codes, weight)
    expected, first = F.max_pool1d(scores, scores.shape[2], return_indices=True)
    assert torch.equal(maxima.double(), expected[:, :, 0])
    assert torch.equal(positions.long(), first[:, :, 0])


@shapes
@settings(max_examples=20, deadline=None)
def test_torch_operations_equal_the_kernel(batch, n_filters, width, extra, n_codes, seed):
    codes = random_codes(seed, batch, width + extra, n_codes)
    weight = random_weight(seed, n_filters, width).sign() * 4
    rows = torch.arange(batch).flip(0)
    maxima, positions = conv_maxpool(codes, weight.requires_grad_(), rows)
    maxima.backward(maxima.detach())
    maxima2, positions2 = conv_maxpool_gpu.forward(codes, weight.detach(), rows, "fp32")
    grad_weight = conv_maxpool_gpu.backward(codes, rows, positions2, maxima2, width)
    assert torch.equal(maxima.detach(), maxima2)
    assert torch.equal(positions.long(), positions2.long())
    torch.testing.assert_close(weight.grad, grad_weight)


def test_rows_choose_sequences_without_a_copy():
    codes = random_codes(0, 9, 40)
    weight = random_weight(0, 5, 6)
    rows = torch.tensor([8, 0, 3, 3])
    chosen = conv_maxpool(codes[rows], weight)
    for by_rows, by_copy in zip(conv_maxpool(codes, weight, rows), chosen, strict=True):
        assert torch.equal(by_rows, by_copy)


def test_long_sequences_need_wider_positions():
    codes = torch.zeros(1, 70_000, dtype=torch.uint8)
    codes[0, 69_990] = 3
    weight = torch.zeros(1, 4, 3)
    weight[0, 3, 0] = 1
    maxima, positions = conv_maxpool(codes, weight)
    assert (maxima.item(), positions.item()) == (1, 69_990)


def test_filters_that_are_not_finite_give_nan():
    weight = random_weight(0, 3, 4)
    weight[1, 2, 3] = torch.nan
    weight[2, 0, 0] = torch.inf
    maxima, positions = conv_maxpool(random_codes(0, 2, 30), weight)
    assert maxima.isnan().tolist() == [[False, True, True]] * 2
    assert positions[:, 1:].tolist() == [[0, 0]] * 2


@pytest.mark.parametrize(
    "codes, weight, message",
    [
        (torch.zeros(2, 5, dtype=torch.uint8), torch.zeros(3, 4, 6), "width 6 .* length 5"),
        (torch.zeros(2, 5, dtype=torch.long), torch.zeros(3, 4, 2), "codes must be uint8"),
        (torch.zeros(5, dtype=torch.uint8), torch.zeros(3, 4, 2), "codes must be uint8"),
        (torch.zeros(2, 5, dtype=torch.uint8), torch.zeros(3, 5, 2), "weight must be float32"),
        (torch.zeros(2, 5, dtype=torch.uint8), torch.zeros(3, 4, 2).double(), "must be float32"),
        (torch.full((2, 5), 5, dtype=torch.uint8), torch.zeros(3, 4, 2), "code 5"),
    ],
)
def test_arguments_that_do_not_fit(codes, weight, message):
    with pytest.raises(ValueError, match=message):
        conv_maxpool(codes, weight)


def test_rows_outside_the_matrix():
    with pytest.raises(ValueError, match="rows"):
        conv_maxpool(random_codes(0, 3, 9), random_weight(0, 2, 4), torch.tensor([0, 3]))


def test_unknown_precision():
    with pytest.raises(ValueError, match="fp32"):
        conv_maxpool(random_codes(0, 3, 9), random_weight(0, 2, 4), precision="fp8")


def test_side_by_side_equals_one_model_at_a_time():
    codes, rows = random_codes(0, 20, 60), torch.arange(0, 20, 3)
    weights = [random_weight(seed, 10 + seed, 7).requires_grad_() for seed in range(3)]
    together = conv_maxpool_side_by_side(codes, weights, rows)
    sum(maxima.square().sum() for maxima in together).backward()
    for weight, maxima in zip(weights, together, strict=True):
        alone = weight.detach().clone().requires_grad_()
        expected, _ = conv_maxpool(codes, alone, rows)
        expected.square().sum().backward()
        assert torch.equal(maxima, expected)
        assert torch.equal(weight.grad, alone.grad)


def test_module_trains_its_weight():
    layer = ConvMaxPool(n_filters=6, width=5)
    assert layer.weight.shape == (6, 4, 5)
    layer(random_codes(0, 4, 30)).sum().backward()
    assert torch.equal(layer.weight.grad.sum(dim=(1, 2)), torch.full((6,), 20.0))
