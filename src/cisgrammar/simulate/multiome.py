"""The built-in multiome: peaks that follow their motifs, RNA of the same cells, and the truth."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd

from cisgrammar.common.errors import Problems
from cisgrammar.common.files import write_h5ad, write_table
from cisgrammar.common.seeds import derive_seed
from cisgrammar.motifs.meme import Motif, write_meme
from cisgrammar.simulate import ACTIVATORS, CELL_TYPES, REPRESSORS, choose_motifs, name_genes
from cisgrammar.simulate.expression import (
    draw_activities,
    draw_cells,
    draw_counts,
    expected_expression,
)
from cisgrammar.simulate.genome import Genome, draw_bases, plant_sites, write_fasta, write_gtf

SPACING = (1500, 1800)  # bp from the middle of a peak to that of the next
PEAK_WIDTH = (300, 700)
GENE_LENGTH = 600
_log = logging.getLogger(__name__)


def simulate_multiome(
    folder: str | Path,
    *,
    seed: int,
    n_peaks: int = 5000,
    n_genes: int = 1000,
    n_chromosomes: int = 6,
    site_range: int = 250,
    activators: Sequence[str] = ACTIVATORS,
    repressors: Sequence[str] = REPRESSORS,
    jaspar_release: str = "JASPAR2024",
    min_occurrence: float = 0.1,
    max_occurrence: float = 0.2,
    min_site_strength: float = 0.9,
    min_activity: float = 0.0,
    max_activity: float = 2.0,
    tf_response: float = 2.0,
    promoter_response: float = 0.7,
    peak_sd: float = 0.5,
    cell_types: Mapping[str, float] = CELL_TYPES,
    n_cells: int = 1500,
    n_batches: int = 2,
    open_per_cell: float = 400.0,
    rna_per_cell: float = 3000.0,
    depth_sd: float = 0.35,
    batch_depth_sd: float = 0.3,
    batch_peak_sd: float = 0.3,
    batch_gene_sd: float = 0.15,
    dispersion: float = 0.2,
    background_gc: float = 0.4,
    peak_gc: float = 0.5,
    peak_gc_sd: float = 0.04,
) -> None:
    """Simulate a genome with peaks and genes, both modalities of its cells, and the truth.

    Parameters
    ----------
    folder
        Gets ``genome.fa``, ``annotation.gtf``, ``rna.h5ad`` (cells x genes, counts), ``atac.h5ad``
        (cells x peaks, 0 and 1, named ``chr1:100-500``) and ``truth/``: ``motifs.meme``,
        ``sites.tsv`` (peak, motif, start in the genome, strand, sequence), ``activities.tsv``,
        ``accessibility.h5ad`` and ``expectation.h5ad`` (cell types x peaks, x genes, free of
        noise).
    seed
        Everything random derives from it.
    n_peaks, n_genes, n_chromosomes
        How many. The TSS of each gene is the middle of a peak.
    site_range
        Bases around the middle of a peak in which sites stand.
    activators, repressors, jaspar_release, min_occurrence, max_occurrence, min_site_strength
        As in :func:`cisgrammar.simulate.simulate`, with peaks for promoters.
    min_activity, max_activity
        Absolute effect of a site on the natural logarithm of accessibility, in the cell types
        where its TF is least and most active.
    tf_response
        Natural logarithm of the expression of a TF's gene per unit of activity.
    promoter_response
        The same of any other gene per unit of the logarithm of its promoter's accessibility.
    peak_sd
        Standard deviation of what else, unrelated to sequence, sets a peak's natural logarithm
        of accessibility in all cell types alike.
    cell_types, n_cells, n_batches
        Name to share of cells; how many.
    open_per_cell, rna_per_cell
        Median fragments and median counts of a cell.
    depth_sd
        Standard deviation of the natural logarithms of both, drawn apart.
    batch_depth_sd, batch_peak_sd, batch_gene_sd
        Standard deviation of the natural logarithm of a batch's effect on depth, on each peak
        and on each gene.
    dispersion
        Of the RNA's negative binomial.
    background_gc, peak_gc, peak_gc_sd
        Share of G and C far from peaks; its mean and standard deviation in their middles.

    Raises
    ------
    InputError
        If a motif is not in JASPAR, is planted twice, or numbers do not fit together.
    """
    motifs, tfs, _ = choose_motifs(activators, repressors, jaspar_release)
    _check(n_peaks, n_genes, site_range, motifs, tfs)
    names = [motif.name for motif in motifs]
    rng = {
        what: np.random.default_rng(derive_seed(seed, "simulate_multiome", what))
        for what in ("peaks", "genes", "bases", "sites", "activities", "effects", "atac", "rna")
    }

    peaks, lengths = lay_out_peaks(n_peaks, n_chromosomes, rng["peaks"])
    chromosomes = draw_bases(peaks, lengths, background_gc, peak_gc, peak_gc_sd, rng["bases"])
    occurrence = rng["sites"].uniform(min_occurrence, max_occurrence, size=len(motifs))
    has_site = rng["sites"].random((n_peaks, len(motifs))) < occurrence
    before = site_range // 2
    sites = plant_sites(
        Genome(chromosomes, peaks), motifs, has_site, before, site_range - before,
        min_site_strength, rng["sites"],
    ).rename(columns={"gene": "peak"})  # fmt: skip
    sites["start"] += peaks.loc[sites["peak"], "tss"].to_numpy() - before
    genes, promoter, tf_motifs = lay_out_genes_on(peaks, n_genes, tfs, rng["genes"])

    activities = draw_activities(
        names, names[len(activators) :], list(cell_types), min_activity, max_activity,
        rng["activities"],
    )  # fmt: skip
    effects = peak_sd * rng["effects"].standard_normal(n_peaks)
    types = pd.DataFrame(index=pd.Index(list(cell_types), name="cell_type"))
    var = peaks[["chrom", "start", "end"]]
    accessibility = ad.AnnData(
        expected_expression(has_site, activities.to_numpy(), effects, {}, 0.0), types, var
    )
    expectation = ad.AnnData(
        expected_expression(
            has_site[promoter], promoter_response * activities.to_numpy(),
            promoter_response * effects[promoter], tf_motifs, tf_response / promoter_response,
        ),
        types, genes[["gene_name"]],
    )  # fmt: skip
    cells = draw_cells(
        cell_types, n_cells, n_batches, open_per_cell, depth_sd, batch_depth_sd, rng["atac"]
    )
    fragments = draw_counts(cells, accessibility, 0.0, batch_peak_sd, rng["atac"])
    fragments.data[:] = 1
    cells["depth"] = rna_per_cell * np.exp(depth_sd * rng["rna"].standard_normal(n_cells))
    counts = draw_counts(cells, expectation, dispersion, batch_gene_sd, rng["rna"])

    folder, obs = Path(folder), cells[["cell_type", "batch"]]
    write_fasta(chromosomes, folder / "genome.fa")
    write_gtf(genes, folder / "annotation.gtf")
    write_h5ad(ad.AnnData(counts, obs, genes[["gene_name"]]), folder / "rna.h5ad")
    write_h5ad(ad.AnnData(fragments, obs, var), folder / "atac.h5ad")
    write_meme(motifs, folder / "truth" / "motifs.meme")
    write_table(sites, folder / "truth" / "sites.tsv")
    write_table(activities, folder / "truth" / "activities.tsv", index=True)
    write_h5ad(accessibility, folder / "truth" / "accessibility.h5ad")
    write_h5ad(expectation, folder / "truth" / "expectation.h5ad")
    _log.info(
        "%d peaks, %d sites of %d motifs, %d genes", n_peaks, len(sites), len(motifs), n_genes
    )
    _log.info("%d cells, %.3g of the entries open", n_cells, fragments.nnz / n_cells / n_peaks)


def lay_out_peaks(
    n_peaks: int, n_chromosomes: int, rng: np.random.Generator
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Place peaks along chromosomes, each chromosome a tenth shorter than the one before.

    Returns
    -------
    peaks
        Indexed by name, in genomic order: chrom, start, end (0-based, half-open), tss (the
        middle, by which :mod:`cisgrammar.simulate.genome` goes), strand (``+``).
    lengths
        Name of each chromosome to its length in bases.
    """
    share = 0.9 ** np.arange(n_chromosomes)
    last = np.rint(np.cumsum(share) / share.sum() * n_peaks).astype(int)
    tables, lengths = [], {}
    for i, n in enumerate(np.diff(last, prepend=0)):
        chrom = f"chr{i + 1}"
        middles = np.cumsum(rng.integers(*SPACING, size=n, endpoint=True))
        half = rng.integers(*PEAK_WIDTH, size=n, endpoint=True) // 2
        starts, ends = middles - half, middles + half
        table = pd.DataFrame({"chrom": chrom, "start": starts, "end": ends, "tss": middles})
        tables.append(table.assign(strand="+"))
        lengths[chrom] = int(middles[-1]) + SPACING[0]
    peaks = pd.concat(tables, ignore_index=True)
    places = zip(peaks["chrom"], peaks["start"], peaks["end"], strict=True)
    peaks.index = pd.Index([f"{chrom}:{start}-{end}" for chrom, start, end in places], name="peak")
    return peaks, lengths


