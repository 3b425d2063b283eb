"""Where a model trains."""

from __future__ import annotations

import contextlib
import logging
import os
import platform
from collections.abc import Iterator, Mapping
from typing import Any

import torch

from cisgrammar.common.errors import InputError
from cisgrammar.common.threads import set_threads

logger = logging.getLogger(__name__)


def start_on_device(
    threads: int, training: Mapping[str, Any], resources: Mapping[str, Any]
) -> torch.device:
    """Make a job ready to compute: its threads, its device and that device's algorithms.

    Parameters
    ----------
    threads
        Of the job: see :func:`cisgrammar.common.threads.set_threads`.
    training
        ``device`` and ``deterministic`` of the config's section ``training``.
    resources
        What the scheduler gave the job; ``gpu`` counts GPUs.

    Raises
    ------
    InputError
        As :func:`resolve_device`.
    """
    set_threads(threads)
    return resolve_device(training["device"], resources.get("gpu", 0), training["deterministic"])


def resolve_device(device: str, gpus: int = 0, deterministic: bool = True) -> torch.device:
    """Turn the config's ``auto``, ``cpu`` or ``cuda`` into a device, ready for use.

    Parameters
    ----------
    device
        ``auto`` is a GPU where there is one, else the CPU.
    gpus
        GPUs that the scheduler was asked for on behalf of this job. With one or more of
        them ``auto`` means ``cuda``.
    deterministic
        On CUDA take only algorithms that give the same bytes in every run; an operation that has
        none raises. Otherwise the fastest.

    Raises
    ------
    InputError
        If a GPU was asked for and is not there; never a silent run on the CPU.
    """
    there = torch.cuda.is_available()
    if device == "cuda" and not there:
        raise InputError(_absent("`training.device: cuda` asks for a GPU"))
    if device == "auto" and gpus and not there:
        raise InputError(_absent(f"this job asked the scheduler for {gpus} GPU(s)"))
    if device == "auto":
        device = "cuda" if there else "cpu"
    if device == "cpu" and gpus:
        logger.warning(
            "training.device: cpu, so the GPU given to this job stays idle on node %s",
            platform.node(),
        )
    if device == "cuda":
        _choose_algorithms(deterministic)
        logger.info("GPU %s on node %s", torch.cuda.get_device_name(), platform.node())
    return torch.device(device)


@contextlib.contextmanager
def in_any_order() -> Iterator[None]:
    """Take the fastest algorithms, for sums that are the same in any order."""
    deterministic = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(False)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(deterministic)


def _choose_algorithms(deterministic: bool) -> None:
    # cuBLAS reads it once, when it is first used
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(deterministic)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = not deterministic


def _absent(why: str) -> str:
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    seen = "is not set" if visible is None else f"is {visible!r}"
    build = f"for CUDA {torch.version.cuda}" if torch.version.cuda else "without CUDA"
    return (
        f"device: {why}, but torch {torch.__version__} (built {build}) sees none on node "
        f"{platform.node()}, where CUDA_VISIBLE_DEVICES {seen}. Either the job was not given a "
        "GPU (check partition and `gpu` of its rule in slurm/config.yaml), or the node's driver "
        "is broken or too old for this build (try `nvidia-smi` there), or torch was installed "
        "without CUDA. `training.device: cpu` trains on the CPU."
    )
