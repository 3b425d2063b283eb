"""The built-in data set: counts driven by motifs that stand in promoters, with the truth."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd

from cisgrammar.common.errors import InputError, Problems
from cisgrammar.common.files import write_h5ad, write_table
from cisgrammar.common.seeds import derive_seed
from cisgrammar.motifs.databases import load_database
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
    lay_out_genes,
    plant_sites,
    write_fasta,
    write_gtf,
)

ACTIVATORS = ("ELK1", "SP3", "NRF1", "USF2", "CEBPB", "HNF1A", "IRF8", "RFX2", "FOS::JUN")
REPRESSORS = ("E2F4", "GFI1", "REST")
CELL_TYPES = {
    "A": 0.24,
    "B": 0.2,
    "C": 0.16,
    "D": 0.13,
    "E": 0.11,
    "F": 0.085,
    "G": 0.06,
    "H": 0.015,
}
PSEUDOCOUNT = 0.01  # share of each position, spread over the four bases
_log = logging.getLogger(__name__)


def simulate(
    folder: str | Path,
    *,
    seed: int,
    n_genes: int = 6000,
    n_chromosomes: int = 6,
    upstream: int = 200,
    downstream: int = 100,
    activators: Sequence[str] = ACTIVATORS,
    repressors: Sequence[str] = REPRESSORS,
    jaspar_release: str = "JASPAR2024",
    other_tfs: int = 200,
    min_occurrence: float = 0.25,
    max_occurrence: float = 0.35,
    min_site_strength: float = 0.9,
    min_activity: float = 0.2,
    max_activity: float = 1.4,
    tf_response: float = 2.0,
    gene_sd: float = 0.15,
    cell_types: Mapping[str, float] = CELL_TYPES,
    n_cells: int = 3500,
    n_batches: int = 2,
    depth: float = 6000.0,
    depth_sd: float = 0.35,
    dispersion: float = 0.2,
    batch_depth_sd: float = 0.3,
    batch_gene_sd: float = 0.15,
    background_gc: float = 0.4,
    promoter_gc: float = 0.52,
    promoter_gc_sd: float = 0.06,
) -> None:
    """Simulate a genome, its annotation, counts, and write the truth beside them.

    Parameters
    ----------
    folder
        Gets ``genome.fa``, ``annotation.gtf``, ``counts.h5ad``, ``gene_sets.gmt`` and ``truth/``
        (docs/architecture.md says what is in them).
    seed
        Everything random derives from it.
    n_genes, n_chromosomes
        How many; the TFs' own genes are among them.
    upstream, downstream
        Bases before and from the TSS in which sites stand.
    activators, repressors
        JASPAR CORE vertebrates profiles to plant, by name (the first profile of
        that name) or matrix id.
    jaspar_release
        One of pyjaspar's releases.
    other_tfs
        Ordinary genes that bear the names of TFs in JASPAR that are not planted.
    min_occurrence, max_occurrence
        Each motif stands in a share of the promoters drawn from this range.
    min_site_strength
        Least score of a planted site against its motif, as a share of the highest
        possible (see :func:`draw_sites`).
    min_activity, max_activity
        Absolute effect of a site on the natural logarithm of expression, in the
        cell types where its TF is least and most active.
    tf_response
        Natural logarithm of the expression of a TF's gene per unit of activity.
    gene_sd
        Standard deviation of what else, unrelated to sequence, sets a gene's
        natural logarithm of expression in all cell types alike.
    cell_types
        Name to share of cells.
    n_cells, n_batches
        How many.
    depth, depth_sd
        Median counts of a cell; standard deviation of its natural logarithm.
    dispersion
        Of the negative binomial: the variance is mean + dispersion x mean^2.
    batch_depth_sd, batch_gene_sd
        Standard deviation of the natural logarithm of a batch's effect on depth,
        and on each gene.
    background_gc, promoter_gc, promoter_gc_sd
        Share of G and C far from genes; its mean and standard deviation at TSSs.

    Raises
    ------
    InputError
        If a motif is not in JASPAR, is planted twice, or numbers do not fit together.
    """
    motifs, tfs, others = choose_motifs(activators, repressors, jaspar_release)
    ranges = {
        "occurrence": (min_occurrence, max_occurrence),
        "activity": (min_activity, max_activity),
    }
    _check(n_genes, upstream + downstream, motifs, tfs, ranges)
    names = [motif.name for motif in motifs]
    rng = {
        what: np.random.default_rng(derive_seed(seed, "simulate", what))
        for what in (
            "genes",
            "names",
            "bases",
            "sites",
            "activities",
            "expression",
            "counts",
            "gene sets",
        )
    }

    genes, lengths = lay_out_genes(n_genes, n_chromosomes, upstream, downstream, rng["genes"])
    genes.index = pd.Index([f"SIMG{i:08d}" for i in range(1, n_genes + 1)], name="gene")
    genes["gene_name"], tf_motifs = name_genes(n_genes, tfs, others, other_tfs, rng["names"])
    chromosomes = draw_bases(
        genes, lengths, background_gc, promoter_gc, promoter_gc_sd, rng["bases"]
    )
    occurrence = rng["sites"].uniform(min_occurrence, max_occurrence, size=len(motifs))
    has_site = rng["sites"].random((n_genes, len(motifs))) < occurrence
    has_site[list(tf_motifs)] = False
    genome = Genome(chromosomes, genes)
    sites = plant_sites(
        genome, motifs, has_site, upstream, downstream, min_site_strength, rng["sites"]
    )

    activities = draw_activities(
        names,
        names[len(activators) :],
        list(cell_types),
        min_activity,
        max_activity,
        rng["activities"],
    )
    gene_effects = gene_sd * rng["expression"].standard_normal(n_genes)
    var = genes[["gene_name"]]
    expectation = ad.AnnData(
        expected_expression(has_site, activities.to_numpy(), gene_effects, tf_motifs, tf_response),
        obs=pd.DataFrame(index=pd.Index(list(cell_types), name="cell_type")),
        var=var,
    )
    cells = draw_cells(
        cell_types, n_cells, n_batches, depth, depth_sd, batch_depth_sd, rng["counts"]
    )
    counts = draw_counts(cells, expectation, dispersion, batch_gene_sd, rng["counts"])

    folder = Path(folder)
    write_fasta(genome.chromosomes, folder / "genome.fa")
    write_gtf(genes, folder / "annotation.gtf")
    write_h5ad(
        ad.AnnData(counts, obs=cells[["cell_type", "batch"]], var=var), folder / "counts.h5ad"
    )
    sets = draw_gene_sets(has_site, names, list(genes["gene_name"]), rng["gene sets"])
    write_gmt(sets, folder / "gene_sets.gmt")
    write_meme(motifs, folder / "truth" / "motifs.meme")
    write_table(sites, folder / "truth" / "sites.tsv")
    write_table(activities, folder / "truth" / "activities.tsv", index=True)
    write_h5ad(expectation, folder / "truth" / "expectation.h5ad")
    _log.info("%d genes, %d sites of %d motifs", n_genes, len(sites), len(motifs))
    _log.info("%d cells of %d types, %d counts", n_cells, len(cell_types), counts.sum())


def choose_motifs(
    activators: Sequence[str], repressors: Sequence[str], release: str
) -> tuple[list[Motif], list[list[str]], list[str]]:
    """Fetch profiles of JASPAR CORE vertebrates.

    Returns
    -------
    motifs
        Activators, then repressors, named by TF with the matrix id as second name,
        with a small pseudocount.
    tfs
        The TF genes of each: a heterodimer such as FOS::JUN has two.
    others
        All other TF genes of the collection, sorted.

    Raises
    ------
    InputError
        If one is not there or the release is unknown.
    """
    database = load_database(f"jaspar:CORE:vertebrates:{release.removeprefix('JASPAR')}")
    found = {}
    for profile in reversed(database.motifs):  # so that the first of a name remains
        found[profile.name] = found[profile.alt.upper()] = profile
    wanted = [*activators, *repressors]
    absent = [name for name in wanted if name.upper() not in found]
    if absent:
        raise InputError(
            f"simulation: {', '.join(absent)}: not among the {len(database.motifs)} profiles of "
            f"{database.source}. Look the name or matrix id up on jaspar.elixir.no and mend "
            "`simulation.activators` or `simulation.repressors`."
        )
    motifs = []
    for name in wanted:
        profile = found[name.upper()]
        matrix = (1 - PSEUDOCOUNT) * profile.matrix + PSEUDOCOUNT / 4
        motifs.append(Motif(profile.alt.upper(), matrix, profile.n_sites, alt=profile.name))
    tfs = [motif.name.split("::") for motif in motifs]
    planted = {tf for pair in tfs for tf in pair}
    everyone = {tf for profile in database.motifs for tf in profile.alt.upper().split("::")}
    return motifs, tfs, sorted(everyone - planted)


def name_genes(
    n_genes: int,
    tfs: Sequence[Sequence[str]],
    others: Sequence[str],
    n_others: int,
    rng: np.random.Generator,
) -> tuple[list[str], dict[int, int]]:
    """Name genes: planted TFs, some other TFs, and the rest ``Gene1`` onwards.

    Returns
    -------
    names
        One a gene.
    tf_motifs
        Row of a planted TF's gene to the row of its motif.
    """
    names = [f"Gene{i}" for i in range(1, n_genes + 1)]
    rows = iter(rng.permutation(n_genes).tolist())
    tf_motifs = {}
    for motif, pair in enumerate(tfs):
        for tf in pair:
            row = next(rows)
            names[row], tf_motifs[row] = tf, motif
    for tf, row in zip(rng.permutation(others)[:n_others], rows, strict=False):
        names[row] = str(tf)
    return names, tf_motifs


def _check(
    n_genes: int,
    length: int,
    motifs: Sequence[Motif],
    tfs: Sequence[Sequence[str]],
    ranges: Mapping[str, tuple[float, float]],
) -> None:
    """Raise where the parameters do not fit together."""
    problems = Problems()
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
    if length < needed:
        problems.add(
            f"simulation: the {len(motifs)} motifs are {needed} bases wide together, a promoter "
            f"has only {length}. Raise `regions.upstream` or plant fewer motifs."
        )
    for name, (low, high) in ranges.items():
        if low > high:
            problems.add(
                f"simulation: `min_{name}` is {low:g}, above `max_{name}`, {high:g}. Swap them."
            )
    problems.raise_if_any()
