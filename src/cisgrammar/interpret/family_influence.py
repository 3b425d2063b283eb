"""Influence of motif families: per pool, per cell type, per fold."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse, stats

from cisgrammar.common.errors import Problems
from cisgrammar.common.statistics import spearman
from cisgrammar.interpret.influence import EFFECT, INFLUENCE, mean_by, with_score, z_scores
from cisgrammar.motifs.meme import Motif

OTHER = "other"
logger = logging.getLogger(__name__)


def sum_by_family(
    influence: AnnData, assignments: pd.DataFrame, families: pd.DataFrame, motifs: Sequence[Motif]
) -> AnnData:
    """Add up the influence of each family's filters, of all folds.

    Parameters
    ----------
    influence
        Pools x motifs, with ``layers["effect"]``.
    assignments
        Columns motif, fold, family, ...: :func:`~cisgrammar.motifs.families.assign_filters`.
    families
        :func:`~cisgrammar.motifs.families.family_table`.
    motifs
        The filters' motifs.

    Returns
    -------
    Pools x families in the order of ``models``, which is var; obs and obsm as
    in ``influence``; ``layers["effect"]`` the effect, summed over the filters of a
    fold and averaged over folds (a fold without the family counts as 0);
    ``uns["logos"]`` the matrix ``(4, width)`` of each family's example, by the
    example's name.

    Notes
    -----
    Hepkema et al. (2023), Methods: the aggregate score of a motif cluster. The
    mean over folds makes the effect that of one model, whatever their number:
    how far log expression moves when the family's activation rises by one
    standard deviation.
    """
    placed = assignments.set_index("motif").loc[influence.var_names]
    sums = sum_groups(influence.X.T, placed["family"], families["family"]).T
    effects = sum_groups(influence.layers[EFFECT].T, placed["family"], families["family"]).T
    matrices = {motif.name: motif.matrix for motif in motifs}
    summed = AnnData(
        sums,
        obs=influence.obs.copy(),
        var=families.set_index("family"),
        uns={"logos": {name: matrices[name] for name in families["example"]}},
    )
    summed.layers[EFFECT] = effects / max(placed["fold"].nunique(), 1)
    for key, value in influence.obsm.items():
        summed.obsm[key] = value
    return summed


def sum_groups(values: np.ndarray, groups: pd.Series, order: Sequence[object]) -> np.ndarray:
    """Add rows ``(rows, columns)`` up by group: ``(groups in the order given, columns)``."""
    codes = pd.Categorical(groups, order).codes
    member = sparse.csr_array(
        (np.ones(len(codes)), (codes, np.arange(len(codes)))), shape=(len(order), len(codes))
    )
    return member @ np.asarray(values, dtype=np.float64)


def mean_by_family(
    families: AnnData, column: str = "cell_type", layer: str | None = None
) -> pd.DataFrame:
    """Average over the pools of each label: family x label, labels in alphabetical order."""
    return mean_by(families, column, layer).rename_axis("family")


def means_of_label(families: AnnData, label: str) -> dict[str, pd.DataFrame]:
    """Average both scores over the pools of each label, raw and standardised (``_z``).

    Returns
    -------
    ``{score}_by_{label}`` and ``{score}_by_{label}_z`` to family x label.
    """
    tables: dict[str, pd.DataFrame] = {}
    for score, layer in ((INFLUENCE, None), (EFFECT, EFFECT)):
        means = mean_by_family(families, label, layer)
        tables |= {f"{score}_by_{label}": means, f"{score}_by_{label}_z": z_scores(means)}
    return tables


def add_categories(
    influence: AnnData,
    categories: Mapping[str, Sequence[str]],
    name: str = "category",
    column: str = "cell_type",
) -> None:
    """Group labels of pools into a user's categories.

    Parameters
    ----------
    influence
        Pools x anything; ``obs[name]`` is added.
    categories
        Category -> labels. Labels in none of them become ``other``.
    name, column
        The new column, and the one the labels are in.

    Raises
    ------
    InputError
        If none of a category's labels is there, or one is in two categories; all such problems
        are reported together.
        A label that is not there is logged: a rare type may be the most frequent in no pool.
    """
    labels = influence.obs[column].astype(str)
    known = set(labels)
    problems = Problems()
    category_of: dict[str, str] = {}
    for category, members in categories.items():
        absent = [label for label in members if label not in known]
        shown = ", ".join(map(repr, absent))
        if len(absent) == len(members):
            problems.add(
                f"categories: {shown} in {category!r} is no {column} of any pool. There "
                f"are {', '.join(sorted(known))}."
            )
        elif absent:
            logger.warning("categories: no pool is of %s, in %r", shown, category)
        for label in members:
            if label in category_of:
                problems.add(
                    f"categories: {label!r} is in {category_of[label]!r} and in {category!r}. "
                    "Leave it in one."
                )
            category_of[label] = category
    problems.raise_if_any()
    influence.obs[name] = labels.map(category_of).fillna(OTHER).to_numpy()
    logger.info(
        "%d of %d pools are in no category", (influence.obs[name] == OTHER).sum(), len(labels)
    )


def stability(
    influence: AnnData,
    assignments: pd.DataFrame,
    families: pd.DataFrame,
    column: str = "cell_type",
    level: float = 0.95,
) -> pd.DataFrame:
    """Say how a family's influence varies over the folds.

    Parameters
    ----------
    influence
        Pools x motifs.
    assignments, families
        As for :func:`sum_by_family`.
    column
        Labels of the pools.
    level
        Of the interval.

    Returns
    -------
    One row a family and label, in the order of ``models`` and the alphabet:
    family, the label, mean and sd (over folds, of the family's summed influence
    in one fold; a fold without the family counts as 0), low and high (of the
    mean), same_sign (share of the folds whose sign is that of the mean), n_folds.

    Notes
    -----
    The interval is Student's t over folds. Folds share most of their training
    data, so it shows how repeatable the training is, not how another sample of
    cells would turn out.
    """
    means = mean_by(influence, column)
    folds = sorted(assignments["fold"].unique())
    sums = _sums_by_fold(means, assignments, families)
    centre = sums.mean(axis=1)
    table = pd.DataFrame({"mean": centre.ravel()})
    if len(folds) > 1:
        table["sd"] = sums.std(axis=1, ddof=1).ravel()
        reach = stats.t.ppf((1 + level) / 2, len(folds) - 1) * table["sd"] / np.sqrt(len(folds))
    else:
        table["sd"] = reach = np.nan
    table["low"] = table["mean"] - reach
    table["high"] = table["mean"] + reach
    table["same_sign"] = (np.sign(sums) == np.sign(centre)[:, None]).mean(axis=1).ravel()
    table.insert(0, "family", np.repeat(families["family"].to_numpy(), means.shape[1]))
    table.insert(1, column, np.tile(means.columns.to_numpy(), len(families)))
    return table.assign(n_folds=len(folds))


def _sums_by_fold(
    means: pd.DataFrame, assignments: pd.DataFrame, families: pd.DataFrame
) -> np.ndarray:
    """Add motif x label up by family in each fold: ``(families, folds, labels)``."""
    placed = assignments.set_index("motif").loc[means.index]
    sums = [
        sum_groups(means[in_fold], placed["family"][in_fold], families["family"])
        for in_fold in (placed["fold"] == fold for fold in sorted(assignments["fold"].unique()))
    ]
    return np.stack(sums, axis=1)


def consistency(
    influence: AnnData,
    assignments: pd.DataFrame,
    families: pd.DataFrame,
    column: str = "cell_type",
    errors: float = 2.0,
) -> pd.DataFrame:
    """Tell families that do the same in each fold from those that match by chance.

    A filter that learned nothing can resemble a known motif, and in some database
    cluster or other this happens in many folds. What such filters do to predictions
    is small, and up in one fold and down in the next.

    Parameters
    ----------
    influence, assignments, families
        As for :func:`sum_by_family`.
    column
        Labels of the pools.
    errors
        Standard errors by which the effect must differ from 0.

    Returns
    -------
    One row a family, index family: the label in which its effect is strongest
    (of its mean over the folds that have the family), that effect, se (its standard
    error over these folds; missing for one fold) and consistent: whether the effect is
    ``errors`` standard errors or more away from 0. A family of one fold
    is called consistent, as nothing speaks against it.
    """
    means = mean_by(influence, column, EFFECT)
    sums = _sums_by_fold(means, assignments, families)
    has = pd.crosstab(assignments["family"], assignments["fold"]).loc[families["family"]] > 0
    present = has.to_numpy()[:, :, None]  # (families, folds, 1)
    n = present.sum(axis=1)
    centre = (sums * present).sum(axis=1) / n  # (families, labels)
    strongest = np.abs(centre).argmax(axis=1)
    row = np.arange(len(families))
    squares = ((sums - centre[:, None]) ** 2 * present).sum(axis=1)[row, strongest]
    n, effect = n[:, 0], centre[row, strongest]
    se = np.sqrt(squares / np.where(n > 1, n - 1, np.nan) / n)
    table = pd.DataFrame({column: means.columns[strongest], "effect": effect, "se": se})
    table["consistent"] = (n == 1) | (np.abs(effect) >= errors * se)
    return table.set_index(families["family"])


def trusted(families: pd.DataFrame, consistent: pd.DataFrame) -> pd.Series:
    """Tell which families are reproducible and consistent: family (index) -> bool.

    Parameters
    ----------
    families
        :func:`~cisgrammar.motifs.families.family_table`.
    consistent
        Of :func:`consistency`.
    """
    reproducible = families.set_index("family")["reproducible"].astype(bool)
    return reproducible & consistent["consistent"].astype(bool).loc[reproducible.index]


def family_correlations(families: AnnData) -> pd.DataFrame:
    """Correlate families' influence over pools (Spearman): family x family."""
    rho, _ = spearman(families.X, families.X)
    return pd.DataFrame(rho, families.var_names, families.var_names).rename_axis("family")


