"""Read the cis-regulatory grammar of cells out of single-cell data."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from cisgrammar.use.trained import Trained

__version__ = "0.2.0"


def load(folder: str | Path, device: str = "cpu") -> Trained:
    """Read a trained model, to use it: see :func:`cisgrammar.use.trained.load`."""
    from cisgrammar.use.trained import load  # takes seconds, and the package does without

    return load(folder, device)
