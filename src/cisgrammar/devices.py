"""Where a model trains."""

from __future__ import annotations

import platform

import torch

from cisgrammar.errors import InputError


def resolve_device(device: str) -> torch.device:
    """Turn the config's ``auto``, ``cpu`` or ``cuda`` into a device.

    Raises
    ------
    InputError
        If ``cuda`` was asked for and is not there; never a silent run on the CPU.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError(
            f"device: a CUDA GPU was asked for, but torch {torch.__version__} sees none on node "
            f"{platform.node()}. Either the job was not given a GPU (check the partition and "
            "`gpu=1` in the profile), or torch was installed without CUDA, or set "
            "`training.device: auto`."
        )
    return torch.device(device)
