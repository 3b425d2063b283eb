"""Populations of cells: all that bear one label, and their mean expression."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy import sparse

from cisgrammar.common.errors import InputError
from cisgrammar.common.inputs import examples

logger = logging.getLogger(__name__)

ALL_CELLS = "all_cells"  # the level whose one population is every cell
ALL = "all"
BULK = "bulk"  # the level of populations that come as a matrix
ZEROS = ("floor", "lowest", "pseudocount")


def count_populations(
    levels: Mapping[str, Sequence[str] | np.ndarray], min_cells: int, without: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Count the cells of each population.

    Parameters
    ----------
    levels
        Name of a level to the label of each cell.
    min_cells
        Fewer are too few.
    without
        The label of cells that have none; these are in no population of the level.

    Returns
    -------
    kept
        level, label, n_cells, parent: the population of the level before that has most of its
        cells, of those that are kept. Indexed by ``level/label``, levels and labels in order.
    dropped
        level, label, n_cells of those that are too small, and of cells without a label.

    Raises
    ------
    InputError
        If a level has no population that is large enough.
    """
    kept, dropped = [], []
    before: pd.Series | None = None
    for level, labels in levels.items():
        cells = pd.Series(np.asarray(labels, dtype=object))
        sizes = cells.value_counts(sort=False).sort_index()
        enough = sizes[(sizes >= min_cells) & (sizes.index != without)]
        if enough.empty:
            raise InputError(
                f"populations: of the {len(sizes)} labels in `{level}` none has {min_cells} cells "
                f"(`populations.min_cells`); the largest is "
                f"{sizes.idxmax()} with {sizes.max():,}. Lower it, or take a coarser level."
            )
        names = cells.map({label: f"{level}/{label}" for label in enough.index})
        for label, n in sizes.items():
            if label not in enough.index:
                dropped.append((level, label, int(n)))
                continue
            parent = "" if before is None else _most_common(before[(cells == label).to_numpy()])
            kept.append((level, label, int(n), parent))
        before = names
    table = pd.DataFrame(kept, columns=["level", "label", "n_cells", "parent"])
    table.index = pd.Index(table["level"] + "/" + table["label"], name="population")
    for level, label, n in dropped:
        logger.warning(
            "populations: %s of `%s` has %d cells, fewer than %d: left out", label, level, n,
            min_cells,
        )  # fmt: skip
    return table, pd.DataFrame(dropped, columns=["level", "label", "n_cells"])


def _most_common(names: pd.Series) -> str:
    counted = names.dropna().value_counts(sort=False).sort_index()
    return "" if counted.empty else str(counted.idxmax())


def mean_expression(
    counts: sparse.csr_matrix,
    levels: Mapping[str, Sequence[str] | np.ndarray],
    populations: pd.DataFrame,
    per: float | None,
) -> np.ndarray:
    """Average the cells of each population, each cell scaled to one sum.

    Parameters
    ----------
    counts
        Cells x genes.
    levels
        Name of a level to the label of each cell.
    populations
        As from :func:`count_populations`.
    per
        The sum that a cell's counts are scaled to: 1,000,000 is CPM. None leaves them as they are.

    Returns
    -------
    float64 ``(populations, genes)``, zeros included.

    Notes
    -----
    Michielsen et al. (2024), Methods: counts per million of a cell, or per 10,000 for 10x, and
    the mean over cells. A cell without counts counts as one whose genes are all 0.
    """
    scale = np.ones(counts.shape[0])
    if per is not None:
        totals = np.asarray(counts.sum(axis=1, dtype=np.float64)).ravel()
        scale = np.divide(per, totals, out=np.zeros_like(totals), where=totals > 0)
    means = np.empty((len(populations), counts.shape[1]))
    for row, (level, label) in enumerate(populations[["level", "label"]].to_numpy()):
        weights = scale * (np.asarray(levels[level], dtype=object) == label)
        means[row] = (weights / populations["n_cells"].iloc[row]) @ counts
    return means


def log_targets(
    means: np.ndarray,
    names: Sequence[str],
    *,
    zeros: str = "floor",
    floor: float = -4.0,
    pseudocount: float = 1.0,
) -> np.ndarray:
    """Take log10 of mean expression, and say what becomes of zeros.

    Parameters
    ----------
    means
        ``(populations, genes)``, 0 or more.
    names
        Of the populations, for messages.
    zeros
        ``floor``: a zero becomes ``floor``, as published; ``lowest``: the least value above 0
        of its population; ``pseudocount``: the logarithm is of the mean plus ``pseudocount``.
    floor, pseudocount
        In log10 units, and in units of the means.

    Returns
    -------
    float32, same shape.

    Raises
    ------
    InputError
        If all genes of a population have one value: there is nothing to learn.

    Notes
    -----
    Michielsen et al. (2024), Methods. With a fixed floor the gap between zeros and the rest
    depends on the number of cells and on their depth.
    """
    if zeros not in ZEROS:
        raise ValueError(f"zeros is {zeros!r}; it must be one of {', '.join(ZEROS)}")
    constant = [
        name for name, row in zip(names, means, strict=True) if row.max() - row.min() <= 1e-12
    ]
    if constant:
        raise InputError(
            f"populations: {len(constant)} populations have the same expression of every gene "
            f"({examples(constant)}), so that there is nothing to learn. Its cells have no counts "
            "of these genes, or the bulk matrix is empty there: drop the label with `cells.drop`, "
            "or correct the matrix."
        )
    if zeros == "pseudocount":
        return np.log10(means + pseudocount).astype(np.float32)
    expressed = means > 0
    values = np.log10(means, out=np.full(means.shape, np.nan), where=expressed)
    least = np.full(len(means), floor) if zeros == "floor" else np.nanmin(values, axis=1)
    below = int((values < least[:, None]).sum())
    if below:
        logger.warning(
            "populations: %d values are below what zeros become (%g); `populations.zeros: lowest` "
            "takes the level of zeros from the data", below, floor,
        )  # fmt: skip
    return np.where(expressed, values, least[:, None]).astype(np.float32)
