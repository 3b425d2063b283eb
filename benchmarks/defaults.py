"""The config's defaults, for what is measured as its user runs it."""

from __future__ import annotations

from typing import Any

import measure

from cisgrammar.checks.config import complete_config
from cisgrammar.common.config import read_schema

SCHEMA = read_schema(measure.ROOT / "workflow/schemas/config.schema.yaml")


def section(name: str) -> dict[str, Any]:
    """Give a section of the config."""
    return complete_config({"name": "x", "simulation": {}}, SCHEMA, source="defaults")[name]


def settings_of(model: str) -> dict[str, Any]:
    """Give the settings by which a model is built and learns, as the rules do."""
    its = section(model)
    return its["network"] | its.get("training", {}) | {"search": its["search"]}
