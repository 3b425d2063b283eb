"""The model, its ablations and simple methods on the same pairs, by planted or by users' truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from cisgrammar.common.inputs import examples
from cisgrammar.common.statistics import auroc, pearson
from cisgrammar.evaluate.link_scores import enrichment, score_methods
from cisgrammar.evaluate.link_truth import (
    label_enhancers,
    label_eqtls,
    label_interactions,
    label_tested_pairs,
    read_pairs,
    read_places,
)

MODEL = "model"
OWN = {MODEL: "link_score", "shared_model": "spread", "highest_activity": "highest"}
SIGNED = ("r_cells", "r_pools", "z_background", "ridge")
UNSIGNED = ("nearest_tss", "accessibility", "abc")
LEVELS = (0.05, 0.1, 0.2)
TOP = 0.1


def methods_of(links: pd.DataFrame, ablations: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Give a column for each method, higher for likelier links, whatever their sign.

    Parameters
    ----------
    links
        The table of links, with the simple methods.
    ablations
        The same of spoiled models, by name; their pairs are in the same order.
    """
    table = pd.DataFrame({name: links[column] for name, column in OWN.items()})
    table["distance_alone"] = -links["distance"].abs()
    for name in UNSIGNED:
        table[name] = links[name]
    for name in SIGNED:
        table[name] = links[name].abs()
    for name, its in ablations.items():
        table[name] = its["link_score"].to_numpy()
    return table


def evaluate(
    links: pd.DataFrame,
    labels: Mapping[str, np.ndarray],
    tested: Mapping[str, pd.DataFrame],
    methods: pd.DataFrame,
    settings: Mapping[str, Any],
    seed: int,
) -> pd.DataFrame:
    """Score all methods by each truth, in the same windows.

    Parameters
    ----------
    links
        gene, distance.
    labels
        Truths that say of each pair whether it is one: bool ``(pairs,)``.
    tested
        Truths with pairs of their own: gene, distance, label and the methods.
    methods
        From :func:`methods_of`.
    settings
        The key ``evaluation`` of the section ``links``.
    seed
        Of the bootstrap.

    Returns
    -------
    by_truth, and the columns of :func:`cisgrammar.evaluate.link_scores.score_methods` and
    ``enrichment_top``, of the tenth of the pairs with the highest scores.
    """
    tables = {
        name: links[["gene", "distance"]].assign(label=label).join(methods)
        for name, label in labels.items()
    }
    found = []
    for truth, table in (tables | dict(tested)).items():
        scores = score_methods(
            table, list(methods), edges=settings["edges"], n_bootstrap=settings["n_bootstrap"],
            seed=seed, against=MODEL,
        )  # fmt: skip
        top = enrichment(table, list(methods), TOP).set_index("method")["enrichment"]
        scores["enrichment_top"] = (
            scores["method"].map(top).where(scores["distance_window"] == "all")
        )
        scores.insert(0, "by_truth", truth)
        found.append(scores)
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=["by_truth"])


def read_truths(
    files: Mapping[str, str], peaks: pd.DataFrame, links: pd.DataFrame, methods: pd.DataFrame
) -> tuple[dict[str, np.ndarray], dict[str, pd.DataFrame]]:
    """Read the user's truths, and say which pairs they hold for.

    Parameters
    ----------
    files
        ``pairs``, ``enhancers``, ``interactions``, ``eqtls``: paths, those that are given.
    peaks
        Index name; chrom, start, end.
    links, methods
        As in :func:`evaluate`.

    Raises
    ------
    InputError
        If a file is damaged or hardly touches the peaks.
    """
    labels, tested = {}, {}
    readers = {"enhancers": (label_enhancers, 3), "interactions": (label_interactions, 6),
               "eqtls": (label_eqtls, 3)}  # fmt: skip
    for kind, path in files.items():
        if kind == "pairs":
            both = links[["gene", "gene_name", "peak"]].join(methods)
            truth = read_pairs(path)
            table = label_tested_pairs(path, truth, peaks, both, list(methods))
            table["distance_alone"] = -table["distance"]
            tested[kind] = table
        else:
            label, least = readers[kind]
            labels[kind] = label(path, read_places(path, least), peaks, links)
    return labels, tested


def roles_of(links: pd.DataFrame, truth: pd.DataFrame) -> np.ndarray:
    """Say of each pair whether it is planted as ``link``, as ``decoy`` or not at all (empty)."""
    roles = truth.set_index(["gene", "peak"])["role"]
    pairs = pd.MultiIndex.from_frame(links[["gene", "peak"]].astype(str))
    return roles.reindex(pairs).fillna("").to_numpy()


def compare_planted(
    links: pd.DataFrame,
    methods: pd.DataFrame,
    roles: np.ndarray,
    by_type: AnnData,
    activities: pd.DataFrame,
) -> pd.DataFrame:
    """Compare calls, decoys and activities with what was planted.

    Parameters
    ----------
    links, methods
        As in :func:`evaluate`.
    roles
        From :func:`roles_of`.
    by_type
        Cell types x pairs, as the links: activity.
    activities
        The truth: gene, peak, cell_type, activity.

    Returns
    -------
    measure, value.
    """
    is_link, is_decoy = roles == "link", roles == "decoy"
    rows: list[tuple[str, float]] = [("planted links among the pairs", int(is_link.sum()))]
    rows.append(("decoys among the pairs", int(is_decoy.sum())))
    either = is_link | is_decoy
    for name in methods:
        score = methods[name].to_numpy(float)[either, None]
        area = auroc(is_link[either, None].astype(float), score)
        rows.append((f"AUROC of links against decoys, {name}", float(area[0])))
    for level in LEVELS:
        called = (links["fdr"] <= level).to_numpy()
        false = 1 - is_link[called].mean() if called.any() else np.nan
        rows.append((f"pairs called at FDR {level}", int(called.sum())))
        rows.append((f"observed FDR at {level}", float(false)))
    wide = activities.pivot_table(index=["gene", "peak"], columns="cell_type", values="activity")
    pairs = pd.MultiIndex.from_frame(links[["gene", "peak"]].astype(str))
    true = wide.reindex(pairs)[list(by_type.obs_names)].to_numpy()
    known = np.isfinite(true).all(axis=1)
    found = np.asarray(by_type.X).T[known]
    each = pearson(true[known], found, axis=1)
    rows.append(("r of activity by type, links and types together",
                 float(pearson(true[known].ravel(), found.ravel()))))  # fmt: skip
    rows.append(("r of activity by type, median over links", float(np.nanmedian(each))))
    return pd.DataFrame(rows, columns=["measure", "value"])


def describe_best(scores: pd.DataFrame, baselines: Sequence[str]) -> str:
    """Say in one line how the model and the best simple method fare, for the log."""
    whole = scores[
        (scores["distance_window"] == "all") & scores["method"].isin([MODEL, *baselines])
    ]
    told = []
    for truth, its in whole.groupby("by_truth", sort=False):
        area = its.set_index("method")["auprc"]
        best = area.drop(MODEL).idxmax()
        told.append(f"{truth}: AUPRC {area[MODEL]:.3f}, {best} {area[best]:.3f}")
    return "; ".join(told) or f"no truth was given ({examples(baselines)} are not compared)"