def lay_out_genes_on(
    peaks: pd.DataFrame, n_genes: int, tfs: Sequence[Sequence[str]], rng: np.random.Generator
) -> tuple[pd.DataFrame, np.ndarray, dict[int, int]]:
    """Start genes in the middle of some peaks.

    Returns
    -------
    genes
        As :class:`cisgrammar.simulate.genome.Genome` has them, with gene_name.
    promoter
        Row of each gene's peak: ``(genes,)``.
    tf_motifs
        Row of a planted TF's gene to the row of its motif.
    """
    promoter = np.sort(rng.choice(len(peaks), n_genes, replace=False))
    genes = peaks.iloc[promoter][["chrom", "tss"]].copy()
    forward = rng.random(n_genes) < 0.5
    tss = genes["tss"].to_numpy()
    genes["strand"] = np.where(forward, "+", "-")
    genes["start"] = np.where(forward, tss, tss + 1 - GENE_LENGTH)
    genes["end"] = genes["start"] + GENE_LENGTH
    genes["exons"] = [[span] for span in zip(genes["start"], genes["end"], strict=True)]
    genes.index = pd.Index([f"SIMG{i:08d}" for i in range(1, n_genes + 1)], name="gene")
    genes["gene_name"], tf_motifs = name_genes(n_genes, tfs, [], 0, rng)
    return genes, promoter, tf_motifs


def _check(
    n_peaks: int, n_genes: int, site_range: int, motifs: Sequence[Motif], tfs: list[list[str]]
) -> None:
    problems = Problems()
    everyone = [tf for pair in tfs for tf in pair]
    if twice := sorted({tf for tf in everyone if everyone.count(tf) > 1}):
        problems.add(f"simulation: {', '.join(twice)} would be planted twice. Name each TF once.")
    if not len(everyone) <= n_genes <= n_peaks:
        problems.add(
            f"simulation: {n_genes} genes for {len(everyone)} planted TFs and {n_peaks} peaks: "
            "each TF needs a gene and each gene a peak. Change `n_genes` or `n_peaks`."
        )
    needed = sum(motif.width for motif in motifs)
    if not needed <= site_range <= SPACING[0]:
        problems.add(
            f"simulation: sites may stand in {site_range} bases of a peak; that must be at least "
            f"the width of all motifs together, {needed}, and at most {SPACING[0]}. Change "
            "`site_range`, or plant fewer motifs."
        )
    problems.raise_if_any()
