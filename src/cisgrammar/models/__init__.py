"""Model families: the registry, and checkpoints.

A family is one file with one class that has:

- ``name`` and ``search``: hyperparameter -> how it is searched (``log_uniform`` or ``choice``);
- ``build(n_targets, settings, hyperparameters, generator)``: a freshly initialised model;
- ``sizes()``: the keyword arguments that make an empty model of the same shape;
- ``forward(codes)``: uint8 ``(batch, length)`` to ``(batch, targets)``.

A family that is not trained on squared errors has ``objective(split)``: see
:class:`cisgrammar.training.loop.Objective`. One whose shape depends on what the targets are has
``complete_settings(settings, targets)``. Families whose first layer reads as motifs also have
``scan`` and ``influence``; those that can be trained side by side, ``side_by_side``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from cisgrammar.common.errors import InputError
from cisgrammar.common.files import whole_file
from cisgrammar.models.scbasset import Scbasset
from cisgrammar.models.scover import Scover

Model = Scover | Scbasset
FAMILIES: dict[str, type[Model]] = {family.name: family for family in (Scover, Scbasset)}


def build(
    family: str,
    n_targets: int,
    settings: dict[str, Any],
    hyperparameters: dict[str, Any],
    seed: int,
) -> Model:
    """Make a freshly initialised model.

    Parameters
    ----------
    family
        Name in the registry.
    n_targets
        Number of outputs.
    settings
        The family's section of the config, and what else ``build`` of the family takes.
    hyperparameters
        One value for each entry of the family's search space.
    seed
        Seed of the initial weights.
    """
    generator = torch.Generator().manual_seed(seed)
    return FAMILIES[family].build(n_targets, settings, hyperparameters, generator)


def complete_settings(
    family: str, settings: Mapping[str, Any], targets: pd.DataFrame
) -> dict[str, Any]:
    """Add to a family's settings what it takes from the targets.

    Parameters
    ----------
    family
        Name in the registry.
    settings
        The family's section of the config.
    targets
        One row per output, as in the obs of the data set.
    """
    own = getattr(FAMILIES[family], "complete_settings", None)
    return dict(settings) if own is None else own(settings, targets)


def save(model: Model, path: str | Path) -> None:
    """Write a checkpoint: family, sizes and weights, nothing else."""
    state = {key: value.detach().cpu() for key, value in model.state_dict().items()}
    # through a handle: given a path, torch would write its random name into the file
    with whole_file(path) as temporary, temporary.open("wb") as handle:
        torch.save({"family": model.name, "sizes": model.sizes(), "state": state}, handle)


def load(path: str | Path, device: torch.device | str = "cpu") -> Model:
    """Read a checkpoint.

    Parameters
    ----------
    path
        A file that :func:`save` wrote.
    device
        Where the model goes.

    Raises
    ------
    InputError
        If the file is no checkpoint of a known family.
    """
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
        model = FAMILIES[checkpoint["family"]](**checkpoint["sizes"])
        model.load_state_dict(checkpoint["state"])
    except Exception as error:
        raise InputError(
            f"{path}: not a checkpoint of a known family ({', '.join(FAMILIES)}): {error!r}. "
            "Delete it and run again."
        ) from error
    return model.to(device).eval()
