"""Cells of several classes: expression by near, far and class-specific motifs, and half-life."""

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
from cisgrammar.genome.half_life import LENGTHS, half_life_features
from cisgrammar.motifs.meme import Motif, write_meme
from cisgrammar.simulate.expression import PER, draw_cells, draw_counts
from cisgrammar.simulate.genome import (
    Genome,
    draw_bases,
    draw_bearers,
    lay_out_genes,
    plant_sites,
    write_fasta,
    write_gtf,
)
from cisgrammar.simulate.motifs import choose_motifs
from cisgrammar.simulate.settings import PopulationSettings
from cisgrammar.simulate.transcripts import annotated, draw_cds, transcript

DRAWN = ("genes", "CDS", "bases", "sites", "activities", "expression", "counts")
# what half-life makes of each feature, per standard deviation; scaled to the whole afterwards
WEIGHTS = {
    "utr5_length": -0.4,
    "cds_length": -0.6,
    "utr3_length": -0.4,
    "intron_length": 0.2,
    "exon_density": 0.6,
}
logger = logging.getLogger(__name__)


def simulate_populations(folder: str | Path, settings: PopulationSettings, *, seed: int) -> None:
    """Simulate a genome, its annotation with CDS, counts, and write the truth beside them.

    Parameters
    ----------
    folder
        Gets ``genome.fa``, ``annotation.gtf``, ``counts.h5ad`` and ``truth/``
        (docs/architecture.md says what is in them).
    settings
        By which it is made.
    seed
        Everything random derives from it.

    Raises
    ------
    InputError
        If a motif is not in JASPAR or is planted twice, or numbers do not fit together.
    """
    rng = {what: np.random.default_rng(derive_seed(seed, "populations", what)) for what in DRAWN}
    motifs = choose_motifs(
        [*settings.near, *settings.far, *settings.specific], [], settings.jaspar_release
    )[0]
    kinds = motif_kinds(settings, [motif.name for motif in motifs])
    _check(settings, motifs)
    genome = _draw_genome(settings, rng)
    has_site, sites = _plant(settings, genome, motifs, kinds, rng["sites"])
    activities = draw_class_activities(settings, kinds, rng["activities"])
    half_life = half_life_effects(genome.genes, settings.half_life_sd)
    noise = settings.gene_sd * rng["expression"].standard_normal(settings.n_genes)
    expectation = _expectation(settings, genome, has_site, activities, half_life, noise)
    cells = draw_cells(
        {name: share for types in settings.classes.values() for name, share in types.items()},
        settings.n_cells, settings.n_batches, settings.depth, settings.depth_sd,
        settings.batch_depth_sd, rng["counts"],
    )  # fmt: skip
    class_of = dict(zip(expectation.obs_names, expectation.obs["class"], strict=True))
    counts = ad.AnnData(
        draw_counts(cells, expectation, settings.dispersion, settings.batch_gene_sd, rng["counts"]),
        obs=cells[["cell_type", "batch"]].assign(**{"class": cells["cell_type"].map(class_of)}),
        var=expectation.var[["gene_name"]],
    )
    folder = Path(folder)
    write_fasta(genome.chromosomes, folder / "genome.fa")
    write_gtf(annotated(genome.genes, settings.unannotated, rng["CDS"]), folder / "annotation.gtf")
    write_h5ad(counts, folder / "counts.h5ad")
    write_meme(motifs, folder / "truth" / "motifs.meme")
    write_table(sites, folder / "truth" / "sites.tsv")
    write_table(kinds.join(activities), folder / "truth" / "activities.tsv", index=True)
    write_table(_truth_of_genes(expectation, has_site, kinds), folder / "truth" / "genes.tsv")
    write_h5ad(expectation, folder / "truth" / "expectation.h5ad")
    logger.info("%d genes, %d sites of %d motifs", len(genome.genes), len(sites), len(motifs))
    logger.info("%d cells of %d types", counts.n_obs, expectation.n_obs)


def motif_kinds(settings: PopulationSettings, names: Sequence[str]) -> pd.DataFrame:
    """Say where motifs stand and in which class they act.

    Returns
    -------
    Indexed by motif: ``place`` (``near`` or ``far``), ``class`` (empty: all of them).
    """
    classes = list(settings.classes)
    n_general = len(settings.near) + len(settings.far)
    its_class = [""] * n_general
    its_class += [classes[i % len(classes)] for i in range(len(settings.specific))]
    place = ["near"] * len(settings.near) + ["far"] * (len(names) - len(settings.near))
    return pd.DataFrame({"place": place, "class": its_class}, pd.Index(names, name="motif"))


def _draw_genome(settings: PopulationSettings, rng: Mapping[str, np.random.Generator]) -> Genome:
    n = settings.n_genes
    genes, lengths = lay_out_genes(
        n, settings.n_chromosomes, settings.upstream, settings.downstream, rng["genes"]
    )
    genes.index = pd.Index([f"SIMG{i:08d}" for i in range(1, n + 1)], name="gene")
    genes["gene_name"] = [f"Gene{i}" for i in range(1, n + 1)]
    genes["cds"] = draw_cds(genes, rng["CDS"])
    gc = settings.background_gc, settings.promoter_gc, settings.promoter_gc_sd
    return Genome(draw_bases(genes, lengths, *gc, rng["bases"]), genes)


