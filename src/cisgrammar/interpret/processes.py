"""Gene sets and markers against families, as far as the data have what they need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import pandas as pd
from anndata import AnnData

from cisgrammar.common.notes import Notes
from cisgrammar.interpret.gene_sets import correlate_markers, correlate_sets, no_sets

NO_EXPRESSION = "The data have no expression of genes, which TFs and gene sets are found by."
NO_SETS = "No gene sets are configured (gene_sets.gmt)."


def sets_or_note(
    families: AnnData,
    pools: AnnData | None,
    sets: Mapping[str, Sequence[str]] | None,
    sizes: Mapping[str, int],
    source: str,
    notes: Notes,
) -> pd.DataFrame:
    """Correlate gene sets, or note why there is nothing to correlate.

    Parameters
    ----------
    families
        Pools x families, influence.
    pools
        Pools x genes, summed counts; None where expression was not measured.
    sets
        Name -> genes; None where none are configured.
    sizes, source
        As for :func:`cisgrammar.interpret.gene_sets.correlate_sets`.
    notes
        Get what is missing.

    Returns
    -------
    Of the same function; without rows where something is missing.
    """
    if pools is None:
        notes.add("gene sets", NO_EXPRESSION)
        notes.add("regulators", NO_EXPRESSION)
        return no_sets(families)
    if sets is None:
        notes.add("gene sets", NO_SETS)
        return no_sets(families)
    make = partial(correlate_sets, families, pools, sets, **sizes, source=source)
    return notes.attempt("gene sets", make, no_sets(families))


def markers_or_note(
    families: AnnData,
    pools: AnnData | None,
    markers: Mapping[str, Sequence[str]],
    notes: Notes,
) -> pd.DataFrame:
    """Correlate lists of marker genes, and note those of which no gene is in the data.

    Parameters
    ----------
    families, pools, notes
        As for :func:`sets_or_note`.
    markers
        Name of a list -> genes.

    Returns
    -------
    Of :func:`cisgrammar.interpret.gene_sets.correlate_markers`, one list after another.
    """
    tables, nothing = [], correlate_markers(families, families, {})
    for name, genes in markers.items() if pools is not None else ():
        make = partial(correlate_markers, families, pools, {name: genes})
        tables.append(notes.attempt("markers", make, nothing))
    found = [table for table in tables if len(table)]
    return pd.concat(found) if found else nothing
