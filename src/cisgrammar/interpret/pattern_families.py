"""Which known motifs the patterns of all labels are like, and what their families do by label."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from cisgrammar.motifs.clusters import CUT, FIRST, clusters_of_targets
from cisgrammar.motifs.databases import Database
from cisgrammar.motifs.families import assign_filters, family_table
from cisgrammar.motifs.meme import Motif
from cisgrammar.motifs.tomtom import called_matches, compare, shuffled_matches

NAME_COLUMNS = ["family", "status", "target", "target_tfs", "p_value", "q_value"]
FAMILY_COLUMNS = [
    *("family", "status", "n_patterns", "n_labels", "tfs", "example", "target", "consensus"),
]


def name_patterns(
    table: pd.DataFrame,
    motifs: Sequence[Motif],
    database: Database,
    clusters: pd.DataFrame,
    *,
    threshold: float,
    shuffled_rate: float,
    seed: int,
    shared_tfs: str = FIRST,
    cut: float = CUT,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Name patterns by Tomtom, and group those of all labels into families.

    Parameters
    ----------
    table, motifs
        Of all patterns, in one order: :func:`cisgrammar.interpret.patterns.describe_patterns`.
    database, clusters, shared_tfs, cut
        Known motifs and their clusters, as for filters:
        :func:`cisgrammar.motifs.families.assign_filters`.
    threshold, shuffled_rate, seed
        Largest q-value of a match, and the share of shuffled patterns that may match too:
        :func:`cisgrammar.motifs.tomtom.shuffled_matches`.

    Returns
    -------
    patterns
        The table with family, status, target, target_tfs, p_value, q_value.
    families
        family, status, n_patterns, n_labels, tfs, example (a pattern), target, consensus.
    """
    if table.empty:
        named = table.reindex(columns=[*table.columns, *NAME_COLUMNS])
        return named, pd.DataFrame(columns=FAMILY_COLUMNS)
    calibration = shuffled_matches(
        motifs, database.motifs, threshold, rate=shuffled_rate, seed=seed
    )
    hits = called_matches(compare(motifs, database.motifs, threshold), calibration)
    labels = table["label"] + "\t" + table["minus"]
    numbered = table.assign(fold=pd.factorize(labels)[0], filter=range(len(table)))
    targets = clusters_of_targets(database.table, clusters, shared_tfs)
    assigned = assign_filters(motifs, numbered, hits, database, targets, cut)
    families = family_table(assigned, motifs, numbered, clusters, labels.nunique())
    families = families.rename(columns={"n_filters": "n_patterns", "n_folds": "n_labels"})
    named = table.merge(assigned[["motif", *NAME_COLUMNS]], on="motif", validate="1:1")
    return named, families[FAMILY_COLUMNS]


def contribution_by_label(patterns: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """Add up what families contribute to each label's prediction, per sequence.

    Parameters
    ----------
    patterns
        family, label, minus, seqlets, contribution: from :func:`name_patterns`.
    labels
        label, minus, sequences: from :func:`cisgrammar.use.attribution_labels.attribute_labels`.

    Returns
    -------
    Families (index) x labels, ``one - other`` for differences: the sum of all seqlets of the
    family, divided by the number of sequences.
    """
    titles = [_title(*row) for row in labels[["label", "minus"]].itertuples(index=False)]
    sums = pd.DataFrame(
        {
            "family": patterns["family"],
            "label": [_title(*r) for r in patterns[["label", "minus"]].itertuples(index=False)],
            "sum": patterns["seqlets"] * patterns["contribution"],
        }
    )
    table = sums.pivot_table("sum", "family", "label", aggfunc="sum", fill_value=0.0, sort=True)
    table = table.reindex(columns=titles, fill_value=0.0)
    return table / labels["sequences"].to_numpy()


def _title(label: str, minus: str) -> str:
    return f"{label} - {minus}" if minus else label
