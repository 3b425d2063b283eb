"""RNA and accessibility of the same cells."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from cisgrammar.cells.embedding import choose_cells, filter_cells
from cisgrammar.common.errors import InputError
from cisgrammar.common.inputs import examples, share
from cisgrammar.counts import read_files
from cisgrammar.counts.cell_table import simplify, suffix_remedy
from cisgrammar.genome.peaks import with_places
from cisgrammar.genome.regions import read_bed

logger = logging.getLogger(__name__)

LEAST_SHARE = 0.1  # of the smaller modality's cells


def shared_cells(
    rna: pd.Index, peaks: pd.Index, ignore: str | None = None, where: str | Path = "peaks"
) -> tuple[np.ndarray, np.ndarray]:
    """Find the cells that both modalities have.

    Parameters
    ----------
    rna, peaks
        Barcodes of each.
    ignore
        Regular expression; what it matches is left out of the barcodes of both.
    where
        The peaks' file, for messages.

    Returns
    -------
    Row numbers of the shared cells in each, in the order of the RNA.

    Raises
    ------
    InputError
        If barcodes are not unique once ``ignore`` is left out, or fewer than a tenth of the
        smaller modality's cells are in the other.
    """
    left, right = simplify(rna, ignore), simplify(peaks, ignore)
    for names in (left, right):
        if again := list(names[names.duplicated()].unique()):
            raise InputError(
                f"{where}: {len(again):,} barcodes come more than once without what matches "
                f"`{ignore}`: {examples(again)}. Correct `counts.ignore_in_barcodes`."
            )
    place = right.get_indexer(left)
    there = np.flatnonzero(place >= 0)
    smaller = min(len(left), len(right))
    if share(len(there), smaller) < LEAST_SHARE:
        remedy = suffix_remedy(rna, peaks) or suffix_remedy(peaks, rna)
        raise InputError(
            f"{where}: only {len(there):,} cells have both RNA ({len(rna):,} cells: "
            f"{examples(rna)}) and peaks ({len(peaks):,} cells: {examples(peaks)}). "
            + (remedy or "The two are not of the same cells: name the files of one experiment.")
        )
    return there, place[there]


def share_cells(
    rna: AnnData, peaks: AnnData, ignore: str | None = None, where: str | Path = "peaks"
) -> tuple[AnnData, AnnData]:
    """Keep the cells that both modalities have, in one order and under the RNA's names and labels.

    Parameters
    ----------
    rna, peaks
        Cells x genes and cells x peaks.
    ignore, where
        As in :func:`shared_cells`.

    Returns
    -------
    Both, restricted; how many cells were dropped is logged.

    Raises
    ------
    InputError
        As :func:`shared_cells`.
    """
    rows, columns = shared_cells(rna.obs_names, peaks.obs_names, ignore, where)
    logger.info(
        "%d cells have both RNA and peaks; dropped: %d without peaks, %d without RNA",
        len(rows), rna.n_obs - len(rows), peaks.n_obs - len(rows),
    )  # fmt: skip
    rna, peaks = rna[rows].copy(), peaks[columns].copy()
    peaks.obs = rna.obs.copy()
    return rna, peaks


def read_cells(
    files: str | Path | Sequence[str | Path],
    *,
    reading: Mapping[str, Any],
    chosen: Mapping[str, Any],
    least: Mapping[str, Any],
    peaks: Mapping[str, Any] | None = None,
    peak_files: str | Path | Sequence[str | Path] | None = None,
    peak_bed: str | Path | None = None,
) -> tuple[AnnData, AnnData | None]:
    """Read, choose and filter the cells whose genes or peaks are the targets.

    Parameters
    ----------
    files
        The counts; with ``reading["modality"] == "atac"``, of peaks.
    reading
        As for :func:`cisgrammar.counts.read_files`.
    chosen
        ``keep`` and ``drop`` of :func:`cisgrammar.cells.embedding.choose_cells`.
    least
        ``min_genes`` and ``min_cells`` of :func:`cisgrammar.cells.embedding.filter_cells`.
    peaks
        ``matrix``, ``min_peaks`` and ``min_cells``, where peaks are the targets; else None.
    peak_files
        Where the peaks are, if not in ``files``.
    peak_bed
        As in :func:`cisgrammar.genome.peaks.locate`.

    Returns
    -------
    targets
        Cells x genes or peaks.
    expression
        With peaks as targets, their cells x genes in the same order; None without RNA.
    """
    alone = reading["modality"] == "atac"
    counts = read_files(files, **reading)
    names = None
    if peak_bed is not None and not alone:
        names = counts.obs_names, read_bed(peak_bed, "peaks.bed")["name"]
    counts = choose_cells(counts, **chosen, in_place=True)
    if peaks is None:
        return filter_cells(counts, **least, in_place=True), None
    where = ", ".join(map(str, _listed(peak_files or files)))
    accessible = counts
    if not alone:
        # labels come with the RNA
        own = dict.fromkeys(
            ("cell_type", "batch", "cell_table", "gene_column", "columns_in_barcodes")
        )
        own |= {"modality": "atac", "matrix": peaks["matrix"], "names": names}
        accessible = read_files(peak_files or files, **{**reading, **own})
    accessible = with_places(accessible, where, peak_bed)
    accessible = filter_cells(
        accessible,
        min_genes=peaks["min_peaks"],
        min_cells=peaks["min_cells"],
        peaks=True,
        in_place=True,
    )
    if alone:
        return accessible, None
    expression, accessible = share_cells(
        filter_cells(counts, **least, in_place=True),
        accessible,
        reading["ignore_in_barcodes"],
        where,
    )
    return accessible, expression


def _listed(files: str | Path | Sequence[str | Path]) -> Sequence[str | Path]:
    return [files] if isinstance(files, (str, Path)) else files
