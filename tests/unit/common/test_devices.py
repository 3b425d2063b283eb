import logging
import platform

import pytest
import torch

from cisgrammar.common.devices import resolve_device
from cisgrammar.common.errors import InputError


@pytest.fixture(autouse=True)
def algorithms_as_they_were(monkeypatch):
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "a GPU")
    yield
    torch.use_deterministic_algorithms(False)
    torch.backends.cudnn.benchmark = False


def gpu_there(monkeypatch, there):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)


@pytest.mark.parametrize(
    "asked, gpus, there, given",
    [
        ("auto", 0, True, "cuda"),
        ("auto", 1, True, "cuda"),
        ("auto", 0, False, "cpu"),
        ("cpu", 0, True, "cpu"),
        ("cpu", 1, False, "cpu"),
        ("cuda", 0, True, "cuda"),
    ],
)
def test_device_by_table(monkeypatch, asked, gpus, there, given):
    gpu_there(monkeypatch, there)
    assert resolve_device(asked, gpus) == torch.device(given)


@pytest.mark.parametrize(
    "asked, gpus, why",
    [("cuda", 0, r"`training\.device: cuda`"), ("auto", 1, r"asked the scheduler for 1 GPU")],
)
def test_a_gpu_asked_for_and_not_there_is_an_error_that_names_the_node(
    monkeypatch, asked, gpus, why
):
    gpu_there(monkeypatch, False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    with pytest.raises(InputError, match=why) as error:
        resolve_device(asked, gpus)
    assert platform.node() in str(error.value)
    assert "CUDA_VISIBLE_DEVICES is '3'" in str(error.value)
    assert "`training.device: cpu`" in str(error.value)


def test_an_idle_gpu_is_said(monkeypatch, caplog):
    gpu_there(monkeypatch, True)
    with caplog.at_level(logging.WARNING):
        resolve_device("cpu", 1)
    assert "stays idle" in caplog.text


@pytest.mark.parametrize("deterministic", [True, False])
def test_on_cuda_algorithms_are_deterministic_unless_speed_was_asked_for(
    monkeypatch, deterministic
):
    gpu_there(monkeypatch, True)
    monkeypatch.setattr(torch.utils.deterministic, "fill_uninitialized_memory", True)
    resolve_device("cuda", deterministic=deterministic)
    assert not torch.utils.deterministic.fill_uninitialized_memory
    assert torch.are_deterministic_algorithms_enabled() == deterministic
    assert torch.backends.cudnn.benchmark != deterministic


def test_on_cpu_nothing_is_changed(monkeypatch):
    gpu_there(monkeypatch, False)
    resolve_device("auto")
    assert not torch.are_deterministic_algorithms_enabled()
