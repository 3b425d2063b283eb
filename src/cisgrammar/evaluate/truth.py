"""Simulated data: what was found, compared with what was planted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy.stats import spearmanr

from cisgrammar.common.statistics import pearson
from cisgrammar.data.folds import TEST, rows_of
from cisgrammar.interpret.influence import EFFECT, INFLUENCE, mean_by
from cisgrammar.motifs.families import FAMILY
from cisgrammar.motifs.meme import Motif
from cisgrammar.motifs.tomtom import best_p_values, q_values, shuffle_columns

MAX_Q = 0.05
REQUIRED = {
    **{"share_found": 0.8, "median_spearman": 0.8, "r2_over_ceiling": 0.8},
    **{"family_recall": 0.8, "family_precision": 0.8, "share_family_sign_right": 0.9},
}
MOTIF_COLUMNS = [
    *("motif", "found", "n_filters", "n_folds", "best_filter", "q_value"),
    *("spearman", "mean_activity", "mean_influence", "sign_right"),
    *("spearman_effect", "mean_effect", "sign_right_effect"),
]


@dataclass(frozen=True)
class Comparison:
    """What became of the planted motifs.

    Parameters
    ----------
    motifs
        One row a planted motif: motif, found, n_filters and n_folds that found it,
        best_filter and its q_value, spearman (of influence with activity over cell
        types), mean_activity and mean_influence over cell types, sign_right; then
        the last three for the effect in place of influence.
    pairs
        One row a planted motif and cell type: motif, cell_type, activity, influence
        and effect (missing where the motif was not found).
    summary
        metric, value, required (missing where nothing is).
    """

    motifs: pd.DataFrame
    pairs: pd.DataFrame
    summary: pd.DataFrame


def compare(
    planted: Sequence[Motif],
    activities: pd.DataFrame,
    expectation: AnnData,
    *,
    dataset: AnnData,
    members: pd.DataFrame,
    folds: pd.DataFrame,
    evaluation: pd.DataFrame,
    motifs: Sequence[Motif],
    influence: AnnData,
    known: Sequence[Motif],
) -> Comparison:
    """Compare a run on simulated data with the truth.

    Parameters
    ----------
    planted, activities, expectation
        truth/motifs.meme; truth/activities.tsv, motif (index) x cell type;
        truth/expectation.h5ad, cell types x genes.
    dataset, members, folds
        dataset.h5ad, cells_in_pools.tsv and folds.tsv.
    evaluation
        evaluation.tsv of all folds.
    motifs, influence
        Motifs of the filters of all folds; influence.h5ad, pools x motifs.
    known
        A motif database, whose columns are the null distribution of the
        comparison of motifs: the planted ones alone would be too few.

    Notes
    -----
    A filter finds the planted motif that it resembles most, if it resembles it at
    q <= 0.05. A motif's influence is the sum over the filters that found it,
    divided by the number of folds, averaged over the pools of a cell type. In the
    median, the Spearman correlation of a motif that was not found counts as 0.
    """
    n_folds = folds.columns.str.match(r"fold\d+$").sum()
    q = planted_q_values(motifs, planted, known)
    shuffled = find_planted(planted_q_values(shuffle_columns(motifs, seed=0), planted, known))
    finder = find_planted(q)
    pairs = influence_pairs(finder, planted, activities, influence, n_folds)
    table = motif_table(q, finder, planted, motifs, influence.var, pairs)
    ceiling = float(ceiling_r2(expectation, dataset, members, folds).mean())
    r2 = float(evaluation.loc[evaluation["fold"].astype(str) == "mean", "r2"].iloc[0])
    values = {
        "planted_motifs": len(planted),
        "share_found": table["found"].mean(),
        "share_found_in_half_of_folds": (table["n_folds"] >= n_folds / 2).mean(),
        "share_found_by_shuffled_filters": len(set(shuffled[shuffled >= 0])) / len(planted),
        "share_of_filters_matching": (finder >= 0).mean() if len(finder) else 0.0,
        "share_of_shuffled_filters_matching": (shuffled >= 0).mean() if len(shuffled) else 0.0,
        "median_spearman": table["spearman"].fillna(0).median(),
        "share_sign_right": table["sign_right"].mean(),
        "median_spearman_effect": table["spearman_effect"].fillna(0).median(),
        "share_sign_right_effect": table["sign_right_effect"].mean(),
        "r2": r2,
        "ceiling_r2": ceiling,
        "r2_over_ceiling": r2 / ceiling,
    }
    return Comparison(table, pairs, _summary(values))


def _summary(values: Mapping[str, float]) -> pd.DataFrame:
    rows = [(name, float(value), REQUIRED.get(name, np.nan)) for name, value in values.items()]
    return pd.DataFrame(rows, columns=["metric", "value", "required"])


def planted_q_values(
    motifs: Sequence[Motif], planted: Sequence[Motif], known: Sequence[Motif]
) -> np.ndarray:
    """Compare filters with the planted motifs.

    Parameters
    ----------
    motifs
        Of the filters.
    planted
        Motifs to look for: a database of their own.
    known
        More motifs, for Tomtom's null distribution only.

    Returns
    -------
    q-values ``(motifs, planted)``, Benjamini-Hochberg over the planted.
    """
    p = best_p_values(motifs, [*planted, *known])[:, : len(planted)]
    return q_values(p)


def find_planted(q: np.ndarray) -> np.ndarray:
    """Tell which planted motif each filter found.

    Parameters
    ----------
    q
        ``(filters, planted)``.

    Returns
    -------
    Column of the lowest q-value (the first of ties), -1 if it is above 0.05: ``(filters,)``.
    """
    if not q.size:
        return np.full(len(q), -1)
    return np.where(q.min(axis=1) <= MAX_Q, q.argmin(axis=1), -1)


def influence_pairs(
    finder: np.ndarray,
    planted: Sequence[Motif],
    activities: pd.DataFrame,
    influence: AnnData,
    n_folds: int,
) -> pd.DataFrame:
    """Set each planted motif's influence beside its true activity.

    Parameters
    ----------
    finder
        From :func:`find_planted`, in the order of ``influence.var``.
    planted, activities, influence
        As for :func:`compare`.
    n_folds
        The influence summed over filters is divided by it.

    Returns
    -------
    motif, cell_type (those that pools have), activity, influence, effect.
    """
    cell_types = influence.obs["cell_type"].astype(str).to_numpy()
    tables = []
    for i, motif in enumerate(planted):
        found = finder == i
        totals = {  # (pools,)
            score: values[:, found].sum(axis=1, dtype=np.float64) / n_folds
            for score, values in ((INFLUENCE, influence.X), (EFFECT, influence.layers[EFFECT]))
        }
        by_type = pd.DataFrame(totals).groupby(cell_types).mean()
        shared = activities.columns.intersection(by_type.index)
        by_type = by_type.loc[shared] if found.any() else by_type.loc[shared] * np.nan
        activity = activities.loc[motif.name, shared].to_numpy()
        table = pd.DataFrame({"motif": motif.name, "cell_type": shared, "activity": activity})
        tables.append(table.join(by_type, on="cell_type"))
    return pd.concat(tables, ignore_index=True)


def motif_table(
    q: np.ndarray,
    finder: np.ndarray,
    planted: Sequence[Motif],
    motifs: Sequence[Motif],
    filters: pd.DataFrame,
    pairs: pd.DataFrame,
) -> pd.DataFrame:
    """Say of each planted motif whether, where and how well it was found.

    Parameters
    ----------
    q, finder
        From :func:`planted_q_values` and :func:`find_planted`.
    planted, motifs
        As for :func:`compare`.
    filters
        motifs.tsv: a row for each of ``motifs``, with ``fold``.
    pairs
        From :func:`influence_pairs`.

    Returns
    -------
    :attr:`Comparison.motifs`.
    """
    rows = []
    for i, motif in enumerate(planted):
        found = np.flatnonzero(finder == i)
        here = pairs[pairs["motif"] == motif.name]
        row = {"motif": motif.name, "found": bool(found.size), "n_filters": found.size}
        row["n_folds"] = filters["fold"].iloc[found].nunique()
        row["mean_activity"] = here["activity"].mean()
        row["sign_right"] = row["sign_right_effect"] = False
        if found.size:
            best = found[q[found, i].argmin()]
            row["best_filter"], row["q_value"] = motifs[best].name, q[best, i]
            for score, suffix in ((INFLUENCE, ""), (EFFECT, "_effect")):
                row[f"spearman{suffix}"] = spearmanr(here["activity"], here[score]).statistic
                row[f"mean_{score}"] = mean = here[score].mean()
                row[f"sign_right{suffix}"] = bool(mean * row["mean_activity"] > 0)
        rows.append(row)
    return pd.DataFrame(rows, columns=MOTIF_COLUMNS)


def ceiling_r2(
    expectation: AnnData, dataset: AnnData, members: pd.DataFrame, folds: pd.DataFrame
) -> np.ndarray:
    """Score the noise-free expectation on each fold's test genes as a model is scored.

    Parameters
    ----------
    expectation, dataset, members, folds
        As for :func:`compare`.

    Returns
    -------
    R2 of each fold: squared Pearson r of all test genes x pools flattened.

    Notes
    -----
    The expected counts of a pool are the expectation of each of its cells' true
    types, summed, and scaled so that their total over the data set's genes is the
    pool's own; then log10(1 + count). The expectation knows what sequence does not
    say (each gene's own effect on expression, the TFs' own genes) but neither
    batch effects nor the cells' noise.
    """
    cells = pd.crosstab(members["pool"], members["cell_type"])
    cells = cells.reindex(index=dataset.obs_names, columns=expectation.obs_names, fill_value=0)
    expected = cells.to_numpy() @ expectation[:, dataset.var_names].X  # (pools, genes)
    observed = dataset.X.astype(np.float64)
    totals = (10**observed - 1).sum(axis=1)
    expected *= (totals / expected.sum(axis=1))[:, None]
    expected = np.log10(1 + expected)
    n_folds = folds.columns.str.match(r"fold\d+$").sum()
    tests = [rows_of(folds, fold, TEST) for fold in range(n_folds)]
    return np.array([pearson(observed[:, test], expected[:, test]) ** 2 for test in tests])


def compare_families(
    planted: Sequence[Motif],
    activities: pd.DataFrame,
    *,
    target_clusters: pd.Series,
    influence: AnnData,
    regulators: pd.DataFrame,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Compare families and their regulators with the truth.

    Parameters
    ----------
    planted, activities
        As for :func:`compare`; a planted motif's second name is its id in the
        database.
    target_clusters
        Cluster name of each motif of the database:
        :func:`~cisgrammar.motifs.clusters.clusters_of_targets`.
    influence
        Pools x families, with ``layers["effect"]``; var has ``status``,
        ``reproducible`` and ``consistent``.
    regulators
        :func:`~cisgrammar.interpret.regulators.find_regulators`.

    Returns
    -------
    table
        One row a planted motif: motif, family (its cluster; missing if the database
        has none), found (the family is reproducible and consistent),
        clear_cell_types, right_signs of the effect and right_signs_influence (how
        many), tf, rho and rank (of its TF among the family's candidates, the better
        one of a heterodimer's two).
    summary
        metric, value, required.

    Notes
    -----
    Recall is the share of planted families that are found: reproducible, and with a
    consistent effect. Precision is the share of families so found that are planted;
    both are also given for reproducible families alone, the paper's criterion. A
    family's activity is the sum of its planted motifs'. It is clear in a cell type
    where it is at least half of its highest; there, the sign of the family's mean
    effect over pools should be its own. All pairs of a family that was not found
    are wrong.
    """
    names = [motif.name for motif in planted]
    family_of = pd.Series([target_clusters.get(m.alt) or None for m in planted], index=names)
    reproducible = influence.var.index[influence.var["reproducible"].astype(bool)]
    present = influence.var.index[influence.var["status"] == FAMILY].intersection(reproducible)
    known = present.intersection(influence.var.index[influence.var["consistent"].astype(bool)])
    active = activities.loc[names].groupby(family_of, sort=False).sum()
    signs = _right_signs(active, influence[:, known])
    table = pd.DataFrame({"motif": names, "family": family_of.to_numpy()})
    table["found"] = table["family"].isin(known)
    table = table.join(signs, on="family")
    ranks = [_rank_of_tf(name, family_of[name], regulators) for name in names]
    table = pd.concat([table, pd.DataFrame(ranks)], axis=1)
    wanted = set(family_of.dropna())
    clear = signs["clear_cell_types"].sum()
    values = {
        "planted_families": len(wanted),
        **_reached(wanted, known),
        **_reached(wanted, present, "_by_presence"),
        "share_family_sign_right": signs["right_signs"].sum() / clear,
        "share_family_sign_right_influence": signs["right_signs_influence"].sum() / clear,
        "median_rank_of_tf": table["rank"].fillna(np.inf).median(),
    }
    return table, _summary(values)


