"""The table that says what a model is worth: methods against each other, fold by fold."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from scipy.stats import wilcoxon

from cisgrammar.common.seeds import derive_seed
from cisgrammar.evaluate.scores import scores

LABELS = {
    "mean": "the mean gene",
    "gc": "GC and CpG content",
    "linear": "linear regression on motif hits",
    "ridge": "ridge regression on motif hits",
    "random_forest": "a random forest on motif hits",
    "kmer_ridge": "k-mer ridge",
    "kmer_logistic": "k-mer logistic regression",
    "shuffled_nucleotides": "nucleotides are shuffled",
    "shuffled_dinucleotides": "dinucleotides are shuffled",
    "permuted_pools": "pools are permuted within each sequence",
    "only_aligned": "only filters that match known motifs are used",
    "only_non_aligned": "only filters that match no known motif are used",
}
CONTROLS = (
    "shuffled_nucleotides",
    "shuffled_dinucleotides",
    "permuted_pools",
    "only_aligned",
    "only_non_aligned",
)
OTHER_SCORES = {
    "doubly_centred_r": "What differs between cells (means of genes and of pools subtracted) "
    "it predicts with an r of",
    "mean_auroc": "Its area under the ROC curve is",
}
N_BOOTSTRAP = 10_000
MAIN_SCORES = ("r2", "centred_r", "doubly_centred_r", "mean_auroc")


def score_row(method: str, fold: int, observed: np.ndarray, predicted: np.ndarray) -> pd.DataFrame:
    """Score one method in one fold: a row of the comparison table.

    Parameters
    ----------
    method, fold
        What was fitted where.
    observed, predicted
        Test rows, ``(sequences, targets)``.

    Returns
    -------
    One row: method, fold, the scores of :func:`cisgrammar.evaluate.scores.scores`.
    """
    return pd.DataFrame([{"method": method, "fold": fold, **scores(observed, predicted)}])


def in_order(tables: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Stack tables of methods and folds: method and fold first, then the methods as they come."""
    table = pd.concat(tables, ignore_index=True)
    order = pd.Categorical(table["method"], table["method"].unique())
    table = table.iloc[np.lexsort((table["fold"], order.codes))].reset_index(drop=True)
    return table[["method", "fold", *table.columns.drop(["method", "fold"])]]


def all_differences(table: pd.DataFrame, model: str, seed: int) -> pd.DataFrame:
    """Stack :func:`paired_differences` of each main score, after a column ``score``."""
    scores = [score for score in MAIN_SCORES if score in table]
    stacked = [
        paired_differences(table, model, seed, score).assign(score=score) for score in scores
    ]
    together = pd.concat(stacked, ignore_index=True)
    return together[["score", *together.columns.drop("score")]]


def paired_differences(
    table: pd.DataFrame, model: str, seed: int, score: str = "r2"
) -> pd.DataFrame:
    """Compare a model with every other method, over the folds both have.

    Parameters
    ----------
    table
        Rows of :func:`score_row`.
    model
        The method to compare with the others.
    seed
        Seed of the bootstrap.
    score
        The column to compare.

    Returns
    -------
    One row a method, in the order of the table: method, n_folds, mean (of the
    method's score), difference (mean of model minus method), low and high (95%
    percentile bootstrap interval of the difference, over folds), p_value
    (Wilcoxon signed-rank, two-sided).

    Raises
    ------
    ValueError
        If the table has no row of the model, or two of one method and fold.

    Notes
    -----
    Scores that are NaN (a constant prediction has no r) count as 0. Folds share most
    of their training genes, so p-values are somewhat too small; on the other hand n folds
    cannot give less than 2 / 2**n, which is above 0.05 for five folds or fewer.
    """
    if table.duplicated(["method", "fold"]).any():
        raise ValueError("a method has two rows in one fold")
    filled = table.assign(score=table[score].astype(float).fillna(0))
    wide = filled.pivot_table(index="fold", columns="method", values="score")
    if model not in wide:
        raise ValueError(f"the table has no row of {model}")
    rows = []
    for method in (m for m in table["method"].unique() if m != model):
        both = wide[[model, method]].dropna()
        differences = (both[model] - both[method]).to_numpy()
        low, high = _bootstrap_interval(differences, derive_seed(seed, "bootstrap", score, method))
        p_value = wilcoxon(differences).pvalue if np.any(differences) else 1.0
        rows.append(
            {
                "method": method,
                "n_folds": len(differences),
                "mean": both[method].mean(),
                "difference": differences.mean() if len(differences) else np.nan,
                "low": low,
                "high": high,
                "p_value": p_value if len(differences) else np.nan,
            }
        )
    columns = ["method", "n_folds", "mean", "difference", "low", "high", "p_value"]
    return pd.DataFrame(rows, columns=columns)


def _bootstrap_interval(values: np.ndarray, seed: int) -> tuple[float, float]:
    """95% percentile interval of the mean."""
    if len(values) == 0:
        return np.nan, np.nan
    drawn = np.random.default_rng(seed).integers(0, len(values), (N_BOOTSTRAP, len(values)))
    low, high = np.quantile(values[drawn].mean(axis=1), [0.025, 0.975])
    return float(low), float(high)


def verdict(table: pd.DataFrame, model: str, differences: pd.DataFrame) -> str:
    """Say in plain words what the model is worth.

    Parameters
    ----------
    table
        Rows of :func:`score_row`.
    model
        The method that is judged.
    differences
        From :func:`paired_differences`, of r2.

    Returns
    -------
    The variance explained, against the best baseline, and what each control takes away.
    """
    mine = table.loc[table["method"] == model, "r2"].fillna(0)
    rows = differences.set_index("method")
    text = f"{model} explains {100 * mine.mean():.1f}% of the variance of held-out sequences " + (
        f"(mean over {len(mine)} folds)" if len(mine) > 1 else "(one fold)"
    )
    baselines = rows[[m not in CONTROLS and not m.startswith("without_") for m in rows.index]]
    if len(baselines):
        best = baselines["mean"].idxmax()
        points, low, high = 100 * baselines.loc[best, ["difference", "low", "high"]]
        text += (
            f", {abs(points):.1f} points {'more' if points >= 0 else 'less'} than the best "
            f"baseline, {LABELS.get(best, best)}"
        )
        if baselines.loc[best, "n_folds"] > 1:  # one fold says nothing of its own spread
            text += (
                f" (95% interval of the difference {low:.1f} to {high:.1f}, "
                f"p = {baselines.loc[best, 'p_value']:.2g})"
            )
    changes = [
        f"{'falls' if rows.loc[control, 'difference'] >= 0 else 'rises'} by "
        f"{100 * abs(rows.loc[control, 'difference']):.1f} when {LABELS[control]}"
        for control in CONTROLS
        if control in rows.index
    ]
    text += "." + (f" It {', '.join(changes)}." if changes else "")
    return text + "".join(
        _another_score(table, model, list(baselines.index), score, words)
        for score, words in OTHER_SCORES.items()
    )


def _another_score(
    table: pd.DataFrame, model: str, baselines: list[str], score: str, words: str
) -> str:
    """Say a further score, and that of its best baseline; nothing where there is none."""
    if score not in table or table[score].isna().all():
        return ""
    means = table.groupby("method")[score].mean().fillna(0)
    text = f" {words} {means[model]:.3f}"
    if baselines:
        best = means[baselines].idxmax()
        text += f"; that of {LABELS.get(best, best)}, the best baseline, is {means[best]:.3f}"
    return text + "."
