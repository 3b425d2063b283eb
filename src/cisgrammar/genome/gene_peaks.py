"""Which peaks are at the promoter of which gene."""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd
from scipy import sparse

logger = logging.getLogger(__name__)

PROMOTER_REACH = 2000  # bp from the TSS
COLUMNS = ["gene", "gene_name", "chrom", "tss", "peak"]


def promoter_peaks(
    peaks: pd.DataFrame, tss: pd.DataFrame, reach: int = PROMOTER_REACH
) -> pd.DataFrame:
    """Find the peaks at each gene's promoter.

    Parameters
    ----------
    peaks
        Index name; chrom, start, end.
    tss
        gene_id, gene_name, chrom and tss (0-based); chromosomes named as for peaks.
    reach
        A peak belongs to a gene if it has a base at most this far from the TSS.

    Returns
    -------
    One row a gene and peak, in the order of the genes: gene, gene_name, chrom, tss, peak.

    Notes
    -----
    Yuan & Kelley (2022), Methods, "Denoising evaluation": 2 kb.
    """
    by_chrom = peaks.groupby(peaks["chrom"].astype(str)).indices
    starts, ends = peaks["start"].to_numpy(), peaks["end"].to_numpy()
    found = []
    for chrom, place in zip(tss["chrom"], tss["tss"], strict=True):
        here = by_chrom.get(chrom, np.empty(0, dtype=int))
        found.append(here[(starts[here] <= place + reach) & (ends[here] > place - reach)])
    table = tss.rename(columns={"gene_id": "gene"})[COLUMNS[:-1]]
    table = table.loc[table.index.repeat([len(near) for near in found])].reset_index(drop=True)
    logger.info(
        "%d of %d genes have a peak within %d bp of their TSS",
        sum(len(near) > 0 for near in found), len(tss), reach,
    )  # fmt: skip
    rows = np.concatenate(found) if found else np.empty(0, dtype=int)
    return table.assign(peak=peaks.index[rows].to_numpy())


def as_matrix(table: pd.DataFrame, peaks: pd.Index) -> tuple[pd.DataFrame, sparse.csr_matrix]:
    """Turn a table of genes and peaks into shares.

    Parameters
    ----------
    table
        From :func:`promoter_peaks`.
    peaks
        Names of the matrix' columns.

    Returns
    -------
    genes
        Index gene: gene_name, chrom, tss, n_peaks.
    shares
        ``(genes, peaks)``; each row sums to 1, so that its product with peaks is their mean.
    """
    genes = table.drop_duplicates("gene").set_index("gene")[COLUMNS[1:-1]]
    rows, columns = genes.index.get_indexer(table["gene"]), peaks.get_indexer(table["peak"])
    genes["n_peaks"] = np.bincount(rows, minlength=len(genes))
    share = 1 / genes["n_peaks"].to_numpy()[rows]
    return genes, sparse.csr_matrix((share, (rows, columns)), (len(genes), len(peaks)))