def _plant(
    settings: PopulationSettings,
    genome: Genome,
    motifs: Sequence[Motif],
    kinds: pd.DataFrame,
    rng: np.random.Generator,
) -> tuple[np.ndarray, pd.DataFrame]:
    """Plant near sites around the TSS and far ones before these; give who bears which, and where.

    Starts are counted from the first base of the window, along the gene's strand.
    """
    share = settings.min_occurrence, settings.max_occurrence
    has_site = draw_bearers(settings.n_genes, len(motifs), *share, rng)
    is_near = (kinds["place"] == "near").to_numpy()
    window = settings.reach, min(settings.reach, settings.downstream)
    near = plant_sites(genome, motifs, has_site & is_near, *window, settings.min_site_strength, rng)
    ahead = np.where(genome.genes["strand"] == "+", -settings.reach, settings.reach)
    moved = Genome(genome.chromosomes, genome.genes.assign(tss=genome.genes["tss"] + ahead))
    before = settings.upstream - settings.reach
    far = plant_sites(
        moved, motifs, has_site & ~is_near, before, 0, settings.min_site_strength, rng
    )
    near["start"] += before
    sites = pd.concat([near, far])
    order = sites.assign(gene=genome.genes.index.get_indexer(sites["gene"]))
    return has_site, sites.iloc[np.lexsort((order["start"], order["gene"]))]


def draw_class_activities(
    settings: PopulationSettings, kinds: pd.DataFrame, rng: np.random.Generator
) -> pd.DataFrame:
    """Give each motif an effect on ln expression in each cell type.

    Returns
    -------
    Motifs x cell types. A general motif does the same in all; one of a class does nothing in the
    others, and varies over its types.
    """
    types = [(its, name) for its, types in settings.classes.items() for name in types]
    values = np.zeros((len(kinds), len(types)))
    for row, its_class in enumerate(kinds["class"]):
        if not its_class:
            values[row] = settings.activity
        for column, (of_type, _) in enumerate(types):
            if its_class == of_type:
                varies = 1 + settings.type_sd * rng.standard_normal()
                values[row, column] = settings.specific_activity * varies
    return pd.DataFrame(values, index=kinds.index, columns=[name for _, name in types])


def half_life_effects(genes: pd.DataFrame, sd: float) -> np.ndarray:
    """Work out what half-life does to the ln of expression: ``(genes,)``, of mean 0.

    Parameters
    ----------
    genes
        As in :class:`cisgrammar.simulate.genome.Genome`, with ``cds``.
    sd
        Standard deviation of the result.
    """
    transcripts = {str(gene.Index): transcript(gene) for gene in genes.itertuples()}
    lengths = np.log10(half_life_features(transcripts, list(transcripts))[list(LENGTHS)] + 0.1)
    z = (lengths - lengths.mean()) / lengths.std()
    raw = z.fillna(0).to_numpy() @ np.array([WEIGHTS[name] for name in LENGTHS])
    return sd * (raw - raw.mean()) / raw.std()


def _expectation(
    settings: PopulationSettings,
    genome: Genome,
    has_site: np.ndarray,
    activities: pd.DataFrame,
    half_life: np.ndarray,
    noise: np.ndarray,
) -> ad.AnnData:
    """Cell types x genes per 10,000 counts; a layer without what nothing tells of."""
    types = [
        (name, its, share)
        for its, types in settings.classes.items()
        for name, share in types.items()
    ]
    told = half_life[:, None] + has_site @ activities.to_numpy()
    whole, predictable = np.exp(told + noise[:, None]).T, np.exp(told).T
    obs = pd.DataFrame(types, columns=["cell_type", "class", "share"]).set_index("cell_type")
    var = genome.genes[["gene_name"]].assign(half_life=half_life, noise=noise)
    data = ad.AnnData(PER * whole / whole.sum(axis=1, keepdims=True), obs=obs, var=var)
    data.layers["predictable"] = PER * predictable / predictable.sum(axis=1, keepdims=True)
    return data


def _truth_of_genes(
    expectation: ad.AnnData, has_site: np.ndarray, kinds: pd.DataFrame
) -> pd.DataFrame:
    """List what drives each gene: half-life, motifs, and the classes whose motifs it bears."""
    names, its_class = kinds.index.to_numpy(), kinds["class"].to_numpy()
    specific = [sorted(set(its_class[row & (its_class != "")])) for row in has_site]
    return pd.DataFrame(
        {
            "gene": expectation.var_names,
            "half_life": expectation.var["half_life"].to_numpy(),
            "noise": expectation.var["noise"].to_numpy(),
            "motifs": [";".join(names[row]) for row in has_site],
            "specific_to": [";".join(classes) for classes in specific],
        }
    )


def _check(settings: PopulationSettings, motifs: Sequence[Motif]) -> None:
    """Raise where the settings do not fit together."""
    problems = Problems()
    asked = [*settings.near, *settings.far, *settings.specific]
    if twice := sorted({name for name in asked if asked.count(name) > 1}):
        problems.add(
            f"simulation: {', '.join(twice)} would be planted twice. Name each motif once among "
            "`near`, `far` and `specific` of `simulation.populations`."
        )
    widths = [motif.width for motif in motifs]
    n_near, before = len(settings.near), settings.upstream - settings.reach
    for where, needed, room in (
        ("far", sum(widths[n_near:]), before),
        ("near", sum(widths[:n_near]), settings.reach + min(settings.reach, settings.downstream)),
    ):
        if needed > room:
            problems.add(
                f"simulation: the {where} motifs are {needed} bases wide together, but there are "
                f"{max(room, 0)} bases for them. Raise `populations.upstream`, change "
                "`simulation.populations.reach`, or plant fewer motifs."
            )
    problems.raise_if_any()
