"""What a simulation is made by: the sections of the config, as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

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
CLASSES = {
    "neuron": {"N1": 0.25, "N2": 0.2},
    "glia": {"G1": 0.2, "G2": 0.1},
    "immune": {"I1": 0.15, "I2": 0.1},
}


@dataclass(frozen=True)
class PromoterSettings:
    """The section ``simulation``, and the window of ``regions``.

    Parameters
    ----------
    upstream, downstream
        Bases before and from the TSS in which sites stand.
    n_genes, n_chromosomes
        How many; the TFs' own genes are among them.
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
        possible (see :func:`cisgrammar.simulate.genome.draw_sites`).
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
    """

    upstream: int = 200
    downstream: int = 100
    n_genes: int = 6000
    n_chromosomes: int = 6
    activators: Sequence[str] = ACTIVATORS
    repressors: Sequence[str] = REPRESSORS
    jaspar_release: str = "JASPAR2024"
    other_tfs: int = 200
    min_occurrence: float = 0.25
    max_occurrence: float = 0.35
    min_site_strength: float = 0.9
    min_activity: float = 0.2
    max_activity: float = 1.4
    tf_response: float = 2.0
    gene_sd: float = 0.15
    cell_types: Mapping[str, float] = field(default_factory=lambda: dict(CELL_TYPES))
    n_cells: int = 3500
    n_batches: int = 2
    depth: float = 6000.0
    depth_sd: float = 0.35
    dispersion: float = 0.2
    batch_depth_sd: float = 0.3
    batch_gene_sd: float = 0.15
    background_gc: float = 0.4
    promoter_gc: float = 0.52
    promoter_gc_sd: float = 0.06


@dataclass(frozen=True)
class MultiomeSettings:
    """The section ``simulation.multiome``.

    Parameters
    ----------
    n_peaks, n_genes, n_chromosomes
        How many. The TSS of each gene is the middle of a peak.
    site_range
        Bases around the middle of a peak in which sites stand.
    activators, repressors, jaspar_release, min_occurrence, max_occurrence, min_site_strength
        As in :class:`PromoterSettings`, with peaks for promoters.
    pairs
        ``first``, ``second`` and ``gap`` of each: two profiles that stand so many bases apart, and
        open peaks together. They are not among the motifs of the truth.
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
    """

    n_peaks: int = 5000
    n_genes: int = 1000
    n_chromosomes: int = 6
    site_range: int = 250
    activators: Sequence[str] = ACTIVATORS
    repressors: Sequence[str] = REPRESSORS
    pairs: Sequence[Mapping[str, Any]] = ()
    jaspar_release: str = "JASPAR2024"
    min_occurrence: float = 0.1
    max_occurrence: float = 0.2
    min_site_strength: float = 0.9
    min_activity: float = 0.0
    max_activity: float = 2.0
    tf_response: float = 2.0
    promoter_response: float = 0.7
    peak_sd: float = 0.5
    cell_types: Mapping[str, float] = field(default_factory=lambda: dict(CELL_TYPES))
    n_cells: int = 1500
    n_batches: int = 2
    open_per_cell: float = 400.0
    rna_per_cell: float = 3000.0
    depth_sd: float = 0.35
    batch_depth_sd: float = 0.3
    batch_peak_sd: float = 0.3
    batch_gene_sd: float = 0.15
    dispersion: float = 0.2
    background_gc: float = 0.4
    peak_gc: float = 0.5
    peak_gc_sd: float = 0.04


@dataclass(frozen=True)
class LinkSettings:
    """The section ``simulation.links``.

    Parameters
    ----------
    n_peaks, n_genes, n_chromosomes, site_range
        As in :class:`MultiomeSettings`.
    min_spacing, max_spacing
        Bases from the middle of a peak to that of the next.
    linking, silencing
        JASPAR CORE vertebrates profiles whose peaks raise, or lower, genes nearby when they open.
    passive
        Profiles that open peaks and do nothing to genes. Each follows a linking one, in turn, so
        that their peaks open in the same cells: decoys.
    insulating
        Profile that stands in promoters only; genes that bear it have no distal links.
    jaspar_release, min_occurrence, max_occurrence, min_site_strength
        As in :class:`MultiomeSettings`.
    insulated
        Share of the promoters with the insulating motif.
    decay
        Bases over which the effect of a peak falls to 1/e.
    min_effect, max_effect
        Effect at distance 0 on ln expression per unit of ln accessibility, least and greatest
        over motifs.
    least_effect
        An effect below is none.
    min_activity, max_activity
        As in :class:`MultiomeSettings`.
    within_type_sd
        Standard deviation of a motif's activity over the cells of a type.
    passive_likeness
        Correlation of a passive motif's activity with that of the linking one it follows.
    promoter_response, tf_response, peak_sd
        As in :class:`MultiomeSettings`.
    gene_sd, elsewhere_sd
        Standard deviation of ln expression by what no peak tells of: in all types alike, and
        in each type by itself.
    cell_types, n_cells, n_batches, open_per_cell, rna_per_cell, depth_sd
        As in :class:`MultiomeSettings`.
    batch_depth_sd, dispersion, background_gc, peak_gc, peak_gc_sd
        As in :class:`MultiomeSettings`.
    """

    n_peaks: int = 5000
    n_genes: int = 1500
    n_chromosomes: int = 6
    min_spacing: int = 3000
    max_spacing: int = 9000
    site_range: int = 250
    linking: Sequence[str] = ("ELK1", "NRF1", "CEBPB", "IRF8", "FOS::JUN")
    silencing: Sequence[str] = ("REST",)
    passive: Sequence[str] = ("HNF1A", "RFX2", "USF2", "SP3", "E2F4")
    insulating: str = "GFI1"
    jaspar_release: str = "JASPAR2024"
    min_occurrence: float = 0.08
    max_occurrence: float = 0.14
    min_site_strength: float = 0.9
    insulated: float = 0.25
    decay: float = 15000.0
    min_effect: float = 0.8
    max_effect: float = 1.2
    least_effect: float = 0.2
    min_activity: float = 0.0
    max_activity: float = 1.8
    within_type_sd: float = 0.4
    passive_likeness: float = 0.8
    promoter_response: float = 0.5
    tf_response: float = 1.0
    peak_sd: float = 0.5
    gene_sd: float = 0.5
    elsewhere_sd: float = 0.2
    cell_types: Mapping[str, float] = field(
        default_factory=lambda: {"A": 0.25, "B": 0.2, "C": 0.18, "D": 0.15, "E": 0.12, "F": 0.1}
    )
    n_cells: int = 1000
    n_batches: int = 2
    open_per_cell: float = 1500.0
    rna_per_cell: float = 8000.0
    depth_sd: float = 0.35
    batch_depth_sd: float = 0.3
    dispersion: float = 0.2
    background_gc: float = 0.4
    peak_gc: float = 0.5
    peak_gc_sd: float = 0.04


@dataclass(frozen=True)
class PopulationSettings:
    """The section ``simulation.populations``, and the window of ``populations``.

    Parameters
    ----------
    upstream, downstream
        The window before and from the TSS.
    reach
        Near sites stand within so many bases of the TSS, far ones before these.
    n_genes, n_chromosomes
        How many.
    near, far
        JASPAR CORE vertebrates profiles that act in all cells alike.
    specific
        Profiles that act in one class only, dealt to the classes in turn; they stand far.
    jaspar_release, min_occurrence, max_occurrence, min_site_strength
        As in :class:`PromoterSettings`.
    activity, specific_activity
        Effect of a site on the natural logarithm of expression; in its class alone.
    type_sd
        Standard deviation of a specific effect over the cell types of its class, as a share of it.
    half_life_sd, gene_sd
        Standard deviation of the natural logarithm of expression by half-life, and by what
        nothing tells of.
    unannotated
        Share of the genes whose 3' UTR the annotation does not know.
    classes
        Classes, their cell types, and the shares of the cells.
    n_cells, n_batches, depth, depth_sd, dispersion, batch_depth_sd, batch_gene_sd
        As in :class:`PromoterSettings`.
    background_gc, promoter_gc, promoter_gc_sd
        As in :class:`PromoterSettings`.
    """

    upstream: int = 1000
    downstream: int = 500
    reach: int = 500
    n_genes: int = 3000
    n_chromosomes: int = 8
    near: Sequence[str] = ("ELK1", "NRF1")
    far: Sequence[str] = ("HNF1A",)
    specific: Sequence[str] = ("CEBPB", "RFX2", "IRF8")
    jaspar_release: str = "JASPAR2024"
    min_occurrence: float = 0.25
    max_occurrence: float = 0.35
    min_site_strength: float = 0.9
    activity: float = 1.0
    specific_activity: float = 2.0
    type_sd: float = 0.15
    half_life_sd: float = 0.7
    gene_sd: float = 0.3
    unannotated: float = 0.1
    classes: Mapping[str, Mapping[str, float]] = field(
        default_factory=lambda: {name: dict(types) for name, types in CLASSES.items()}
    )
    n_cells: int = 1200
    n_batches: int = 2
    depth: float = 6000.0
    depth_sd: float = 0.35
    dispersion: float = 0.2
    batch_depth_sd: float = 0.3
    batch_gene_sd: float = 0.1
    background_gc: float = 0.45
    promoter_gc: float = 0.5
    promoter_gc_sd: float = 0.03
