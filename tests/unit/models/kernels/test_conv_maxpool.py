import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from cisgrammar.genome.sequence import encode, one_hot, reverse_complement
from cisgrammar.models.kernels import conv_maxpool_gpu
from cisgrammar.models.kernels.conv_maxpool import (
    ConvMaxPool,
    best_windows,
    conv_maxpool,
    conv_maxpool_side_by_side,
)
from cisgrammar.models.kernels.stretches import stretches


def random_codes(seed, batch, length, n_codes=5):
    rng = np.random.default_rng(seed)
    return torch.from_numpy(rng.integers(0, n_codes, (batch, length), dtype=np.uint8))


def random_weight(seed, n_filters, width):
    return torch.randn(n_filters, 4, width, generator=torch.Generator().manual_seed(seed))


def window_scores(codes, weight, strands="forward"):
    """Convolution in float64, as the published layers do it: (batch, filters, windows, strands).

    A filter lies on the reverse strand as its own reverse complement on the forward one.
    """
    spelled = torch.from_numpy(one_hot(codes.numpy())).double()
    filters = [weight.double()] + [weight.double().flip(1, 2)] * (strands == "both")
    return torch.stack([F.conv1d(spelled, each) for each in filters], dim=3)


def best_of_bins(scores, bins):
    """Maxima of float64 scores, bin by bin: (batch, filters, bins)."""
    edges = stretches(scores.shape[2], bins)
    return torch.stack([scores[:, :, a:b].amax(dim=(2, 3)) for a, b in edges], dim=2)


def at_found(scores, found):
    """Scores at the windows that were found."""
    flat = found.positions.long() * scores.shape[3] + found.reverse
    return scores.flatten(2).gather(2, flat)


shapes = given(
    batch=st.integers(1, 70),
    n_filters=st.integers(1, 40),
    width=st.integers(1, 21),
    extra=st.integers(0, 30),
    n_codes=st.sampled_from([1, 4, 5]),
    strands=st.sampled_from(["forward", "both"]),
    share=st.floats(0, 1),
    seed=st.integers(0, 1000),
)


def some_bins(extra, share):
    """From one bin to one for each window."""
    return 1 + round(share * extra)


def test_best_window_by_hand():
    codes = torch.from_numpy(np.stack([encode("AACGTT"), encode("NNNNNN"), encode("CGCGAA")]))
    weight = torch.zeros(2, 4, 2)
    weight[0, 1, 0] = weight[0, 2, 1] = 1  # CG
    weight[1, :, 0] = torch.tensor([4.0, 0, 0, 8])
    maxima, positions, reverse = conv_maxpool(codes, weight)
    assert maxima[..., 0].tolist() == [[2, 8], [0.5, 3], [2, 4]]
    assert positions[..., 0].tolist() == [[2, 4], [0, 0], [0, 4]]
    assert not reverse.any()


def test_best_window_of_both_strands_by_hand():
    codes = torch.from_numpy(np.stack([encode("AAAGGT"), encode("ACCTAA"), encode("AACCGG")]))
    weight = torch.zeros(1, 4, 3)
    weight[0, 2, :2] = weight[0, 3, 2] = 1  # GGT, which is ACC from the other side
    found = conv_maxpool(codes, weight, strands="both")
    assert found.maxima.flatten().tolist() == [3, 3, 3]
    assert found.positions.flatten().tolist() == [3, 0, 1]
    assert found.reverse.flatten().tolist() == [False, True, True]


def test_best_window_of_each_bin_by_hand():
    codes = torch.from_numpy(encode("CACCTCGC"))[None]  # windows CA AC CC CT TC CG GC
    weight = torch.zeros(2, 4, 2)
    weight[0, 1, :] = torch.tensor([1.0, 2])  # C, and better a C after it
    weight[1, 3, 0] = 1
    found = conv_maxpool(codes, weight, bins=3)  # 7 windows: 0-2, 2-4, 4-6
    assert found.maxima.tolist() == [[[3, 3, 2], [0, 1, 1]]]
    assert found.positions.tolist() == [[[2, 2, 4], [0, 4, 4]]]


