"""Cell types of a data set: their order and their colours, the same in every figure."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from cisgrammar.common.files import read_table
from cisgrammar.plots.style import category_colours

logger = logging.getLogger(__name__)


def cell_type_table(labels: Iterable[object], first: Sequence[str] = ()) -> pd.DataFrame:
    """List cell types in their order, each with its colour.

    Parameters
    ----------
    labels
        Of all cells, or of all targets; repeats are allowed.
    first
        Types to begin with, in this order; those of which no cell is left are passed over.

    Returns
    -------
    ``cell_type``, ``colour``, ``named`` (whether it is in ``first``): a row a type, those that are
    not in ``first`` in alphabetical order. A type keeps its colour whatever the order.
    """
    colours = category_colours(labels)
    if absent := [name for name in first if name not in colours]:
        logger.warning("cell_type_order: no cell is left of %s", ", ".join(map(repr, absent)))
    named = [name for name in first if name in colours]
    order = named + [name for name in colours if name not in named]
    return pd.DataFrame(
        {
            "cell_type": order,
            "colour": [colours[name] for name in order],
            "named": [name in named for name in order],
        }
    )


def cell_type_colours(path: str | Path) -> dict[str, str]:
    """Read the colour of each cell type, types in their order, off ``cell_types.tsv``."""
    table = read_table(path)
    return dict(zip(table["cell_type"], table["colour"].astype(str), strict=True))


def asked_order(path: str | Path) -> list[str]:
    """Read the order of cell types off ``cell_types.tsv``; empty where the user asks for none."""
    table = read_table(path)
    return list(table["cell_type"]) if table["named"].any() else []


def present_types(labels: Iterable[object], colours: Mapping[str, str] | None) -> dict[str, str]:
    """Give the colours of the types that there are, in their order.

    Parameters
    ----------
    labels
        Missing ones are left out.
    colours
        Cell type to colour, in the order of :func:`cell_type_table`; by default from the labels.
    """
    labels = list(labels)
    there = {str(label) for label in labels if not pd.isna(label)}
    return {
        name: colour
        for name, colour in (colours or category_colours(labels)).items()
        if name in there
    }
