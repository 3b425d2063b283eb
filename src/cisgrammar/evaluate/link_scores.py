"""How well methods tell links from other pairs: areas under curves, with intervals by genes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from cisgrammar.common.seeds import derive_seed

INTERVAL = (2.5, 97.5)  # percent
ALL = "all"


def areas(
    scores: np.ndarray, labels: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Areas under precision-recall and ROC curves, for several weightings of the same pairs.

    Parameters
    ----------
    scores
        Higher means more likely a link; equal ones are taken together: ``(pairs,)``.
    labels
        bool ``(pairs,)``.
    weights
        How often each pair counts: ``(weightings, pairs)``.

    Returns
    -------
    AUPRC (average precision) and AUROC, ``(weightings,)`` each; NaN where a class is absent.
    """
    order = np.argsort(-scores, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    ordered = weights[:, order]
    hits = np.cumsum(ordered * labels[order], axis=1)[:, ends]
    misses = np.cumsum(ordered * ~labels[order], axis=1)[:, ends]
    new_hits = np.diff(hits, prepend=0, axis=1)
    new_misses = np.diff(misses, prepend=0, axis=1)
    n_hits, n_misses = hits[:, -1], misses[:, -1]
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.nan_to_num(hits / (hits + misses))
        auprc = (precision * new_hits).sum(axis=1) / n_hits
        auroc = (new_misses * (hits - new_hits / 2)).sum(axis=1) / (n_hits * n_misses)
    absent = (n_hits == 0) | (n_misses == 0)
    return np.where(absent, np.nan, auprc), np.where(absent, np.nan, auroc)


def draws_of_genes(genes: np.ndarray, n: int, seed: int) -> np.ndarray:
    """Draw genes with replacement, with all their pairs.

    Returns
    -------
    How often each pair counts: ``(1 + n, pairs)``. First all once, then ``n`` draws.
    """
    number, names = pd.factorize(genes)
    rng = np.random.default_rng(derive_seed(seed, "bootstrap of links"))
    counts = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=n)
    return np.vstack([np.ones((1, len(genes))), counts[:, number]])


def score_methods(
    table: pd.DataFrame,
    methods: Sequence[str],
    *,
    edges: Sequence[int],
    n_bootstrap: int,
    seed: int,
    against: str | None = None,
) -> pd.DataFrame:
    """Score all methods on the same pairs, in all and by distance.

    Parameters
    ----------
    table
        gene, distance (bases), label (bool), and the methods.
    methods
        Columns; the absolute values of those that have a sign have to be there.
    edges
        Bins of distance, in bases: from each to the next.
    n_bootstrap, seed
        Draws of genes.
    against
        A method: how much higher it is than each of the others is given too.

    Returns
    -------
    method, distance_window (``all``, or ``0-10000``), pairs, links, for auprc and auroc the value,
    ``_low`` and ``_high``; with ``against`` also ``auprc_gain``, ``_low`` and ``_high``.
    """
    distance = table["distance"].abs().to_numpy()
    parts = [(ALL, np.ones(len(table), bool))]
    for low, high in pairwise(edges):
        parts.append((f"{low}-{high}", (distance >= low) & (distance < high)))
    rows = []
    for name, here in parts:
        part = table[here]
        if not len(part):
            continue
        weights = draws_of_genes(part["gene"].to_numpy(), n_bootstrap, seed)
        labels = part["label"].to_numpy(bool)
        found = {m: areas(part[m].to_numpy(float), labels, weights) for m in methods}
        for method, (auprc, auroc) in found.items():
            row = {
                "method": method,
                "distance_window": name,
                "pairs": len(part),
                "links": labels.sum(),
            }
            row |= _with_interval("auprc", auprc) | _with_interval("auroc", auroc)
            if against is not None:
                row |= _with_interval("auprc_gain", found[against][0] - auprc)
            rows.append(row)
    return pd.DataFrame(rows)


def _with_interval(name: str, values: np.ndarray) -> dict[str, float]:
    drawn = values[1:][np.isfinite(values[1:])]
    low, high = np.percentile(drawn, INTERVAL) if len(drawn) else (np.nan, np.nan)
    return {name: values[0], f"{name}_low": low, f"{name}_high": high}


def enrichment(table: pd.DataFrame, methods: Sequence[str], top: float) -> pd.DataFrame:
    """Compare the share of true pairs among those with the highest scores with that of all.

    Returns
    -------
    method, top (pairs), share_top, share_all, enrichment.
    """
    n, rows = max(1, round(top * len(table))), []
    labels = table["label"].to_numpy(bool)
    for method in methods:
        best = np.argsort(-table[method].to_numpy(float), kind="stable")[:n]
        shares = labels[best].mean(), labels.mean()
        rows.append((method, n, *shares, shares[0] / shares[1] if shares[1] else np.nan))
    return pd.DataFrame(rows, columns=["method", "top", "share_top", "share_all", "enrichment"])
