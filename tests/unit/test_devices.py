import pytest
import torch

from cisgrammar.devices import resolve_device
from cisgrammar.errors import InputError


@pytest.mark.parametrize(
    "asked, there, given",
    [
        ("auto", True, "cuda"),
        ("auto", False, "cpu"),
        ("cpu", True, "cpu"),
        ("cpu", False, "cpu"),
        ("cuda", True, "cuda"),
    ],
)
def test_device_by_table(monkeypatch, asked, there, given):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    assert resolve_device(asked) == torch.device(given)


def test_a_gpu_that_is_not_there_is_an_error_and_never_the_cpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match=r"CUDA GPU was asked for.*training\.device: auto"):
        resolve_device("cuda")
