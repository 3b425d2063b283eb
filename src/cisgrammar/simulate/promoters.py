"""The built-in data set: counts driven by motifs that stand in promoters, with the truth."""

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
from cisgrammar.simulate.expression import (
    draw_activities,
    draw_cells,
    draw_counts,
    expected_expression,
)
from cisgrammar.simulate.gene_sets import draw_gene_sets, write_gmt
from cisgrammar.simulate.genome import (
    Genome,
    draw_bases,
    draw_bearers,
    lay_out_genes,
    plant_sites,
    write_fasta,
    write_gtf,
)
from cisgrammar.simulate.motifs import choose_motifs, name_genes
from cisgrammar.simulate.settings import PromoterSettings

DRAWN = ("genes", "names", "bases", "sites", "activities", "expression", "counts", "gene sets")
logger = logging.getLogger(__name__)


def simulate_promoters(folder: str | Path, settings: PromoterSettings, *, seed: int) -> None:
    """Simulate a genome, its annotation, counts, and write the truth beside them.

    Parameters
    ----------
    folder
        Gets ``genome.fa``, ``annotation.gtf``, ``counts.h5ad``, ``gene_sets.gmt`` and ``truth/``
        (docs/architecture.md says what is in them).
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
    motifs, tfs, others = choose_motifs(*chosen)
    _check(settings, motifs, tfs)
    names = [motif.name for motif in motifs]
    rng = {what: np.random.default_rng(derive_seed(seed, "simulate", what)) for what in DRAWN}

    genome, tf_motifs = _draw_genome(settings, tfs, others, rng)
    has_site, sites = _plant(settings, genome, motifs, list(tf_motifs), rng["sites"])
    activities = draw_activities(
        names,
        names[len(settings.activators) :],
        list(settings.cell_types),
        settings.min_activity,
        settings.max_activity,
        rng["activities"],
    )
    effects = settings.gene_sd * rng["expression"].standard_normal(settings.n_genes)
    var, response = genome.genes[["gene_name"]], settings.tf_response
    expectation = ad.AnnData(
        expected_expression(has_site, activities.to_numpy(), effects, tf_motifs, response),
        obs=pd.DataFrame(index=pd.Index(list(settings.cell_types), name="cell_type")),
        var=var,
    )
    counts = _draw_cells_and_counts(settings, expectation, rng["counts"])
    sets = draw_gene_sets(has_site, names, list(var["gene_name"]), rng["gene sets"])

    folder = Path(folder)
    write_fasta(genome.chromosomes, folder / "genome.fa")
    write_gtf(genome.genes, folder / "annotation.gtf")
    write_h5ad(counts, folder / "counts.h5ad")
    write_gmt(sets, folder / "gene_sets.gmt")
    write_meme(motifs, folder / "truth" / "motifs.meme")
    write_table(sites, folder / "truth" / "sites.tsv")
    write_table(activities, folder / "truth" / "activities.tsv", index=True)
    write_h5ad(expectation, folder / "truth" / "expectation.h5ad")
    logger.info("%d genes, %d sites of %d motifs", len(var), len(sites), len(motifs))
    n_types = len(settings.cell_types)
    logger.info("%d cells of %d types, %d counts", counts.n_obs, n_types, counts.X.sum())


def _draw_genome(
    settings: PromoterSettings,
    tfs: Sequence[Sequence[str]],
    others: Sequence[str],
    rng: Mapping[str, np.random.Generator],
) -> tuple[Genome, dict[int, int]]:
    """Draw bases and named genes; give row of a planted TF's gene to row of its motif, too."""
    n = settings.n_genes
    genes, lengths = lay_out_genes(
        n, settings.n_chromosomes, settings.upstream, settings.downstream, rng["genes"]
    )
    genes.index = pd.Index([f"SIMG{i:08d}" for i in range(1, n + 1)], name="gene")
    names, tf_motifs = name_genes(n, tfs, others, settings.other_tfs, rng["names"])
    genes["gene_name"] = names
    chromosomes = draw_bases(
        genes,
        lengths,
        settings.background_gc,
        settings.promoter_gc,
        settings.promoter_gc_sd,
        rng["bases"],
    )
    return Genome(chromosomes, genes), tf_motifs


def _plant(
    settings: PromoterSettings,
    genome: Genome,
    motifs: Sequence[Motif],
    without: list[int],
    rng: np.random.Generator,
) -> tuple[np.ndarray, pd.DataFrame]:
    """Plant sites; give bool ``(genes, motifs)`` and the sites. Some rows have none."""
    share = settings.min_occurrence, settings.max_occurrence
    has_site = draw_bearers(settings.n_genes, len(motifs), *share, rng)
    has_site[without] = False
    window = settings.upstream, settings.downstream
    return has_site, plant_sites(genome, motifs, has_site, *window, settings.min_site_strength, rng)


def _draw_cells_and_counts(
    settings: PromoterSettings, expectation: ad.AnnData, rng: np.random.Generator
) -> ad.AnnData:
    """Draw cells and their counts: cells x genes."""
    cells = draw_cells(
        settings.cell_types,
        settings.n_cells,
        settings.n_batches,
        settings.depth,
        settings.depth_sd,
        settings.batch_depth_sd,
        rng,
    )
    counts = draw_counts(cells, expectation, settings.dispersion, settings.batch_gene_sd, rng)
    return ad.AnnData(counts, obs=cells[["cell_type", "batch"]], var=expectation.var)


def _check(
    settings: PromoterSettings, motifs: Sequence[Motif], tfs: Sequence[Sequence[str]]
) -> None:
    """Raise where the settings do not fit together."""
    problems, n_genes = Problems(), settings.n_genes
    genes = [tf for pair in tfs for tf in pair]
    twice = sorted({tf for tf in genes if genes.count(tf) > 1})
    if twice:
        problems.add(
            f"simulation: {', '.join(twice)} would be planted twice. Name each TF once among "
            "`simulation.activators` and `simulation.repressors`."
        )
    if len(genes) > n_genes:
        problems.add(
            f"simulation: the {len(genes)} planted TFs need a gene each, but `simulation.n_genes` "
            f"is {n_genes}. Raise it."
        )
    needed = sum(motif.width for motif in motifs)
    length = settings.upstream + settings.downstream
    if length < needed:
        problems.add(
            f"simulation: the {len(motifs)} motifs are {needed} bases wide together, a promoter "
            f"has only {length}. Raise `regions.upstream` or plant fewer motifs."
        )
    for name in ("occurrence", "activity"):
        low, high = (getattr(settings, f"{end}_{name}") for end in ("min", "max"))
        if low > high:
            problems.add(
                f"simulation: `min_{name}` is {low:g}, above `max_{name}`, {high:g}. Swap them."
            )
    problems.raise_if_any()
