"""What the checks go by: the user's files, and the keys of the config, each read once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cisgrammar.checks.asked_models import attributed_models
from cisgrammar.models.registry import MODELS, POOLS, models_with

File = str | Path

# Sections of the config, beside counts, genome and those of models, that Settings.of_config reads:
# the target `check` looks anew where one of them has changed.
DECIDING = (
    *("attributions", "cell_type_order", "cells", "database", "folds", "links", "models"),
    *("neurons", "peaks", "pools", "populations", "regions", "variants"),
)


@dataclass(frozen=True)
class InputFiles:
    """The user's files; what is not given is None.

    Parameters
    ----------
    counts
        One file, or several.
    fasta, work
        As in :func:`cisgrammar.genome.fasta.open_fasta`.
    annotation
        GTF or GFF3 of genes.
    regions
        BED of the genes' windows, instead of the annotation.
    cell_table
        Of what is known of cells.
    peak_counts, peak_bed
        As in :func:`cisgrammar.counts.multiome.read_cells`.
    blacklist
        BED of regions that are not to be trusted.
    """

    counts: File | Sequence[File]
    fasta: File
    work: File
    annotation: File | None = None
    regions: File | None = None
    cell_table: File | None = None
    peak_counts: File | Sequence[File] | None = None
    peak_bed: File | None = None
    blacklist: File | None = None

    @property
    def of_counts(self) -> list[File]:
        """Files of counts."""
        return listed(self.counts)

    @property
    def of_peaks(self) -> list[File]:
        """Files of the peaks of cells with RNA: those of counts, where no others are given."""
        return listed(self.peak_counts or self.counts)

    @property
    def named_counts(self) -> str:
        """Files of counts, for messages."""
        return ", ".join(map(str, self.of_counts))


@dataclass(frozen=True)
class CountSettings:
    """How counts are read: as :func:`cisgrammar.counts.read_files` has it."""

    batches: Sequence[str] | None = None
    join: str = "inner"
    matrix: str = "X"
    cell_type: str | None = None
    batch: str | None = None
    accept_non_integer: bool = False
    gene_column: str | None = None
    modality: str | None = None
    ignore_in_barcodes: str | None = None
    cell_column: str | None = None
    columns_in_barcodes: Mapping[str, str] = field(default_factory=dict)

    @property
    def targets(self) -> str:
        """What is counted."""
        return "peaks" if self.modality == "atac" else "genes"

    @property
    def batch_column(self) -> str | None:
        """Column of batches: where several files are given, each is one if no column is named."""
        return self.batch if self.batch is not None or self.batches is None else "batch"


@dataclass(frozen=True)
class CellSettings:
    """Which cells are taken, and how they are put together.

    Parameters
    ----------
    keep, drop
        As in :func:`cisgrammar.cells.embedding.fitting_cells`.
    clusters
        Whether clusters stand for cell types.
    neighbors_within_batch
        Neighbours that are taken from each batch.
    umap_cells
        Cells that the map is made of at most; None: all.
    """

    keep: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    drop: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    clusters: bool = False
    neighbors_within_batch: int = 3
    umap_cells: int | None = None


@dataclass(frozen=True)
class PoolSettings:
    """Size and number of pools."""

    cells_per_pool: int = 100
    n_pools: int = 1000


@dataclass(frozen=True)
class GenomeSettings:
    """How genes and chromosomes are read.

    Parameters
    ----------
    gene_id, biotypes, tss_rule
        As in :func:`cisgrammar.genome.tss.read_tss`.
    chromosomes
        ``auto``, ``as_is`` or a file of aliases: see
        :func:`cisgrammar.genome.fasta.match_chromosomes`.
    min_overlap
        Least share of the counts' genes in the annotation, and of the
        annotation's genes on chromosomes of the FASTA.
    """

    gene_id: str = "gene_id"
    biotypes: Sequence[str] | None = None
    tss_rule: str = "gene"
    chromosomes: str = "auto"
    min_overlap: float = 0.5


@dataclass(frozen=True)
class WindowSettings:
    """The window around each TSS, in bases."""

    upstream: int = 500
    downstream: int = 500


@dataclass(frozen=True)
class PeakSettings:
    """How peaks that are the targets are read.

    Parameters
    ----------
    matrix, length
        Where counts are; of a window, in bases.
    distal
        ``upstream`` and ``downstream``, or None.
    """

    matrix: str
    length: int
    distal: Mapping[str, int] | None


@dataclass(frozen=True)
class CellModelSettings:
    """What is learned of the peaks of each cell.

    Parameters
    ----------
    name
        Of the model.
    correct_batches
        Whether the model has weights of batches.
    start
        What the weights of cells start from; None where the model has no such key.
    batch_size
        The smallest that the search may take.
    trained
        Share of the peaks that a model is trained on.
    motifs
        To put into peaks; none for all.
    mutated
        BED of regions, or None.
    """

    name: str
    correct_batches: bool
    start: str | None
    batch_size: int
    trained: float
    motifs: Sequence[str]
    mutated: File | None

    @classmethod
    def of_config(cls, config: Mapping[str, Any], name: str) -> CellModelSettings:
        """Read those of one model off a complete config."""
        section, folds = config[name], config["folds"]
        tested = 0 if folds["test_chromosomes"] else 1 / folds["n_folds"]
        return cls(
            name=name,
            correct_batches=section["training"]["correct_batches"],
            start=section["training"].get("start"),
            batch_size=min(section["search"]["batch_size"]),
            trained=(1 - folds["validation"]) * (1 - tested),
            motifs=section["tf_activity"]["motifs"],
            mutated=section["mutagenesis"]["bed"],
        )


@dataclass(frozen=True)
class DatabaseSettings:
    """Known motifs: as for :func:`cisgrammar.motifs.databases.load_database`."""

    source: str
    tf_names: File | None = None


@dataclass(frozen=True)
class Settings:
    """All that the checks go by but the files.

    Parameters
    ----------
    pools
        None where no model learns pools.
    peaks
        None where genes are the targets.
    populations
        The section, as it is; None where populations are not asked for. Where no model learns
        pools, windows and folds are those of populations.
    folds
        As for :func:`cisgrammar.data.folds.split_folds`, but for the seed; None is not checked.
    cell_models
        Of the models that learn the peaks of each cell.
    database
        None is not checked.
    neurons
        The section, as it is; None where neurons are not read.
    links
        The section, as it is; None where links are not asked for.
    variants
        Their file; None where there is none.
    haplotypes
        Whether variants of one haplotype are asked about together.
    attributions
        The section, as it is, with the models that are asked; None where bases are not asked for.
    cell_type_order
        Names of cell types.
    """

    counts: CountSettings = CountSettings()
    cells: CellSettings = CellSettings()
    pools: PoolSettings | None = PoolSettings()
    genome: GenomeSettings = GenomeSettings()
    windows: WindowSettings = WindowSettings()
    peaks: PeakSettings | None = None
    populations: Mapping[str, Any] | None = None
    folds: Mapping[str, Any] | None = None
    cell_models: Sequence[CellModelSettings] = ()
    database: DatabaseSettings | None = None
    neurons: Mapping[str, Any] | None = None
    links: dict[str, Any] | None = None
    variants: File | None = None
    haplotypes: bool = False
    attributions: Mapping[str, Any] | None = None
    cell_type_order: Sequence[str] = ()

    @classmethod
    def of_config(cls, config: Mapping[str, Any]) -> Settings:
        """Read them off a complete config.

        Parameters
        ----------
        config
            Its sections ``counts`` and ``genome`` without the files, the former with ``batches``:
            names of the files, or None.
        """
        models, cells, peaks = config["models"], config["cells"], config["peaks"]
        pools, regions, database = config["pools"], config["regions"], config["database"]
        no_pools = all(MODELS[name].data is not POOLS for name in models)
        populations, folds = config["populations"], config["folds"]
        if populations is not None and no_pools:
            regions, folds = populations, folds | {"by": populations["folds_by"]}
        return cls(
            counts=CountSettings(**config["counts"]),
            cells=CellSettings(
                cells["keep"],
                cells["drop"],
                cells["clusters"] is not None,
                cells["neighbors_within_batch"],
                cells["umap_cells"],
            ),
            pools=None if no_pools else PoolSettings(pools["cells_per_pool"], pools["n_pools"]),
            genome=GenomeSettings(**config["genome"]),
            windows=WindowSettings(regions["upstream"], regions["downstream"]),
            peaks=peaks and PeakSettings(peaks["matrix"], peaks["length"], peaks["distal"]),
            populations=populations,
            folds=folds,
            cell_models=[
                CellModelSettings.of_config(config, name)
                for name in models_with("embeds_cells", models)
            ],
            database=DatabaseSettings(database["source"], database["tf_names"]),
            neurons=config["neurons"],
            links=config["links"],
            variants=(config["variants"] or {}).get("vcf"),
            haplotypes=(config["variants"] or {}).get("haplotypes", False),
            attributions=config["attributions"]
            and config["attributions"] | {"models": attributed_models(config)},
            cell_type_order=config["cell_type_order"],
        )


def listed(files: File | Sequence[File]) -> list[File]:
    """Make a list of one file or several."""
    return [files] if isinstance(files, (str, Path)) else list(files)
