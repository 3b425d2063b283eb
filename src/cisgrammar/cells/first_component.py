"""Whether the first component of cells is sequencing depth and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import pandas as pd
from scipy import sparse

DEPTH_R = 0.8  # from here on a component follows depth
BESIDE_DEPTH = 0.1  # below, groups of cells tell nothing that depth and batches do not
Labels: TypeAlias = pd.Series | np.ndarray


@dataclass(frozen=True)
class FirstComponent:
    """What the first component follows, and whether it goes.

    Parameters
    ----------
    depth_r
        Spearman's r with the counts per cell, of ranks within batches.
    eta_squared
        Name of a grouping of cells -> its share of the component's variance.
    beside
        Share of what depth and batches leave of the variance, adjusted for chance; likewise.
    dropped
        Whether it goes.
    why
        In words.
    """

    depth_r: float
    eta_squared: Mapping[str, float] = field(default_factory=dict)
    beside: Mapping[str, float] = field(default_factory=dict)
    dropped: bool = False
    why: str = ""

    def __str__(self) -> str:
        told = [f"r with depth {self.depth_r:.2f}"]
        for name, share in self.eta_squared.items():
            more = f" ({self.beside[name]:.2f} beside depth)" if name in self.beside else ""
            told.append(f"eta squared with {name} {share:.2f}{more}")
        return f"First component: {', '.join(told)}: {self.why}."


def judge_first_component(
    scores: np.ndarray,
    depth: np.ndarray,
    batches: Labels,
    cell_types: Labels | None,
    clusters: Callable[[], Labels],
    choice: bool | str = "auto",
) -> FirstComponent:
    """Tell what the first component follows, and whether to drop it.

    Parameters
    ----------
    scores
        The first component, ``(cells,)``.
    depth
        Counts of each cell, ``(cells,)``.
    batches, cell_types
        Labels, ``(cells,)``; all the same, or no types, where none are known.
    clusters
        Gives labels that stand for cell types, from the other components. Called only if they
        decide: without cell types, where the component follows depth.
    choice
        ``auto``, or whether to drop it whatever it follows.

    Notes
    -----
    It goes if ``abs(r)`` with depth, within batches, is at least 0.8 and cell types, or clusters,
    explain less than 0.1 of what depth and batches leave of its variance. Ranks, for components
    bend with depth. Batches are no reason to keep it. The paper always drops it.
    """
    log_depth = np.log10(np.maximum(np.asarray(depth, float), 1))
    r = _correlation(_ranks(scores, batches), _ranks(log_depth, batches))
    eta = {"batches": eta_squared(scores, batches)} if _differ(batches) else {}
    groups, name = (cell_types, "cell types") if _differ(cell_types) else (None, "clusters")
    if groups is None and choice == "auto" and abs(r) >= DEPTH_R:
        groups = clusters()
    beside = {}
    if groups is not None:
        eta = {name: eta_squared(scores, groups), **eta}
        beside = {name: beside_depth(scores, log_depth, batches, groups)}
    if isinstance(choice, bool):
        return FirstComponent(r, eta, beside, choice, f"{_done(choice)} as configured")
    dropped = abs(r) >= DEPTH_R and max(beside.values()) < BESIDE_DEPTH
    return FirstComponent(r, eta, beside, dropped, _done(dropped))


def eta_squared(values: np.ndarray, groups: Labels) -> float:
    """Share of the variance that lies between groups.

    Parameters
    ----------
    values
        ``(cells,)``.
    groups
        Labels, ``(cells,)``.

    Returns
    -------
    0 to 1; 0 where the values are all the same.
    """
    within, centred = _within(values, groups), _within(values, np.zeros(len(values)))
    total = float(np.sum(centred**2))
    return 1 - float(np.sum(within**2)) / total if total > 0 else 0.0


def beside_depth(
    values: np.ndarray, log_depth: np.ndarray, batches: Labels, groups: Labels
) -> float:
    """Share that groups explain of the variance that depth and batches leave.

    Parameters
    ----------
    values, log_depth
        ``(cells,)``.
    batches, groups
        Labels, ``(cells,)``.

    Returns
    -------
    Partial eta squared of an analysis of covariance, adjusted for chance as R squared is: 0 to 1.

    Notes
    -----
    Depth is in with its square, for components bend with depth. Groups are fitted together with
    depth: a residual of depth alone would lose what groups of different depths do.
    """
    depth = _standard(log_depth)
    values = _standard(values)
    known = [sparse.csc_matrix(np.column_stack([depth, depth**2])), _indicators(batches)]
    left, free = _left(values, known)
    still_left, still_free = _left(values, [*known, _indicators(groups)])
    if still_free <= 0 or left <= 1e-9 * len(values):
        return 0.0
    return max(0.0, 1 - (still_left / still_free) / (left / free))


def _left(values: np.ndarray, known: list[sparse.csc_matrix]) -> tuple[float, int]:
    """Give the sum of squares that a linear model leaves, and its degrees of freedom."""
    design = sparse.hstack(known, format="csc")
    products = (design.T @ design).toarray()
    fitted = design @ (np.linalg.pinv(products, rcond=1e-10, hermitian=True) @ (design.T @ values))
    rank = np.linalg.matrix_rank(products, tol=1e-10 * np.abs(products).max(), hermitian=True)
    return float(np.sum((values - fitted) ** 2)), len(values) - int(rank)


def _indicators(labels: Labels) -> sparse.csc_matrix:
    code = pd.factorize(np.asarray(labels))[0]
    return sparse.csc_matrix((np.ones(len(code)), (np.arange(len(code)), code)))


def _ranks(values: np.ndarray, groups: Labels) -> np.ndarray:
    """Give ranks in each group, centred: between -1/2 and 1/2."""
    code = pd.factorize(np.asarray(groups))[0]
    return _within(pd.Series(values).groupby(code).rank(pct=True).to_numpy(), groups)


def _within(values: np.ndarray, groups: Labels) -> np.ndarray:
    """Give the differences from the means of the groups."""
    code = pd.factorize(np.asarray(groups))[0]
    means = np.bincount(code, np.asarray(values, float)) / np.bincount(code)
    return np.asarray(values, float) - means[code]


def _standard(values: np.ndarray) -> np.ndarray:
    centred = np.asarray(values, float) - np.mean(values, dtype=float)
    return centred / (np.std(centred) or 1)


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.mean(_standard(one) * _standard(other)))


def _differ(labels: Labels | None) -> bool:
    return labels is not None and len(pd.unique(np.asarray(labels))) > 1


def _done(dropped: bool) -> str:
    return "dropped" if dropped else "kept"
