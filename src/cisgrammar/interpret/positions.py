"""Where along the window each family of motifs acts, and in which cell type."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch

from cisgrammar.interpret.family_influence import sum_groups
from cisgrammar.interpret.influence import EFFECT, INFLUENCE
from cisgrammar.models.abilities import HasFilters
from cisgrammar.models.kernels.stretches import stretches


def bin_places(length: int, width: int, bins: int, origin: int) -> pd.DataFrame:
    """Say where the bins of a window lie.

    Parameters
    ----------
    length, width
        Bases of a window and of a filter.
    bins
        How many stretches.
    origin
        The base of the window, from 0, that positions are counted from: that of the TSS.

    Returns
    -------
    One row a bin: bin (from 0), start and end (half-open, as in BED) of where the middle of a
    filter that counts in it can lie, in bases from the origin along the window. Neighbours share
    a base where bins do not divide the windows.
    """
    places = stretches(length - width + 1, bins) + width // 2 - origin
    return pd.DataFrame({"bin": np.arange(bins), "start": places[:, 0], "end": places[:, 1]})


def scores_by_bin(
    model: HasFilters,
    codes: np.ndarray,
    filters: pd.DataFrame,
    families: Sequence[str],
    labels: pd.Series,
) -> np.ndarray:
    """Score each family in each bin of one fold's model, by label of the targets.

    Parameters
    ----------
    model
        Trained in the fold.
    codes
        Sequences to score on, uint8 ``(n, length)``.
    filters
        The fold's rows of filter_families.tsv: filter, family. Others became no motif.
    families
        Families, in the order to give them in.
    labels
        One per target, such as its cell type.

    Returns
    -------
    Influence and effect, summed over a family's filters and averaged over the targets of a label:
    ``(2, families, bins, labels)``, labels in alphabetical order.
    """
    targets = pd.get_dummies(labels.astype(str)).to_numpy(np.float64)  # (targets, labels)
    scores = []
    for score in model.influence_and_effect(torch.from_numpy(codes)):
        means = score.numpy().astype(np.float64) @ (targets / targets.sum(axis=0))
        flat = means[filters["filter"]].reshape(len(filters), -1)
        sums = sum_groups(flat, filters["family"], families)
        scores.append(sums.reshape(len(families), *means.shape[1:]))
    return np.stack(scores)


def positions_table(
    folds: Sequence[np.ndarray],
    families: Sequence[str],
    labels: Sequence[str],
    places: pd.DataFrame,
) -> pd.DataFrame:
    """Join the folds' scores into one table.

    Parameters
    ----------
    folds
        Of each fold what :func:`scores_by_bin` gives.
    families, labels
        Names of the families and, in alphabetical order, of the labels.
    places
        :func:`bin_places`.

    Returns
    -------
    One row a family, bin and label: family, bin, start, end, cell_type, effect (mean over folds;
    a fold without the family counts as 0), effect_se (its standard error over folds, missing for
    one fold), influence (sum over folds). Summed over bins, effect and influence are those of
    family_effect_by_cell_type.tsv and family_influence_by_cell_type.tsv.
    """
    influence, effect = np.stack(folds, axis=1)  # each (folds, families, bins, labels)
    rows = pd.MultiIndex.from_product(
        [families, places["bin"], labels], names=["family", "bin", "cell_type"]
    )
    table = rows.to_frame(index=False).merge(places, on="bin", how="left")
    n = len(effect)
    spread = effect.std(axis=0, ddof=1) if n > 1 else np.full(effect.shape[1:], np.nan)
    table[EFFECT] = effect.mean(axis=0).ravel()
    table["effect_se"] = spread.ravel() / np.sqrt(n)
    table[INFLUENCE] = influence.sum(axis=0).ravel()
    columns = ["family", "bin", "start", "end", "cell_type", EFFECT, "effect_se", INFLUENCE]
    return table[columns]