def pool_pca(families: AnnData, n_components: int = 10) -> AnnData:
    """Project pools onto the main directions of their families' influence.

    Parameters
    ----------
    families
        Pools x families.
    n_components
        At most; no more than there are pools or families that vary.

    Returns
    -------
    The same with ``obsm["X_pca"]``, ``varm["PCs"]`` and
    ``uns["pca"]["variance_ratio"]``, as scanpy names them. Families are
    standardised first; each component's largest loading is positive.
    """
    values = np.asarray(families.X, dtype=np.float64)
    spread = values.std(axis=0)
    varies = spread > 1e-12 * np.abs(values).max(axis=0).clip(1e-300)
    standard = (values - values.mean(axis=0)) / np.where(varies, spread, np.inf)
    left, singular, right = np.linalg.svd(standard, full_matrices=False)
    n = min(n_components, int((singular > 1e-9 * max(singular[0], 1e-300)).sum()))
    signs = np.sign(right[np.arange(n), np.abs(right[:n]).argmax(axis=1)])
    projected = families.copy()
    projected.obsm["X_pca"] = left[:, :n] * singular[:n] * signs
    projected.varm["PCs"] = (right[:n] * signs[:, None]).T
    variance = singular**2
    projected.uns["pca"] = {"variance_ratio": variance[:n] / max(variance.sum(), 1e-300)}
    return projected


def add_pool_pca(families: AnnData, score: str) -> None:
    """Add :func:`pool_pca` of one of the scores, ``effect`` or ``influence``."""
    projected = pool_pca(with_score(families, score))
    for key in ("obsm", "varm", "uns"):
        getattr(families, key).update(getattr(projected, key))
