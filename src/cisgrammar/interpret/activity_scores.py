"""TF activity of cells: scored for known motifs, compared with expression, and ranked."""

from __future__ import annotations

import pandas as pd
from anndata import AnnData
from scipy import sparse

from cisgrammar.cells.expression import log_expression
from cisgrammar.genome.gene_match import with_gene_names
from cisgrammar.interpret.tf_activity import (
    activity_against_expression,
    as_activity,
    insertion_effects,
    rank_distinct,
    that_fit,
)
from cisgrammar.models.abilities import Inserts
from cisgrammar.motifs.databases import Database


def score_activity(
    model: Inserts,
    cells: AnnData,
    database: Database,
    *,
    n_backgrounds: int,
    change_of: str,
    seed: int,
) -> AnnData:
    """Score the activity of known motifs in each cell.

    Parameters
    ----------
    model
        A trained model.
    cells
        accessibility.h5ad: obs cell_type, ``varm["codes"]``.
    database
        Motifs wider than a sequence are left out.
    n_backgrounds, seed
        As for :func:`cisgrammar.interpret.tf_activity.insertion_effects`.
    change_of
        ``logits`` or ``accessibility``.

    Returns
    -------
    From :func:`cisgrammar.interpret.tf_activity.as_activity`; the database's columns in ``var``.
    """
    codes = cells.varm["codes"]
    fitting = that_fit(database, codes.shape[1])
    effects = insertion_effects(
        model,
        codes,
        fitting.motifs,
        n_backgrounds=n_backgrounds,
        of_logits=change_of == "logits",
        seed=seed,
    )
    return as_activity(effects, cells.obs[["cell_type"]], fitting.table.set_index("motif"))


def compare_with_expression(
    activity: AnnData, counts: AnnData | None, tss: pd.DataFrame | None
) -> pd.DataFrame:
    """Correlate activity with the TFs' expression, where it was measured.

    Parameters
    ----------
    activity
        From :func:`score_activity`.
    counts
        Counts of genes in these cells, and maybe others; None without RNA.
    tss
        From :func:`cisgrammar.genome.tss.read_tss`: names of genes; None without annotation.

    Returns
    -------
    From :func:`cisgrammar.interpret.tf_activity.activity_against_expression`.
    """
    if counts is None:
        nothing = sparse.csr_matrix((activity.n_obs, 0))
        return activity_against_expression(activity, nothing, pd.DataFrame(index=pd.Index([], str)))
    genes = counts.var if tss is None else with_gene_names(counts.var, tss)
    return activity_against_expression(activity, log_expression(counts, activity.obs_names), genes)


def add_ranks(activity: AnnData, tests: pd.DataFrame) -> None:
    """Add ``rank`` to the motifs, and ``rank_of_expressed``: among those whose TF is expressed.

    Parameters
    ----------
    activity
        Cells x motifs.
    tests
        From :func:`compare_with_expression`.
    """
    expressed = activity.var_names.isin(tests["motif"][tests["r"].notna()])
    activity.var["rank"] = rank_distinct(activity, activity.n_vars)
    activity.var["rank_of_expressed"] = rank_distinct(activity, activity.n_vars, expressed)
