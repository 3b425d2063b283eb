import pytest
import torch
from torch.nn import functional as F

from cisgrammar.common.threads import set_threads
from cisgrammar.models.kernels import conv_pool_cpu
from cisgrammar.models.kernels.conv_pool import conv_pool, conv_pool_codes, one_hot


@pytest.fixture(autouse=True)
def _one_thread():
    set_threads(1)


def draw(*shape, seed=1):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def draw_codes(batch, length, largest=4):
    generator = torch.Generator().manual_seed(2)
    return torch.randint(largest + 1, (batch, length), generator=generator, dtype=torch.uint8)


def plainly_codes(codes, weight, bias, pool, padding, pool_padding):
    x = F.conv1d(one_hot(codes).transpose(1, 2), weight, bias, padding=padding)
    return F.max_pool1d(F.relu(x), pool, padding=pool_padding).transpose(1, 2)


def plainly(x, weight, bias, pool, padding):
    y = F.conv1d(x.transpose(1, 2), weight, bias, padding=padding)
    return F.max_pool1d(F.relu(y), pool).transpose(1, 2)


def results(function, leaves, *others, first=()):
    """Run a function and lead drawn gradients back through it."""
    leaves = [leaf.clone().requires_grad_() for leaf in leaves]
    out = function(*first, *leaves, *others)
    (out * draw(*out.shape, seed=3)).sum().backward()
    return [out.detach(), *(leaf.grad for leaf in leaves)]


def assert_same(ours, plain):
    for one, other in zip(ours, plain, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5 * float(other.abs().max()))


@pytest.mark.parametrize("largest", [3, 4, 5], ids=["bases", "with N", "with nothing"])
@pytest.mark.parametrize(
    "batch, length, filters, width, pool, padding, pool_padding",
    [
        (19, 140, 40, 6, 30, 2, 1),  # the published shapes, two blocks of filters
        (3, 50, 5, 6, 7, 2, 1),
        (2, 31, 3, 1, 4, 0, 1),
        (2, 30, 3, 4, 2, 1, 1),
        (2, 40, 3, 5, 5, 2, 0),
        (2, 60, 33, 11, 6, 5, 1),
        (1, 9, 2, 9, 2, 4, 1),
    ],
)
def test_of_codes_is_that_of_the_layers(
    largest, batch, length, filters, width, pool, padding, pool_padding
):
    codes = draw_codes(batch, length, largest)
    leaves = [draw(filters, 4, width), draw(filters, seed=4)]
    sizes = (pool, padding, pool_padding)
    assert_same(
        results(conv_pool_codes, leaves, *sizes, first=(codes,)),
        results(plainly_codes, leaves, *sizes, first=(codes,)),
    )


@pytest.mark.parametrize(
    "batch, length, channels, filters, width, pool, padding",
    [
        (37, 43, 24, 32, 9, 10, 4),
        (3, 20, 5, 3, 9, 4, 4),
        (2, 12, 3, 2, 1, 5, 0),
        (2, 12, 3, 2, 4, 3, 1),
        (1, 4, 3, 2, 9, 2, 4),
    ],
)
def test_of_numbers_is_that_of_the_layers(batch, length, channels, filters, width, pool, padding):
    leaves = [
        draw(batch, length, channels).relu(), draw(filters, channels, width), draw(filters, seed=4)
    ]  # fmt: skip
    assert_same(results(conv_pool, leaves, pool, padding), results(plainly, leaves, pool, padding))


def test_hand_made_sequence():
    """A filter of AC, padded by one: windows .A AC CG GN N., and pools of two of them."""
    weight = torch.zeros(1, 4, 2)
    weight[0, 0, 0], weight[0, 1, 1] = 2, 3
    codes = torch.tensor([[0, 1, 2, 4]], dtype=torch.uint8)
    pooled = conv_pool_codes(codes, weight, torch.tensor([-0.5]), 2, 1, 0)
    assert pooled.flatten().tolist() == [4.5, 0.25]


def test_what_is_not_above_0_has_no_gradient():
    codes = draw_codes(2, 40)
    leaves = [draw(3, 4, 6), torch.full((3,), -100.0)]
    out, *grads = results(conv_pool_codes, leaves, 5, 2, 1, first=(codes,))
    assert not out.any() and not any(grad.any() for grad in grads)


def test_number_of_threads_changes_no_byte():
    codes = draw_codes(40, 300)
    leaves = [draw(40, 4, 6), draw(40, seed=4)]
    numbers = [draw(40, 60, 40).relu(), draw(32, 40, 9), draw(32, seed=4)]
    runs = []
    for threads in (1, 2):
        set_threads(threads)
        runs.append(
            results(conv_pool_codes, leaves, 30, 2, 1, first=(codes,))
            + results(conv_pool, numbers, 10, 4)
        )
    set_threads(1)
    for one, other in zip(*runs, strict=True):
        assert torch.equal(one, other)


def test_bad_arguments_are_refused():
    leaves = [draw(3, 4, 6), draw(3)]
    with pytest.raises(ValueError, match="at most 255 positions"):
        conv_pool_codes(draw_codes(2, 600), *leaves, 256, 2, 1)
    with pytest.raises(ValueError, match="code 6"):
        conv_pool_codes(torch.full((2, 60), 6, dtype=torch.uint8), *leaves, 5, 2, 1)
    assert conv_pool_cpu.NOTHING == 5
