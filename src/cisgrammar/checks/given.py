"""Checks of sequences and targets that the user has: against the rest of the config."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from anndata import AnnData

from cisgrammar.checks.attributions import check_attributions
from cisgrammar.checks.cells import check_order
from cisgrammar.checks.findings import Findings
from cisgrammar.checks.folds import describe_folds
from cisgrammar.checks.motifs import check_motifs
from cisgrammar.checks.settings import DatabaseSettings, File, InputFiles, Settings
from cisgrammar.checks.variants import check_variants
from cisgrammar.data.given import describe


def check_given(
    data: AnnData,
    folds: Mapping[str, Any],
    database: DatabaseSettings,
    variants: File | None = None,
    attributions: Mapping[str, Any] | None = None,
    haplotypes: bool = False,
    cell_type_order: Sequence[str] = (),
) -> pd.DataFrame:
    """Check that sequences can be split, and that the database of motifs is sound.

    Parameters
    ----------
    data
        As from :func:`cisgrammar.data.given.read_given`.
    folds
        As for :func:`cisgrammar.data.folds.split_folds`, but for the seed.
    database
        Known motifs.
    variants
        Their file, if there is one.
    attributions
        The section, with the models that are asked, if there is one.
    haplotypes
        Whether variants of one haplotype are asked about together.
    cell_type_order
        Names of cell types.

    Returns
    -------
    As :func:`cisgrammar.checks.preflight.preflight`.

    Raises
    ------
    InputError
        With all problems that were found.
    """
    found = Findings()
    if (parts := found.attempt(describe_folds, data.var, folds)) is not None:
        found.add(*parts)
    check_order(cell_type_order, data.obs["cell_type"], found)
    settings = Settings(
        database=database, variants=variants, haplotypes=haplotypes, attributions=attributions
    )
    found.targets, found.labelled = data.var_names, data.obs
    for check in (check_motifs, check_variants, check_attributions):
        check(InputFiles("", "", ""), settings, found)
    if variants is not None and (data.var["chrom"] == "unknown").all():
        found.problems.add(
            "variants: the sequences that are given do not say where on the genome they are, so no "
            "variant can be put into them. Name their places in `given.regions`, or take out "
            "`variants`."
        )
    if attributions is not None and (data.var["chrom"] == "unknown").all():
        found.problems.add(
            "attributions: the sequences that are given do not say where on the genome they are, "
            "so there can be no tracks. Name their places in `given.regions`, or take out "
            "`attributions`."
        )
    found.problems.raise_if_any()
    return pd.concat([describe(data), found.table()], ignore_index=True)
