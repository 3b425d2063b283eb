"""Cell types of a data set: their order and their colours, the same in every figure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from cisgrammar.common.files import read_table
from cisgrammar.plots.style import category_colours


def cell_type_table(labels: Iterable[object]) -> pd.DataFrame:
    """List cell types in their order, each with its colour.

    Parameters
    ----------
    labels
        Of all cells, or of all targets; repeats are allowed.

    Returns
    -------
    ``cell_type``, ``colour``: a row a type, in alphabetical order.
    """
    colours = category_colours(labels)
    return pd.DataFrame({"cell_type": list(colours), "colour": list(colours.values())})


def cell_type_colours(path: str | Path) -> dict[str, str]:
    """Read the colour of each cell type, types in their order, off ``cell_types.tsv``."""
    table = read_table(path)
    return dict(zip(table["cell_type"], table["colour"].astype(str), strict=True))


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
