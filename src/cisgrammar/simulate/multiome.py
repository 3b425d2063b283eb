"""The built-in multiome: peaks that follow their motifs, RNA of the same cells, and the truth."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd

from cisgrammar.common.errors import Problems
from cisgrammar.common.files import write_h5ad, write_table
from cisgrammar.common.seeds import derive_seed
from cisgrammar.motifs.meme import Motif, write_meme
from cisgrammar.simulate.expression import (
    draw_activities,
    draw_cells,
    draw_counts,
    expected_expression,
)
from cisgrammar.simulate.genome import (
    Genome,
    draw_bases,
    draw_bearers,
    plant_sites,
    write_fasta,
    write_gtf,
)
from cisgrammar.simulate.motifs import choose_motifs, name_genes
from cisgrammar.simulate.settings import MultiomeSettings

SPACING = (1500, 1800)  # bp from the middle of a peak to that of the next
PEAK_WIDTH = (300, 700)
GENE_LENGTH = 600
DRAWN = ("peaks", "genes", "bases", "sites", "activities", "effects", "atac", "rna")
logger = logging.getLogger(__name__)


def simulate_multiome(folder: str | Path, settings: MultiomeSettings, *, seed: int) -> None:
    """Simulate a genome with peaks and genes, both modalities of its cells, and the truth.

    Parameters
    ----------
    folder
        Gets ``genome.fa``, ``annotation.gtf``, ``rna.h5ad`` (cells x genes, counts), ``atac.h5ad``
        (cells x peaks, 0 and 1, named ``chr1:100-500``) and ``truth/``: ``motifs.meme``,
        ``sites.tsv`` (peak, motif, start in the genome, strand, sequence), ``activities.tsv``,
        ``accessibility.h5ad`` and ``expectation.h5ad`` (cell types x peaks, x genes, free of
        noise); with pairs ``pairs.meme`` and ``pair_sites.tsv`` too.
    settings
        By which it is made.
    seed
        Everything random derives from it.

    Raises
    ------
    InputError
        If a motif is not in JASPAR, is planted twice, or numbers do not fit together.
    """
    chosen = settings.activators, settings.repressors, settings.jaspar_release
    motifs, tfs, _ = choose_motifs(*chosen)
    _check(settings, motifs, tfs)
    names = [motif.name for motif in motifs]
    rng = {
        what: np.random.default_rng(derive_seed(seed, "simulate_multiome", what)) for what in DRAWN
    }

    pairs = paired_motifs(settings.pairs, settings.jaspar_release)
    genome, has_site, sites = _draw_genome(settings, [*motifs, *pairs], rng)
    genes, promoter, tf_motifs = lay_out_genes_on(genome.genes, settings.n_genes, tfs, rng["genes"])
    activities = draw_activities(
        names,
        names[len(settings.activators) :],
        list(settings.cell_types),
        settings.min_activity,
        settings.max_activity,
        rng["activities"],
    )
    strengths = [activities]
    if pairs:
        strengths.append(
            draw_activities(
                [pair.name for pair in pairs],
                [],
                list(settings.cell_types),
                settings.min_activity,
                settings.max_activity,
                rng["activities"],
            )
        )
    strength = np.vstack([each.to_numpy() for each in strengths])
    effects = settings.peak_sd * rng["effects"].standard_normal(settings.n_peaks)
    types = pd.DataFrame(index=pd.Index(list(settings.cell_types), name="cell_type"))
    accessibility = ad.AnnData(
        expected_expression(has_site, strength, effects, {}, 0.0),
        types,
        genome.genes[["chrom", "start", "end"]],
    )
    response = settings.promoter_response
    expectation = ad.AnnData(
        expected_expression(
            has_site[promoter],
            response * strength,
            response * effects[promoter],
            tf_motifs,
            settings.tf_response / response,
        ),
        types,
        genes[["gene_name"]],
    )
    atac, rna = _draw_modalities(settings, accessibility, expectation, rng)

    folder = Path(folder)
    write_fasta(genome.chromosomes, folder / "genome.fa")
    write_gtf(genes, folder / "annotation.gtf")
    write_h5ad(rna, folder / "rna.h5ad")
    write_h5ad(atac, folder / "atac.h5ad")
    write_meme(motifs, folder / "truth" / "motifs.meme")
    paired = sites["motif"].isin([pair.name for pair in pairs])
    write_table(sites[~paired], folder / "truth" / "sites.tsv")
    if pairs:
        write_table(sites[paired], folder / "truth" / "pair_sites.tsv")
        write_meme(pairs, folder / "truth" / "pairs.meme")
    write_table(activities, folder / "truth" / "activities.tsv", index=True)
    write_h5ad(accessibility, folder / "truth" / "accessibility.h5ad")
    write_h5ad(expectation, folder / "truth" / "expectation.h5ad")
    numbers = (atac.n_vars, len(sites), len(motifs), rna.n_vars)
    logger.info("%d peaks, %d sites of %d motifs, %d genes", *numbers)
    n_cells, n_peaks = atac.shape
    logger.info("%d cells, %.3g of the entries open", n_cells, atac.X.nnz / n_cells / n_peaks)


def paired_motifs(pairs: Sequence[Mapping[str, Any]], release: str) -> list[Motif]:
    """Join two profiles of JASPAR each, with a gap of any bases: ``GATA4_6_TAL1``."""
    found = []
    for pair in pairs:
        (first, second), _, _ = choose_motifs([pair["first"], pair["second"]], [], release)
        gap = np.full((4, pair["gap"]), 0.25)
        matrix = np.hstack([first.matrix, gap, second.matrix])
        found.append(Motif(f"{first.name}_{pair['gap']}_{second.name}", matrix))
    return found


def _draw_genome(
    settings: MultiomeSettings, motifs: Sequence[Motif], rng: Mapping[str, np.random.Generator]
) -> tuple[Genome, np.ndarray, pd.DataFrame]:
    """Draw bases and peaks, and plant sites in these; give which has which, and the sites."""
    peaks, lengths = lay_out_peaks(settings.n_peaks, settings.n_chromosomes, rng["peaks"])
    chromosomes = draw_bases(
        peaks,
        lengths,
        settings.background_gc,
        settings.peak_gc,
        settings.peak_gc_sd,
        rng["bases"],
    )
    genome = Genome(chromosomes, peaks)
    share = settings.min_occurrence, settings.max_occurrence
    has_site = draw_bearers(settings.n_peaks, len(motifs), *share, rng["sites"])
    before = settings.site_range // 2
    window = before, settings.site_range - before
    strength = settings.min_site_strength
    sites = plant_sites(genome, motifs, has_site, *window, strength, rng["sites"])
    sites = sites.rename(columns={"gene": "peak"})
    sites["start"] += peaks.loc[sites["peak"], "tss"].to_numpy() - before
    return genome, has_site, sites


def _draw_modalities(
    settings: MultiomeSettings,
    accessibility: ad.AnnData,
    expectation: ad.AnnData,
    rng: Mapping[str, np.random.Generator],
) -> tuple[ad.AnnData, ad.AnnData]:
    """Draw the peaks and the RNA of the same cells."""
    cells = draw_cells(
        settings.cell_types,
        settings.n_cells,
        settings.n_batches,
        settings.open_per_cell,
        settings.depth_sd,
        settings.batch_depth_sd,
        rng["atac"],
    )
    fragments = draw_counts(cells, accessibility, 0.0, settings.batch_peak_sd, rng["atac"])
    fragments.data[:] = 1
    log_depth = settings.depth_sd * rng["rna"].standard_normal(settings.n_cells)
    cells["depth"] = settings.rna_per_cell * np.exp(log_depth)
    noise = settings.dispersion, settings.batch_gene_sd
    counts = draw_counts(cells, expectation, *noise, rng["rna"])
    obs = cells[["cell_type", "batch"]]
    return ad.AnnData(fragments, obs, accessibility.var), ad.AnnData(counts, obs, expectation.var)


def lay_out_peaks(
    n_peaks: int,
    n_chromosomes: int,
    rng: np.random.Generator,
    spacing: tuple[int, int] = SPACING,
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Place peaks along chromosomes, each chromosome a tenth shorter than the one before.

    Parameters
    ----------
    n_peaks, n_chromosomes
        How many.
    spacing
        Least and most bases from the middle of a peak to that of the next.

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
        middles = np.cumsum(rng.integers(*spacing, size=n, endpoint=True))
        half = rng.integers(*PEAK_WIDTH, size=n, endpoint=True) // 2
        starts, ends = middles - half, middles + half
        table = pd.DataFrame({"chrom": chrom, "start": starts, "end": ends, "tss": middles})
        tables.append(table.assign(strand="+"))
        lengths[chrom] = int(middles[-1]) + spacing[0]
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


def _check(settings: MultiomeSettings, motifs: Sequence[Motif], tfs: list[list[str]]) -> None:
    problems, n_peaks, n_genes = Problems(), settings.n_peaks, settings.n_genes
    everyone = [tf for pair in tfs for tf in pair]
    if twice := sorted({tf for tf in everyone if everyone.count(tf) > 1}):
        problems.add(f"simulation: {', '.join(twice)} would be planted twice. Name each TF once.")
    if not len(everyone) <= n_genes <= n_peaks:
        problems.add(
            f"simulation: {n_genes} genes for {len(everyone)} planted TFs and {n_peaks} peaks: "
            "each TF needs a gene and each gene a peak. Change `n_genes` or `n_peaks`."
        )
    pairs = paired_motifs(settings.pairs, settings.jaspar_release)
    site_range = settings.site_range
    needed = sum(motif.width for motif in [*motifs, *pairs])
    if not needed <= site_range <= SPACING[0]:
        problems.add(
            f"simulation: sites may stand in {site_range} bases of a peak; that must be at least "
            f"the width of all motifs together, {needed}, and at most {SPACING[0]}. Change "
            "`site_range`, or plant fewer motifs."
        )
    problems.raise_if_any()
