"""Which motifs models agree on: what families of motifs do in each cell type, model by model.

Models say in their own units what motifs do, so that cell types are compared within a model, and
models by correlation. Families are the clusters of the known motifs, which all models share.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

LEAST_TYPES = 3  # cell types, below which there is no r to speak of
COLUMNS = ["family", "model", "r", "agreement", "n_models"]


def of_known_motifs(effects: pd.DataFrame, clusters: pd.DataFrame) -> pd.DataFrame:
    """Average what known motifs do over those of a family.

    Parameters
    ----------
    effects
        Known motifs (index) x cell types: those of ``tf_activity_by_cell_type.tsv``.
    clusters
        motif, cluster_name.
    """
    family = clusters.set_index("motif")["cluster_name"].reindex(effects.index)
    return effects.groupby(family.to_numpy(dtype=object), sort=True).mean()


def of_kmers(kmers: pd.DataFrame, clusters: pd.DataFrame, types: list[str]) -> pd.DataFrame:
    """Add up what k-mers do that are like a motif of a family, beyond their mean over cell types.

    Parameters
    ----------
    kmers
        ``kmers.tsv``: part, motif (the known one that a k-mer is like), a column each cell type.
    clusters
        motif, cluster_name.
    types
        Cell types, of which those that are there are taken.
    """
    known = kmers[(kmers["part"] == "differences") & kmers["motif"].isin(clusters["motif"])]
    family = known["motif"].map(clusters.set_index("motif")["cluster_name"])
    there = [name for name in types if name in known]
    return known[there].groupby(family.to_numpy(dtype=object), sort=True).sum()


def of_labels(effects: pd.DataFrame, types: list[str]) -> pd.DataFrame:
    """Take the cell types among labels, such as ``class/neuron``; of several levels the last one.

    Parameters
    ----------
    effects
        Families (index) x labels.
    types
        Cell types.
    """
    names = [str(label) if label in types else str(label).rpartition("/")[2] for label in effects]
    named = effects.set_axis(names, axis=1)
    return named.loc[:, [name in types for name in names] & ~named.columns.duplicated(keep="last")]


def compare_families(
    effects: Mapping[str, pd.DataFrame], types: list[str], families: set[str]
) -> pd.DataFrame:
    """Compare what families do in the cell types that models have in common.

    Parameters
    ----------
    effects
        Model to families (index) x cell types, in any unit.
    types
        Cell types, in their order.
    families
        Names of known clusters; other families are a model's own.

    Returns
    -------
    family, model, r (Pearson over cell types with the mean of the other models, each in standard
    deviations over cell types), agreement (mean r over the pairs of models), n_models, and for
    each cell type the model's effect in standard deviations from its mean over these. Families of
    two or more models, those with most models and then agreement first.
    """
    tables = {model: table.loc[table.index.isin(families)] for model, table in effects.items()}
    shared = [name for name in types if all(name in table for table in tables.values())]
    if len(tables) < 2 or len(shared) < LEAST_TYPES:
        return pd.DataFrame(columns=COLUMNS)
    scaled = {model: _scaled(table[shared]) for model, table in tables.items()}
    rows = []
    for family in sorted(set().union(*(table.index for table in scaled.values()))):
        its = {model: table.loc[family] for model, table in scaled.items() if family in table.index}
        if len(its) < 2:
            continue
        values = np.stack([row.to_numpy(dtype=float) for row in its.values()])
        pairs = np.corrcoef(values)[np.triu_indices(len(values), 1)]
        for i, model in enumerate(its):
            others = np.delete(values, i, axis=0).mean(axis=0)
            with np.errstate(invalid="ignore"):  # NaN where the others cancel out
                r = np.corrcoef(values[i], others)[0, 1]
            rows.append((family, model, r, pairs.mean(), len(values), *values[i]))
    found = pd.DataFrame(rows, columns=[*COLUMNS, *shared])
    order = ["n_models", "agreement", "family"]
    return found.sort_values(order, ascending=[False, False, True], kind="stable").reset_index(
        drop=True
    )


def _scaled(table: pd.DataFrame) -> pd.DataFrame:
    """Standardise each family over cell types; those that are the same in all are left out."""
    centred = table.sub(table.mean(axis=1), axis=0)
    spread = centred.std(axis=1, ddof=0)
    varying = spread > 1e-9 * table.abs().max(axis=1).clip(lower=1e-300)
    return centred[varying].div(spread[varying], axis=0)
