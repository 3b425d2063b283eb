"""What stands in the promoters, expressed: activities, expectation, counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import anndata as ad
import numpy as np
import pandas as pd
from scipy import sparse

PER = 10_000  # counts in which the expectation is stated
CELLS_AT_ONCE = 500
BATCH_SHARE = (0.35, 0.65)  # how unevenly a cell type is spread over two batches


def draw_activities(
    motifs: Sequence[str],
    repressors: Sequence[str],
    cell_types: Sequence[str],
    weakest: float,
    strongest: float,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Give each motif an activity in each cell type.

    Over a random order of the cell types the activity rises in equal steps, so
    that no two types are alike; repressors' are negative.

    Parameters
    ----------
    motifs, repressors, cell_types
        Names; the repressors are among the motifs.
    weakest, strongest
        Smallest and largest effect on the natural logarithm of expression.

    Returns
    -------
    Motifs x cell types.
    """
    steps = np.linspace(weakest, strongest, len(cell_types))
    values = np.vstack([rng.permutation(steps) for _ in motifs])
    sign = np.where(np.isin(motifs, repressors), -1.0, 1.0)
    index = pd.Index(motifs, name="motif")
    return pd.DataFrame(values * sign[:, None], index=index, columns=list(cell_types))


def expected_expression(
    has_site: np.ndarray,
    activities: np.ndarray,
    gene_effects: np.ndarray,
    tf_motifs: Mapping[int, int],
    tf_response: float,
) -> np.ndarray:
    """Work out the expected expression of every gene in every cell type, free of noise.

    log expression = gene effect + the sum of the activities of the motifs that
    stand in the promoter; of a gene that codes for a planted motif's TF it is
    ``tf_response`` times the absolute activity of that motif instead.

    Parameters
    ----------
    has_site
        bool ``(genes, motifs)``.
    activities
        ``(motifs, cell types)``, natural logarithm.
    gene_effects
        ``(genes,)``, natural logarithm.
    tf_motifs
        Row of a TF's gene to row of its motif.
    tf_response
        How steeply a TF's own expression follows its activity.

    Returns
    -------
    ``(cell types, genes)``; each row sums to 10,000 counts.
    """
    log_expression = gene_effects[:, None] + has_site @ activities
    for gene, motif in tf_motifs.items():
        log_expression[gene] = tf_response * np.abs(activities[motif])
    expression = np.exp(log_expression).T
    return PER * expression / expression.sum(axis=1, keepdims=True)


def draw_cells(
    cell_types: Mapping[str, float],
    n_cells: int,
    n_batches: int,
    depth: float,
    depth_sd: float,
    batch_sd: float,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Draw cells: their type, batch and depth.

    Parameters
    ----------
    cell_types
        Name to share of the cells; scaled to sum to 1.
    n_cells, n_batches
        How many. Each type is in every batch, in unequal shares.
    depth
        Median counts of a cell.
    depth_sd, batch_sd
        Standard deviation of the natural logarithm of depth over cells, and over
        batches.

    Returns
    -------
    One row a cell, in random order: cell_type, batch, depth (expected counts).
    """
    share = np.array(list(cell_types.values()), dtype=float)
    ends = np.rint(np.cumsum(share) / share.sum() * n_cells).astype(int)
    types = np.repeat(np.arange(share.size), np.diff(ends, prepend=0))
    batches = np.empty(n_cells, dtype=int)
    for i in range(share.size):
        weight = rng.uniform(*BATCH_SHARE, size=n_batches)
        batches[types == i] = rng.choice(
            n_batches, size=(types == i).sum(), p=weight / weight.sum()
        )
    log_depth = np.log(depth) + depth_sd * rng.standard_normal(n_cells)
    log_depth += batch_sd * rng.standard_normal(n_batches)[batches]
    order = rng.permutation(n_cells)
    return pd.DataFrame(
        {
            "cell_type": np.array(list(cell_types))[types[order]],
            "batch": [f"batch{i + 1}" for i in batches[order]],
            "depth": np.exp(log_depth[order]),
        },
        index=[f"cell{i}" for i in range(n_cells)],
    )


def draw_counts(
    cells: pd.DataFrame,
    expectation: ad.AnnData,
    dispersion: float,
    batch_gene_sd: float,
    rng: np.random.Generator,
) -> sparse.csr_matrix:
    """Draw counts: negative binomial around depth x expectation x batch effect.

    Parameters
    ----------
    cells
        From :func:`draw_cells`.
    expectation
        Cell types x genes, per 10,000 counts.
    dispersion
        The variance of a count is mean + dispersion x mean^2.
    batch_gene_sd
        Standard deviation, over genes, of the natural logarithm of a batch's
        factor on that gene.

    Returns
    -------
    Cells x genes, int32.
    """
    batches = sorted(cells["batch"].unique())
    factors = np.exp(batch_gene_sd * rng.standard_normal((len(batches), expectation.n_vars)))
    type_of_cell = expectation.obs_names.get_indexer(cells["cell_type"])
    batch_of_cell = pd.Index(batches).get_indexer(cells["batch"])
    depth = cells["depth"].to_numpy()
    blocks = []
    for first in range(0, len(cells), CELLS_AT_ONCE):
        block = slice(first, first + CELLS_AT_ONCE)
        mean = expectation.X[type_of_cell[block]] * factors[batch_of_cell[block]]
        mean *= (depth[block] / mean.sum(axis=1))[:, None]
        if dispersion > 0:
            mean *= rng.gamma(1 / dispersion, dispersion, size=mean.shape)
        blocks.append(sparse.csr_matrix(rng.poisson(mean).astype(np.int32)))
    return sparse.vstack(blocks, format="csr")
