"""Checks of a network of the user's own, whose neurons are to be read."""

from __future__ import annotations

from pathlib import Path

from cisgrammar.checks.findings import Findings
from cisgrammar.checks.settings import InputFiles, Settings
from cisgrammar.models.conv_layers import chosen_layers, field
from cisgrammar.models.network_files import read_network


def check_network(files: InputFiles, settings: Settings, found: Findings) -> None:
    """Check that weights and description fit, and that the layers asked for are there."""
    asked = settings.neurons
    if asked is None or not asked["weights"] or not asked["description"]:
        return
    paths = [Path(asked[key]) for key in ("weights", "description")]
    if not all(path.is_file() for path in paths):  # downloads may be still to come
        return
    layers = found.attempt(read_network, *paths)
    if layers is None:
        return
    chosen = found.attempt(chosen_layers, layers, asked["layers"], asked["longest_field"])
    if chosen is not None:
        parts = [
            f"{depth} ({layers[depth - 1].filters} neurons of {field(layers, depth).length} bases)"
            for depth in chosen
        ]
        found.add("own network", f"{len(layers)} convolutions; to be read: {', '.join(parts)}")