def test_a_window_that_two_bins_share_has_the_gradient_of_both():
    weight = torch.zeros(1, 4, 1, requires_grad=True)
    codes = torch.from_numpy(encode("AATAA"))[None]
    with torch.no_grad():
        weight[0, 3] = 1
    maxima, _ = best_windows(codes, weight, bins=2)  # 0-2 and 2-4
    (maxima * torch.tensor([10.0, 1])).sum().backward()
    assert weight.grad.flatten().tolist() == [0, 0, 0, 11]


@pytest.mark.parametrize("n, bins", [(7, 1), (7, 2), (7, 3), (7, 7), (989, 10), (6, 4)])
def test_bins_are_those_of_adaptive_pooling_and_the_same_from_the_other_strand(n, bins):
    edges = stretches(n, bins)
    each = torch.arange(float(n))[None, None]
    assert F.adaptive_max_pool1d(each, bins).flatten().tolist() == (edges[:, 1] - 1).tolist()
    assert F.adaptive_max_pool1d(-each, bins).flatten().tolist() == (-edges[:, 0]).tolist()
    assert np.array_equal(n - edges[::-1, ::-1], edges)


@shapes
@settings(max_examples=80, deadline=None)
def test_maxima_and_gradient_equal_float64_convolution(
    batch, n_filters, width, extra, n_codes, strands, share, seed
):
    codes = random_codes(seed, batch, width + extra, n_codes)
    weight = random_weight(seed, n_filters, width).requires_grad_()
    found = conv_maxpool(codes, weight, strands=strands, bins=some_bins(extra, share))
    exact = weight.detach().double().requires_grad_()
    scores = window_scores(codes, exact, strands)
    best = best_of_bins(scores, some_bins(extra, share))
    torch.testing.assert_close(found.maxima.double(), best, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(at_found(scores, found), best, atol=1e-5, rtol=1e-5)

    upstream = random_weight(seed + 1, batch * n_filters, best.shape[2])[:, 0].view(best.shape)
    found.maxima.backward(upstream)
    at_found(scores, found).backward(upstream.double())
    torch.testing.assert_close(weight.grad.double(), exact.grad, atol=1e-4, rtol=1e-4)


@shapes
@settings(max_examples=30, deadline=None)
def test_first_of_ties_as_torch(batch, n_filters, width, extra, n_codes, strands, share, seed):
    codes = random_codes(seed, batch, width + extra, n_codes)
    weight = random_weight(seed, n_filters, width).sign() * 4  # sums without rounding: real ties
    bins = some_bins(extra, share)
    maxima, windows = best_windows(codes, weight, strands=strands, bins=bins)
    read = [codes] + [torch.from_numpy(reverse_complement(codes.numpy()))] * (strands == "both")
    pooled = [
        F.adaptive_max_pool1d(window_scores(c, weight)[..., 0], bins, return_indices=True)
        for c in read
    ]
    expected, first = pooled[0]
    if strands == "both":
        other, there = (tensor.flip(2) for tensor in pooled[1])
        first = torch.where(other > expected, there + extra + 1, first)
        expected = torch.maximum(expected, other)
    assert torch.equal(maxima.double(), expected)
    assert torch.equal(windows.long(), first)


@shapes
@settings(max_examples=20, deadline=None)
def test_torch_operations_equal_the_kernel(
    batch, n_filters, width, extra, n_codes, strands, share, seed
):
    codes = random_codes(seed, batch, width + extra, n_codes)
    weight = random_weight(seed, n_filters, width).sign() * 4
    rows = torch.arange(batch).flip(0)
    bins = some_bins(extra, share)
    maxima, windows = best_windows(codes, weight.requires_grad_(), rows, strands=strands, bins=bins)
    maxima.backward(maxima.detach())
    maxima2, windows2 = conv_maxpool_gpu.forward(
        codes, weight.detach(), rows, "fp32", 1 + (strands == "both"), bins
    )
    grad_weight = conv_maxpool_gpu.backward(codes, rows, windows2, maxima2, width)
    assert torch.equal(maxima.detach(), maxima2.transpose(1, 2))
    assert torch.equal(windows.long(), windows2.transpose(1, 2).long())
    torch.testing.assert_close(weight.grad, grad_weight)


@shapes
@settings(max_examples=30, deadline=None)
def test_the_other_strand_gives_the_same_maxima_with_its_bins_reversed(
    batch, n_filters, width, extra, n_codes, strands, share, seed
):
    codes = random_codes(seed, batch, width + extra, n_codes)
    weight = random_weight(seed, n_filters, width)
    bins = some_bins(extra, share)
    other = torch.from_numpy(reverse_complement(codes.numpy()))
    here, there = (best_windows(c, weight, strands="both", bins=bins)[0] for c in (codes, other))
    assert torch.equal(here, there.flip(2))


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
    maxima, positions, _ = conv_maxpool(codes, weight)
    assert (maxima.item(), positions.item()) == (1, 69_990)
    codes[0, 69_990] = 2  # G, the C of the other strand
    weight[0] = weight[0, [0, 3, 2, 1]]
    found = conv_maxpool(codes, weight, strands="both")
    assert (found.maxima.item(), found.positions.item()) == (1, 69_988)


def test_filters_that_are_not_finite_give_nan():
    weight = random_weight(0, 3, 4)
    weight[1, 2, 3] = torch.nan
    weight[2, 0, 0] = torch.inf
    found = conv_maxpool(random_codes(0, 2, 30), weight, strands="both", bins=2)
    assert found.maxima.isnan().tolist() == [[[False] * 2, [True] * 2, [True] * 2]] * 2
    assert found.positions[:, 1:].tolist() == [[[0, 0], [0, 0]]] * 2


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


@pytest.mark.parametrize("reading", [{}, {"strands": "both", "bins": 3}])
def test_side_by_side_equals_one_model_at_a_time(reading):
    codes, rows = random_codes(0, 20, 60), torch.arange(0, 20, 3)
    weights = [random_weight(seed, 10 + seed, 7).requires_grad_() for seed in range(3)]
    together = conv_maxpool_side_by_side(codes, weights, rows, **reading)
    sum(maxima.square().sum() for maxima in together).backward()
    for weight, maxima in zip(weights, together, strict=True):
        alone = weight.detach().clone().requires_grad_()
        expected, *_ = conv_maxpool(codes, alone, rows, **reading)
        expected.square().sum().backward()
        assert torch.equal(maxima, expected)
        assert torch.equal(weight.grad, alone.grad)


@pytest.mark.parametrize(
    "reading, message",
    [
        ({"strands": "reverse"}, "forward"),
        ({"bins": 0}, "0 bins, .* 6 windows of 4"),
        ({"bins": 7}, "7 bins, .* 6 windows of 4"),
    ],
)
def test_readings_that_there_are_not(reading, message):
    with pytest.raises(ValueError, match=message):
        conv_maxpool(random_codes(0, 3, 9), random_weight(0, 2, 4), **reading)


def test_module_trains_its_weight():
    layer = ConvMaxPool(n_filters=6, width=5)
    assert layer.weight.shape == (6, 4, 5)
    layer(random_codes(0, 4, 30)).sum().backward()
    assert torch.equal(layer.weight.grad.sum(dim=(1, 2)), torch.full((6,), 20.0))


def test_module_reads_both_strands_in_bins():
    codes = random_codes(0, 4, 30)
    layer = ConvMaxPool(n_filters=6, width=5, strands="both", bins=4)
    expected = conv_maxpool(codes, layer.weight, strands="both", bins=4)
    assert torch.equal(layer(codes), expected.maxima)
    assert expected.maxima.shape == (4, 6, 4)
