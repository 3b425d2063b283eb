"""The checks before anything runs: do the user's files exist, make sense, and fit each other."""

from __future__ import annotations

import logging

import pandas as pd

from cisgrammar.checks.attributions import check_attributions
from cisgrammar.checks.cell_models import (
    check_batch_size,
    check_cell_types,
    check_mutated,
    report_start,
)
from cisgrammar.checks.cells import check_labels, check_pools
from cisgrammar.checks.counts import check_counts, check_peak_counts
from cisgrammar.checks.findings import Findings
from cisgrammar.checks.folds import check_folds
from cisgrammar.checks.genome import (
    check_annotation,
    check_biotypes,
    check_chromosomes,
    check_genes,
    check_genome,
)
from cisgrammar.checks.links import check_links
from cisgrammar.checks.motifs import check_motifs
from cisgrammar.checks.neurons import check_network
from cisgrammar.checks.populations import check_gene_features, check_populations
from cisgrammar.checks.settings import InputFiles, Settings
from cisgrammar.checks.variants import check_variants
from cisgrammar.checks.windows import check_bedtools, check_windows

logger = logging.getLogger(__name__)

CHECKS = (  # in the order of the table; each goes by what those before it have read
    check_counts,
    check_labels,
    check_pools,
    check_populations,
    check_genome,
    check_annotation,
    check_chromosomes,
    check_genes,
    check_biotypes,
    check_peak_counts,
    check_batch_size,
    report_start,
    check_cell_types,
    check_mutated,
    check_motifs,
    check_network,
    check_bedtools,
    check_gene_features,
    check_windows,
    check_folds,
    check_links,
    check_variants,
    check_attributions,
)


def preflight(files: InputFiles, settings: Settings) -> pd.DataFrame:
    """Check that the user's files are sound and fit each other.

    Parameters
    ----------
    files
        Of large HDF5 files only a sample of the values is looked at.
    settings
        How they are read, and what is to be made of them.

    Returns
    -------
    check, found, status (``ok`` or ``warning``) and note.

    Raises
    ------
    InputError
        With all problems that were found, not only the first.
    """
    found = Findings()
    for check in CHECKS:
        check(files, settings, found)
    found.problems.raise_if_any()
    for name, text, status, note in found.rows:
        level = logging.WARNING if status == "warning" else logging.INFO
        logger.log(level, "%s: %s%s", name, text, f" ({note})" if note else "")
    return found.table()
