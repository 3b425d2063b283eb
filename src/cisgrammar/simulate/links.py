"""A multiome in which distal peaks drive genes: who drives whom is known, and decoys are there."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
from scipy import sparse

from cisgrammar.common.errors import Problems
from cisgrammar.common.files import write_h5ad, write_table
from cisgrammar.common.seeds import derive_seed
from cisgrammar.motifs.meme import Motif, write_meme
from cisgrammar.simulate.expression import CELLS_AT_ONCE, PER, draw_activities, draw_cells
from cisgrammar.simulate.genome import (
    Genome,
    draw_bases,
    draw_bearers,
    plant_sites,
    write_fasta,
    write_gtf,
)
from cisgrammar.simulate.motifs import choose_motifs
from cisgrammar.simulate.multiome import lay_out_genes_on, lay_out_peaks
from cisgrammar.simulate.settings import LinkSettings

DRAWN = ("peaks", "genes", "bases", "sites", "activities", "effects", "cells", "atac", "rna")
OPEN = 1.0  # ln accessibility by the insulating motif, in all cells alike
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Plan:
    """Who bears what and drives whom.

    Parameters
    ----------
    peaks, genes
        As in :class:`cisgrammar.simulate.genome.Genome`.
    promoter
        Row of each gene's peak: ``(genes,)``.
    has_site
        bool ``(peaks, motifs)``.
    effects
        Of distal peaks on ln expression per ln accessibility, ``(genes, peaks)``; 0 is no link.
    """

    peaks: pd.DataFrame
    genes: pd.DataFrame
    promoter: np.ndarray
    has_site: np.ndarray
    effects: sparse.csr_matrix


def simulate_links(folder: str | Path, settings: LinkSettings, *, seed: int) -> None:
    """Simulate a genome, both modalities of its cells, and which peak drives which gene.

    Parameters
    ----------
    folder
        Gets what :func:`cisgrammar.simulate.multiome.simulate_multiome` writes, and in ``truth/``
        ``links.tsv`` (links and decoys) and ``link_activities.tsv`` (by cell type).
    settings
        By which it is made.
    seed
        Everything random derives from it.

    Raises
    ------
    InputError
        If a motif is not in JASPAR, is planted twice, or numbers do not fit together.

    Notes
    -----
    ln accessibility of a peak in a cell is its own constant plus the activities of its motifs
    there. ln expression is a gene's own constant, that of its type, and ln accessibility of its
    promoter and of the peaks that are linked to it, about their means over cells, times their
    effects. Effects fall exponentially with distance, from what the strongest of a peak's motifs
    allows.
    """
    rng = {what: np.random.default_rng(derive_seed(seed, "links", what)) for what in DRAWN}
    names = [*settings.linking, *settings.silencing, *settings.passive, settings.insulating]
    motifs, tfs, _ = choose_motifs(names, [], settings.jaspar_release)
    _check(settings, motifs, names)
    kinds = motif_kinds(settings, [motif.name for motif in motifs], rng["effects"])
    plan, chromosomes, sites, tf_motifs = _lay_out(settings, motifs, tfs, kinds, rng)
    activities = draw_link_activities(settings, kinds, rng["activities"])
    depths = (settings.open_per_cell, settings.depth_sd, settings.batch_depth_sd)
    cells = draw_cells(
        settings.cell_types, settings.n_cells, settings.n_batches, *depths, rng["cells"]
    )
    in_cells = cell_activities(settings, activities, kinds, cells["cell_type"], rng["cells"])
    atac, rna, accessibility, expectation = _draw(
        settings, plan, cells, in_cells, activities, tf_motifs, rng
    )
    truth, by_type = truth_of_links(settings, plan, kinds, in_cells, cells["cell_type"])

    folder = Path(folder)
    write_fasta(chromosomes, folder / "genome.fa")
    write_gtf(plan.genes, folder / "annotation.gtf")
    write_h5ad(rna, folder / "rna.h5ad")
    write_h5ad(atac, folder / "atac.h5ad")
    write_meme(motifs, folder / "truth" / "motifs.meme")
    write_table(sites, folder / "truth" / "sites.tsv")
    write_table(activities, folder / "truth" / "activities.tsv", index=True)
    write_h5ad(accessibility, folder / "truth" / "accessibility.h5ad")
    write_h5ad(expectation, folder / "truth" / "expectation.h5ad")
    write_table(kinds.reset_index(), folder / "truth" / "motif_kinds.tsv")
    write_table(truth, folder / "truth" / "links.tsv")
    write_table(by_type, folder / "truth" / "link_activities.tsv")
    roles = truth["role"].value_counts()
    logger.info("%d links, %d decoys", roles.get("link", 0), roles.get("decoy", 0))


def motif_kinds(
    settings: LinkSettings, names: Sequence[str], rng: np.random.Generator
) -> pd.DataFrame:
    """Say what each motif does to genes.

    Returns
    -------
    Indexed by motif: ``kind``, ``effect`` at distance 0, ``follows`` (of a passive motif: the
    linking one).
    """
    sizes = [len(settings.linking), len(settings.silencing), len(settings.passive), 1]
    kind = np.repeat(["linking", "silencing", "passive", "insulating"], sizes)
    effect = rng.uniform(settings.min_effect, settings.max_effect, len(names))
    sign = pd.Series({"linking": 1, "silencing": -1, "passive": 0, "insulating": 0})
    follows = np.full(len(names), "", dtype=object)
    passive = np.flatnonzero(kind == "passive")
    follows[passive] = [names[i % sizes[0]] for i in range(len(passive))]
    table = {"kind": kind, "effect": effect * sign[kind].to_numpy(), "follows": follows}
    return pd.DataFrame(table, index=pd.Index(names, name="motif"))


def _lay_out(
    settings: LinkSettings,
    motifs: Sequence[Motif],
    tfs: Sequence[Sequence[str]],
    kinds: pd.DataFrame,
    rng: Mapping[str, np.random.Generator],
) -> tuple[Plan, dict[str, np.ndarray], pd.DataFrame, dict[int, int]]:
    """Place peaks, genes and sites, and link them."""
    spacing = (settings.min_spacing, settings.max_spacing)
    peaks, lengths = lay_out_peaks(
        settings.n_peaks, settings.n_chromosomes, rng["peaks"], spacing=spacing
    )
    genes, promoter, tf_motifs = lay_out_genes_on(peaks, settings.n_genes, tfs, rng["genes"])
    gc = (settings.background_gc, settings.peak_gc, settings.peak_gc_sd)
    genome = Genome(draw_bases(peaks, lengths, *gc, rng["bases"]), peaks)
    share = settings.min_occurrence, settings.max_occurrence
    has_site = draw_bearers(settings.n_peaks, len(motifs), *share, rng["sites"])
    insulating = (kinds["kind"] == "insulating").to_numpy()
    has_site[:, insulating] = False
    bears = rng["sites"].random((settings.n_genes, 1)) < settings.insulated
    has_site[np.ix_(promoter, insulating)] = bears
    before = settings.site_range // 2
    window = before, settings.site_range - before
    sites = plant_sites(
        genome, motifs, has_site, *window, settings.min_site_strength, rng["sites"]
    ).rename(columns={"gene": "peak"})
    sites["start"] += peaks.loc[sites["peak"], "tss"].to_numpy() - before
    effects = link_effects(settings, peaks, promoter, has_site, kinds, list(tf_motifs))
    plan = Plan(peaks, genes, promoter, has_site, effects)
    return plan, genome.chromosomes, sites, tf_motifs


def link_effects(
    settings: LinkSettings,
    peaks: pd.DataFrame,
    promoter: np.ndarray,
    has_site: np.ndarray,
    kinds: pd.DataFrame,
    without: Sequence[int],
) -> sparse.csr_matrix:
    """Give each peak's effect on each gene: ``(genes, peaks)``, few of them not 0.

    Parameters
    ----------
    settings
        By which effects fall with distance.
    peaks, promoter, has_site
        As in :class:`Plan`.
    kinds
        From :func:`motif_kinds`.
    without
        Rows of genes that have no links: those of TFs, which follow their motif.
    """
    effect = kinds["effect"].to_numpy()
    strength = np.where(has_site, np.abs(effect), 0)
    of_peak = effect[strength.argmax(axis=1)] * (strength.max(axis=1) > 0)
    insulated = has_site[promoter][:, (kinds["kind"] == "insulating").to_numpy()].any(axis=1)
    insulated[list(without)] = True
    chroms, middles = peaks["chrom"].to_numpy(), peaks["tss"].to_numpy()
    rows = []
    for row in promoter:
        distance = np.where(chroms == chroms[row], np.abs(middles - middles[row]), np.inf)
        value = of_peak * np.exp(-distance / settings.decay)
        value[row] = 0
        rows.append(np.where(np.abs(value) >= settings.least_effect, value, 0))
    effects = np.array(rows)
    effects[insulated] = 0
    return sparse.csr_matrix(effects)


def draw_link_activities(
    settings: LinkSettings, kinds: pd.DataFrame, rng: np.random.Generator
) -> pd.DataFrame:
    """Give each motif an activity in each cell type; passive ones are much like another's.

    Returns
    -------
    Motifs x cell types. An insulating motif acts in all alike.
    """
    names, types = list(kinds.index), list(settings.cell_types)
    low, high = settings.min_activity, settings.max_activity
    table = draw_activities(names, [], types, low, high, rng)
    r = settings.passive_likeness
    for name, kind, other in zip(names, kinds["kind"], kinds["follows"], strict=True):
        if kind == "passive":
            own, like = (table.loc[key] - (low + high) / 2 for key in (name, other))
            table.loc[name] = (low + high) / 2 + r * like + np.sqrt(1 - r * r) * own
        elif kind == "insulating":
            table.loc[name] = OPEN
    return table


def cell_activities(
    settings: LinkSettings,
    activities: pd.DataFrame,
    kinds: pd.DataFrame,
    cell_types: pd.Series,
    rng: np.random.Generator,
) -> np.ndarray:
    """Let activities vary within types, passive motifs along with those they follow.

    Returns
    -------
    ``(cells, motifs)``.
    """
    deviation = rng.standard_normal((len(cell_types), len(kinds)))
    r = settings.passive_likeness
    for column, other in enumerate(kinds["follows"]):
        if other:
            like = deviation[:, kinds.index.get_loc(other)]
            deviation[:, column] = r * like + np.sqrt(1 - r * r) * deviation[:, column]
    deviation[:, (kinds["kind"] == "insulating").to_numpy()] = 0
    return activities[cell_types].to_numpy().T + settings.within_type_sd * deviation


def _draw(
    settings: LinkSettings,
    plan: Plan,
    cells: pd.DataFrame,
    in_cells: np.ndarray,
    activities: pd.DataFrame,
    tf_motifs: Mapping[int, int],
    rng: Mapping[str, np.random.Generator],
) -> tuple[ad.AnnData, ad.AnnData, ad.AnnData, ad.AnnData]:
    """Draw both modalities; give also what is expected in each cell type."""
    n_genes, n_types = settings.n_genes, len(activities.columns)
    peak_effects = settings.peak_sd * rng["effects"].standard_normal(settings.n_peaks)
    own = settings.gene_sd * rng["effects"].standard_normal(n_genes)
    elsewhere = settings.elsewhere_sd * rng["effects"].standard_normal((n_types, n_genes))
    response = plan.effects @ plan.has_site.astype(float)  # (genes, motifs)
    response += settings.promoter_response * plan.has_site[plan.promoter]
    for gene, motif in tf_motifs.items():
        own[gene], response[gene] = 0, 0
        response[gene, motif] = settings.tf_response
    mean = in_cells.mean(axis=0)
    types = pd.Index(activities.columns, name="cell_type")

    def of_peaks(values: np.ndarray) -> np.ndarray:
        return _scaled(values @ plan.has_site.T + peak_effects)

    def of_genes(values: np.ndarray, number: np.ndarray) -> np.ndarray:
        return _scaled((values - mean) @ response.T + own + elsewhere[number])

    number = types.get_indexer(cells["cell_type"])
    depth = np.exp(settings.depth_sd * rng["rna"].standard_normal(len(cells)))
    depth *= settings.rna_per_cell
    fragments, counts = [], []
    for first in range(0, len(cells), CELLS_AT_ONCE):
        block = slice(first, first + CELLS_AT_ONCE)
        rate = of_peaks(in_cells[block]) * cells["depth"].to_numpy()[block, None]
        fragments.append(sparse.csr_matrix(rng["atac"].poisson(rate) > 0, dtype=np.int32))
        rate = of_genes(in_cells[block], number[block]) * depth[block, None]
        noise = rng["rna"].gamma(1 / settings.dispersion, settings.dispersion, rate.shape)
        counts.append(sparse.csr_matrix(rng["rna"].poisson(rate * noise).astype(np.int32)))
    obs = cells[["cell_type", "batch"]]
    places, gene_names = plan.peaks[["chrom", "start", "end"]], plan.genes[["gene_name"]]
    by_type = activities.to_numpy().T
    return (
        ad.AnnData(sparse.vstack(fragments, format="csr"), obs, places),
        ad.AnnData(sparse.vstack(counts, format="csr"), obs, gene_names),
        ad.AnnData(PER * of_peaks(by_type), pd.DataFrame(index=types), places),
        ad.AnnData(
            PER * of_genes(by_type, np.arange(n_types)), pd.DataFrame(index=types), gene_names
        ),
    )


def _scaled(log_rate: np.ndarray) -> np.ndarray:
    rate = np.exp(log_rate)
    return rate / rate.sum(axis=1, keepdims=True)


def truth_of_links(
    settings: LinkSettings,
    plan: Plan,
    kinds: pd.DataFrame,
    in_cells: np.ndarray,
    cell_types: pd.Series,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """List links and decoys, and what links do in each cell type.

    Returns
    -------
    links
        gene, peak, distance (bases, negative before the TSS on the chromosome), role (``link`` or
        ``decoy``), effect. A decoy bears a passive motif that follows one of the linking motifs
        of the gene's links, no linking one, and lies no farther than links may.
    activities
        gene, peak, cell_type, activity: the effect times ln accessibility about its mean.
    """
    follows = kinds.index.get_indexer(kinds["follows"])
    links_by_motif = plan.has_site & (kinds["effect"] != 0).to_numpy()
    bears_linking = links_by_motif.any(axis=1)
    middles, chroms = plan.peaks["tss"].to_numpy(), plan.peaks["chrom"].to_numpy()
    farthest = settings.decay * np.log(settings.max_effect / settings.least_effect)
    rows = []
    for gene, promoter in enumerate(plan.promoter):
        its = plan.effects[gene]
        linked, effect = its.indices, its.data
        rows += [(gene, peak, "link", value) for peak, value in zip(linked, effect, strict=True)]
        used = np.flatnonzero(links_by_motif[linked].any(axis=0))
        twins = np.isin(follows, used)
        near = (chroms == chroms[promoter]) & (np.abs(middles - middles[promoter]) <= farthest)
        decoy = near & plan.has_site[:, twins].any(axis=1) & ~bears_linking
        decoy[promoter] = False
        rows += [(gene, peak, "decoy", 0.0) for peak in np.flatnonzero(decoy)]
    table = pd.DataFrame(rows, columns=["gene", "peak", "role", "effect"])
    gene, peak = table["gene"].to_numpy(int), table["peak"].to_numpy(int)
    truth = pd.DataFrame(
        {
            "gene": plan.genes.index[gene],
            "peak": plan.peaks.index[peak],
            "distance": middles[peak] - middles[plan.promoter[gene]],
            "role": table["role"],
            "effect": table["effect"],
        }
    )
    centred = pd.DataFrame(in_cells - in_cells.mean(axis=0)).groupby(cell_types.to_numpy()).mean()
    is_link = (table["role"] == "link").to_numpy()
    by_type = plan.has_site[peak[is_link]] @ centred.to_numpy().T  # (links, types)
    by_type = by_type * table["effect"].to_numpy()[is_link, None]
    links = truth.loc[is_link, ["gene", "peak"]].reset_index(drop=True)
    wide = pd.DataFrame(by_type, columns=centred.index)
    return truth, links.join(wide).melt(
        ["gene", "peak"], var_name="cell_type", value_name="activity"
    )


def _check(settings: LinkSettings, motifs: Sequence[Motif], names: Sequence[str]) -> None:
    problems, n_genes = Problems(), settings.n_genes
    if twice := sorted({name for name in names if names.count(name) > 1}):
        problems.add(
            f"simulation: {', '.join(twice)} would be planted twice. Name each motif once among "
            "`linking`, `silencing`, `passive` and `insulating` of `simulation.links`."
        )
    if not 2 * len(names) <= n_genes <= settings.n_peaks:
        problems.add(
            f"simulation: {n_genes} genes for {len(names)} motifs and {settings.n_peaks} peaks: "
            "each TF needs a gene and each gene a peak. Change `n_genes` or `n_peaks` of "
            "`simulation.links`."
        )
    needed = sum(motif.width for motif in motifs)
    if not needed <= settings.site_range <= settings.min_spacing <= settings.max_spacing:
        problems.add(
            f"simulation: motifs are {needed} bases wide together, sites stand in "
            f"{settings.site_range} bases, and peaks are {settings.min_spacing} to "
            f"{settings.max_spacing} apart; these must not fall. Change `site_range`, "
            "`min_spacing` or `max_spacing` of `simulation.links`."
        )
    problems.raise_if_any()
