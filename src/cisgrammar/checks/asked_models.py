"""Which models of a config the analyses of single sequences ask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cisgrammar.models.registry import models_with


def sequence_readers(config: Mapping[str, Any]) -> list[str]:
    """List the models of a complete config that read sequences, and not features of genes alone."""
    chosen = config.get("models", [])
    return [m for m in chosen if config[m].get("network", {}).get("inputs") != "features"]


def attributed_models(config: Mapping[str, Any]) -> list[str]:
    """List the models that the section `attributions` of a complete config asks."""
    asked = config["attributions"]
    return [] if asked is None else asked["models"] or attributable(config)


def attributable(config: Mapping[str, Any]) -> list[str]:
    """List the models that can be asked by the section's method: any by substitution."""
    able = sequence_readers(config)
    by_any = config["attributions"]["method"] == "ism"
    return able if by_any else models_with("reads_bases", able)