def _reached(wanted: set[str], found: pd.Index, suffix: str = "") -> dict[str, float]:
    right = len(wanted & set(found))
    return {
        f"family_recall{suffix}": right / len(wanted) if wanted else np.nan,
        f"family_precision{suffix}": right / len(found) if len(found) else 0.0,
    }


def _right_signs(active: pd.DataFrame, influence: AnnData) -> pd.DataFrame:
    """Count cell types with clear activity, and those where a score has the same sign."""
    shared = active.columns.intersection(influence.obs["cell_type"].astype(str))
    active = active[shared]
    clear = active.abs().ge(active.abs().max(axis=1) / 2, axis=0)
    counts = {"clear_cell_types": clear.sum(axis=1)}
    for name, layer in (("right_signs", EFFECT), ("right_signs_influence", None)):
        means = mean_by(influence, layer=layer).reindex(index=active.index)[shared]
        counts[name] = (clear & (np.sign(active) == np.sign(means))).sum(axis=1)
    return pd.DataFrame(counts)


def _rank_of_tf(name: str, family: str | None, regulators: pd.DataFrame) -> dict[str, object]:
    """Find a motif's own TF among its family's candidates."""
    tfs = name.upper().split("::")
    rows = regulators[(regulators["family"] == family) & regulators["rank"].notna()]
    rows = rows[rows["tf"].astype(str).str.upper().isin(tfs)]
    if rows.empty:
        return {"tf": None, "rho": np.nan, "rank": np.nan}
    best = rows.sort_values("rank").iloc[0]
    return {"tf": best["tf"], "rho": best["rho"], "rank": float(best["rank"])}
