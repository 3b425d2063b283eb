from pathlib import Path

import numba
import pytest
import torch
import torch.nn.functional as F
from threadpoolctl import threadpool_info

from cisgrammar.common.threads import set_threads
from cisgrammar.models.kernels.conv_maxpool import conv_maxpool


@pytest.fixture(autouse=True)
def threads_as_they_were():
    before = torch.get_num_threads()
    yield
    set_threads(before)


def test_one_setting_for_all():
    set_threads(1)
    assert torch.get_num_threads() == numba.get_num_threads() == 1
    assert all(pool["num_threads"] == 1 for pool in threadpool_info())


def test_never_more_than_the_processors():
    set_threads(10_000)
    assert numba.get_num_threads() == numba.config.NUMBA_NUM_THREADS


@pytest.mark.parametrize("reading", [{}, {"strands": "both"}, {"strands": "both", "bins": 7}])
def test_the_operator_gives_the_same_bytes_on_any_number_of_threads(reading):
    generator = torch.Generator().manual_seed(0)
    codes = torch.randint(0, 5, (150, 60), dtype=torch.uint8, generator=generator)
    start = torch.randn(100, 4, 12, generator=generator)
    results = []
    for n_threads in (1, 2, 8):
        set_threads(n_threads)
        weight = start.clone().requires_grad_()
        found = conv_maxpool(codes, weight, **reading)
        found.maxima.backward(found.maxima.detach() + 1)
        tensors = (found.maxima.detach(), found.positions.int(), found.reverse, weight.grad)
        results.append([tensor.numpy().tobytes() for tensor in tensors])
    assert results[0] == results[1] == results[2]


def training_step(codes, targets, weight, head):
    """Everything that a step of scover computes, as bytes."""
    weight, head = weight.clone().requires_grad_(), head.clone().requires_grad_()
    maxima, positions, _ = conv_maxpool(codes, weight)
    prediction = F.elu(maxima.flatten(1)) @ head.T
    (prediction - targets).square().mean(dim=1).mean().backward()
    results = (maxima, positions.int(), prediction, weight.grad, head.grad)
    return [result.detach().numpy().tobytes() for result in results]


def mkl_on_intel():
    cpu = Path("/proc/cpuinfo")
    return torch.backends.mkl.is_available() and cpu.exists() and "GenuineIntel" in cpu.read_text()


@pytest.mark.skipif(not mkl_on_intel(), reason="only MKL on Intel processors promises it")
@pytest.mark.parametrize("batch", [1, 27, 64, 130])
def test_a_training_step_gives_the_same_bytes_on_any_number_of_threads(batch):
    generator = torch.Generator().manual_seed(0)
    codes = torch.randint(0, 5, (batch, 60), dtype=torch.uint8, generator=generator)
    weight = torch.randn(600, 4, 12, generator=generator)
    head = torch.randn(1000, 600, generator=generator)
    targets = torch.randn(batch, 1000, generator=generator)
    set_threads(1)
    alone = training_step(codes, targets, weight, head)
    for n_threads in (2, 3, 8):
        set_threads(n_threads)
        torch.set_num_threads(n_threads)  # also beyond the processors at hand
        assert training_step(codes, targets, weight, head) == alone
