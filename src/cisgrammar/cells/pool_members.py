"""cells_in_pools.tsv: which cells are in which pool."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from cisgrammar.common.files import damaged, read_table


def read_members(
    path: str | Path, pools: pd.DataFrame, cells: Iterable[str] | None = None
) -> pd.DataFrame:
    """Read which cells are in which pool.

    Parameters
    ----------
    path
        The table.
    pools
        obs of the pools it belongs to: one row each, ``n_cells``.
    cells
        Names of the cells that pools were made of; not checked where None.

    Returns
    -------
    pool, rank (0 is the seed), cell, cell_type.

    Raises
    ------
    InputError
        If it is cut short or damaged, or is not of these pools and cells.
    """
    members = read_table(path, has={"pool": pools.index})
    sizes = members.groupby("pool").size().reindex(pools.index)
    if (wrong := sizes.to_numpy() != pools["n_cells"].to_numpy()).any():
        raise damaged(path, f"{wrong.sum():,} of {len(pools):,} pools lack cells, or have too many")
    if cells is not None and not members["cell"].isin(set(cells)).all():
        raise damaged(path, "it names cells that are not among those that pools were made of")
    return members
