"""A small model of each kind, and what all of them read."""

import numpy as np
import torch

from cisgrammar.checks.config import complete_config
from cisgrammar.common.config import read_schema
from cisgrammar.data.split import Inputs
from cisgrammar.models.checkpoints import build_model
from cisgrammar.models.registry import MODELS

SCHEMA = "workflow/schemas/config.schema.yaml"
SETTINGS = {
    "scover": {"filters": 6, "width": 5},
    "scbasset": {
        "length": 40,
        "stem_filters": 6,
        "stem_width": 5,
        "tower_filters": [5, 4],
        "last_filters": 4,
        "bottleneck": 3,
    },
    "hybrid": {
        "filters": 6,
        "width": 5,
        "hidden": 4,
        "bins": 2,
        "strands": "both",
        "level_kmers": {"blocks": [[2, 1]], "both_strands": True},
        "difference_kmers": {"blocks": [[1, 2]], "both_strands": False},
    },
    "scxpresso": {
        "length": 40,
        "n_features": 2,
        "flagged": [1],
        "pool": 5,
        "second_pool": 3,
    },
}


def middle(kind, space):
    """Give a value inside a search space."""
    return space[0] if kind == "choice" else float(np.sqrt(space[0] * space[1]))


def defaults(name, root):
    config = complete_config({"name": "x"}, read_schema(root / SCHEMA))
    return config[name]


def small_settings(name, root):
    section = defaults(name, root)
    sections = section["network"], section.get("training", {}), {"search": section["search"]}
    return {key: value for part in sections for key, value in part.items()} | SETTINGS[name]


def small_model(name, root, seed=1, n_targets=3, **changes):
    settings = small_settings(name, root) | changes
    values = {
        key: middle(kind, settings["search"][key])
        for key, kind in MODELS[name].load().search.items()
    }
    groups = {"one": [0], "others": list(range(1, n_targets))}  # scXpresso's networks
    return build_model(name, n_targets, settings | {"groups": groups}, values, seed)


def small_inputs():
    """Nine sequences of 40 bases, N among them, with two features."""
    rng = np.random.default_rng(1)
    codes = rng.integers(0, 5, (9, 40), dtype=np.uint8)
    features = rng.random((9, 2), dtype=np.float32)
    return Inputs(torch.from_numpy(codes), features=torch.from_numpy(features))


def lively_model(name, root, seed=1, **changes):
    """The same with large weights, and what a model keeps beside weights drawn by chance."""
    model, generator = small_model(name, root, seed, **changes), torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() > 1:
                weight.normal_(0, 1.5 * weight[0].numel() ** -0.5, generator=generator)
            else:
                weight.normal_(1, 0.5, generator=generator)
        for key, kept in model.named_buffers():
            if key.endswith(("running_var", "std", "weights")):
                kept.uniform_(0.5, 1.5, generator=generator)
            elif key.endswith(("mean", "coefficients")):
                kept.normal_(0, 0.3, generator=generator)
    return model.eval()
