"""Models on disk: plain tensors and numbers, read without running anything that is in the file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from cisgrammar.common.errors import InputError
from cisgrammar.common.files import whole_file
from cisgrammar.models.base import Ensemble, SequenceModel
from cisgrammar.models.registry import MODELS


def build_model(
    name: str,
    n_targets: int,
    settings: Mapping[str, Any],
    hyperparameters: Mapping[str, Any],
    seed: int,
) -> SequenceModel:
    """Make a freshly initialised model.

    Parameters
    ----------
    name
        Name in the registry.
    n_targets, settings, hyperparameters
        As for :meth:`cisgrammar.models.base.SequenceModel.build`.
    seed
        Seed of the initial weights.
    """
    generator = torch.Generator().manual_seed(seed)
    return MODELS[name].load().build(n_targets, settings, hyperparameters, generator)


def save_model(model: SequenceModel, path: str | Path) -> None:
    """Write a checkpoint: the model's name, sizes, members and weights, nothing else."""
    state = {key: value.detach().cpu() for key, value in model.state_dict().items()}
    content: dict[str, Any] = {"model": model.name, "sizes": model.sizes(), "state": state}
    if isinstance(model, Ensemble):
        content["members"] = len(model.members)
    # through a handle: given a path, torch would write its random name into the file
    with whole_file(path) as temporary, temporary.open("wb") as handle:
        torch.save(content, handle)


def load_model(path: str | Path, device: torch.device | str = "cpu") -> Any:
    """Read a checkpoint.

    Parameters
    ----------
    path
        A file that :func:`save_model` wrote.
    device
        Where the model goes.

    Returns
    -------
    The model, in evaluation: a :class:`~cisgrammar.models.base.SequenceModel` with the abilities
    that the registry names.

    Raises
    ------
    InputError
        If the file is not a checkpoint of a known model.
    """
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
        implementation, sizes = MODELS[checkpoint["model"]].load(), checkpoint["sizes"]
        if "members" in checkpoint:
            members = [implementation(**sizes) for _ in range(checkpoint["members"])]
            model: SequenceModel = Ensemble(members, checkpoint["state"]["weights"])
        else:
            model = implementation(**sizes)
        model.load_state_dict(checkpoint["state"])
    except Exception as error:
        raise InputError(
            f"{path}: not a checkpoint of a known model ({', '.join(MODELS)}): {error!r}. "
            "Delete it and run again."
        ) from error
    return model.to(device).eval()
