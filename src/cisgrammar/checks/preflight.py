"""The checks before anything runs: do the user's files exist, make sense, and fit each other."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from cisgrammar.cells.embedding import fitting_cells
from cisgrammar.common.errors import InputError, Problems
from cisgrammar.common.inputs import examples
from cisgrammar.counts import gene_names, give_names, load
from cisgrammar.counts.cell_table import add_cell_table, add_columns_of_names
from cisgrammar.counts.labels import ONE_BATCH, UNLABELLED, label_column
from cisgrammar.counts.multiome import shared_cells
from cisgrammar.counts.raw import RawCounts
from cisgrammar.counts.text import NAMELESS
from cisgrammar.counts.values import check_values
from cisgrammar.data.accessibility import batch_numbers, check_batch
from cisgrammar.data.folds import TEST, TRAIN, VALIDATION, split_folds
from cisgrammar.genome.fasta import chrom_sizes, match_chromosomes
from cisgrammar.genome.peaks import define_peaks, place
from cisgrammar.genome.regions import (
    given_regions,
    promoters,
    read_bed,
    require_bedtools,
    sequence_codes,
)
from cisgrammar.genome.tss import (
    genes_of_counts,
    keep_biotypes,
    match_genes,
    no_match_message,
    read_tss,
)
from cisgrammar.motifs.databases import choose_motifs, load_database

log = logging.getLogger(__name__)

T = TypeVar("T")


class _Checks:
    """Rows of the table, and the problems met on the way."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, str, str, str]] = []
        self.problems = Problems()

    def add(self, check: str, found: str, note: str = "", warning: bool = False) -> None:
        self.rows.append((check, found, "warning" if warning else "ok", note))

    def attempt(self, work: Callable[..., T], *args: object, **kwargs: object) -> T | None:
        """Do it; a problem is noted, and the result is None."""
        try:
            return work(*args, **kwargs)
        except InputError as error:
            self.problems.add(str(error))
            return None


def preflight(
    *,
    counts: str | Path | Sequence[str | Path],
    fasta: str | Path,
    work: str | Path,
    annotation: str | Path | None = None,
    regions: str | Path | None = None,
    peaks: Mapping[str, Any] | None = None,
    peak_files: str | Path | Sequence[str | Path] | None = None,
    peak_bed: str | Path | None = None,
    blacklist: str | Path | None = None,
    batches: Sequence[str] | None = None,
    join: str = "inner",
    keep: Mapping[str, Sequence[Any]] | None = None,
    drop: Mapping[str, Sequence[Any]] | None = None,
    matrix: str = "X",
    cell_type: str | None = None,
    batch: str | None = None,
    accept_non_integer: bool = False,
    gene_column: str | None = None,
    modality: str | None = None,
    cell_table: str | Path | None = None,
    ignore_in_barcodes: str | None = None,
    cell_column: str | None = None,
    columns_in_barcodes: Mapping[str, str] | None = None,
    gene_id: str = "gene_id",
    biotypes: Sequence[str] | None = None,
    tss_rule: str = "gene",
    chromosomes: str = "auto",
    min_overlap: float = 0.5,
    upstream: int = 500,
    downstream: int = 500,
    cells_per_pool: int = 100,
    n_pools: int | None = 1000,
    folds: Mapping[str, Any] | None = None,
    scbasset: Mapping[str, Any] | None = None,
    database: Mapping[str, Any] | None = None,
) -> pd.DataFrame:
    """Check that the user's files are sound and fit each other.

    Parameters
    ----------
    counts, batches, join
        As in :func:`cisgrammar.counts.read_files`. Of large HDF5 files only a
        sample of the values is looked at.
    matrix, cell_type, batch, accept_non_integer, gene_column, modality, cell_table
    ignore_in_barcodes, cell_column, columns_in_barcodes
        As in :func:`cisgrammar.counts.read_counts`.
    keep, drop
        As in :func:`cisgrammar.cells.embedding.fitting_cells`.
    regions
        BED of the genes' windows, instead of the annotation.
    peaks, peak_files, peak_bed
        Where peaks are the targets: ``matrix``, ``length`` and ``distal`` (``upstream`` and
        ``downstream``, or None), and as in :func:`cisgrammar.counts.multiome.read_cells`.
    blacklist
        BED of regions that are not to be trusted.
    fasta, work
        As in :func:`cisgrammar.genome.fasta.open_fasta`.
    annotation, gene_id, biotypes, tss_rule
        As in :func:`cisgrammar.genome.tss.read_tss`.
    chromosomes
        ``auto``, ``as_is`` or a file of aliases: see
        :func:`cisgrammar.genome.fasta.match_chromosomes`.
    min_overlap
        Least share of the counts' genes in the annotation, and of the
        annotation's genes on chromosomes of the FASTA.
    upstream, downstream
        The window around each TSS, in bases.
    cells_per_pool, n_pools
        Size and number of pools; None where no family learns pools.
    folds
        As for :func:`cisgrammar.data.folds.split_folds`, but for the seed; None is not checked.
    scbasset
        ``correct_batches``, ``batch_size`` (the smallest), ``trained`` (share of the peaks),
        ``motifs`` (to put into peaks), ``mutated`` (BED of regions, or None) and ``clusters``
        (whether clusters stand for cell types), where each cell's peaks are learned.
    database
        Known motifs, as for :func:`cisgrammar.motifs.databases.load_database`; None is not checked.

    Returns
    -------
    check, found, status (``ok`` or ``warning``) and note.

    Raises
    ------
    InputError
        With all problems that were found, not only the first.
    """
    checks = _Checks()
    files = _listed(counts)
    where = ", ".join(map(str, files))
    parts, tables = _check_files(
        checks,
        files,
        batches,
        reading=(gene_column, matrix, modality, accept_non_integer),
        table=(cell_table, ignore_in_barcodes, cell_column),
        columns=columns_in_barcodes or {},
        batch=batch,
    )
    genes = None
    if len(parts) == len(files):
        n_cells = sum(len(cells) for _, cells in parts)
        if len(tables) == len(files):
            column = batch if batch is not None or batches is None else "batch"
            labels = (pd.concat(tables), cell_type, column, keep or {}, drop or {})
            in_pool = 0 if n_pools is None else cells_per_pool
            corrected = scbasset is not None and scbasset["correct_batches"]
            n_cells = _check_labels(checks, where, *labels, in_pool, corrected)
        if n_pools is not None:
            _check_pools(checks, where, n_cells, cells_per_pool, n_pools)
        genes = _joined([names for names, _ in parts], join)
    sizes = checks.attempt(chrom_sizes, fasta, work)
    if sizes is not None:
        found = f"{len(sizes)} sequences, {sum(sizes.values()):,} bases"
        checks.add("genome", found, f"for example {examples(sizes)}")
    tss = None
    if annotation:
        tss = checks.attempt(read_tss, annotation, gene_id=gene_id, tss_rule=tss_rule)
    if annotation and tss is not None:
        _check_annotation(checks, tss)
        if sizes is not None:
            _check_chromosomes(checks, annotation, fasta, tss, sizes, chromosomes, min_overlap)
        if genes is not None and peaks is None and not regions:
            _check_genes(checks, where, genes, tss, min_overlap)
        if biotypes is not None:
            tss = checks.attempt(keep_biotypes, tss, biotypes, annotation)
    if peaks is not None and modality != "atac" and len(parts) == len(files):
        files = _listed(peak_files or files)
        where = ", ".join(map(str, files))
        check_peaks = partial(
            _check_peak_counts,
            checks,
            matrix=peaks["matrix"],
            accept_non_integer=accept_non_integer,
            ignore_in_barcodes=ignore_in_barcodes,
            bed=peak_bed,
        )
        found_peaks = [
            check_peaks(path, cells) for path, (_, cells) in zip(files, parts, strict=True)
        ]
        genes = _joined(found_peaks, join)
    if scbasset is not None and genes is not None:
        n_trained = int(scbasset["trained"] * len(genes.unique()))
        checks.attempt(check_batch, n_trained, scbasset["batch_size"])
    if scbasset is not None and cell_type is None and not scbasset["clusters"]:
        note = (
            "regions to mutate, peaks to denoise and the heat map of TF activity are chosen and "
            "drawn by cell type: set `cells.clusters: 1.0`, or name labels in `counts.cell_type`"
        )
        checks.add("labels", "no cell types", note, warning=True)
    if scbasset is not None and scbasset["mutated"] is not None:
        checks.attempt(read_bed, scbasset["mutated"], "scbasset.mutagenesis.bed")
    if database is not None:
        _check_motifs(checks, database, [] if scbasset is None else scbasset["motifs"])
    checks.attempt(require_bedtools)
    if not checks.problems.messages:
        assert genes is not None and sizes is not None  # else there were problems
        what = "windows"
        if peaks is not None:
            sources = (genes, where, peak_bed, blacklist)
            windows = partial(_peak_windows, *sources, sizes, tss, peaks, chromosomes)
        elif regions:
            windows = partial(given_regions, regions, genes.unique(), sizes, chromosomes)
        else:
            window = (upstream, downstream, chromosomes)
            windows = partial(_promoter_windows, genes, tss, sizes, *window)
            what = "promoters"
        sequences = checks.attempt(_check_windows, checks, windows, fasta, work, what)
        if folds is not None and sequences is not None:
            row = checks.attempt(check_folds, sequences, folds)
            if row is not None:
                checks.add(*row)
    checks.problems.raise_if_any()
    for check, found, status, note in checks.rows:
        level = logging.WARNING if status == "warning" else logging.INFO
        log.log(level, "%s: %s%s", check, found, f" ({note})" if note else "")
    return pd.DataFrame(checks.rows, columns=["check", "found", "status", "note"])


def _listed(files: str | Path | Sequence[str | Path]) -> list[str | Path]:
    return [files] if isinstance(files, (str, Path)) else list(files)


def _check_files(
    checks: _Checks,
    files: list[str | Path],
    batches: Sequence[str] | None,
    reading: tuple[str | None, str, str | None, bool],
    table: tuple[str | Path | None, str | None, str | None],
    columns: Mapping[str, str],
    batch: str | None,
) -> tuple[list[tuple[pd.Index | None, pd.Index]], list[pd.DataFrame]]:
    """Check each file; give names of genes and cells, and tables of cells, of the good ones."""
    gene_column, matrix, modality, accept_non_integer = reading
    what = "peaks" if modality == "atac" else "genes"
    parts, tables = [], []
    for path, name in zip(files, batches or [""], strict=True):
        raw = checks.attempt(load, path, matrix=matrix, modality=modality, sample=True)
        if raw is not None and raw.format == NAMELESS:
            raw = checks.attempt(give_names, path, raw, None)
        if raw is None:
            continue
        names = checks.attempt(gene_names, path, raw.var, gene_column)
        _check_counts(checks, path, raw, names, matrix, accept_non_integer, name, what)
        parts.append((names, raw.obs.index))
        obs: pd.DataFrame | None = raw.obs
        if table[0] is not None:
            obs = checks.attempt(add_cell_table, path, raw.obs, *table)
        if obs is not None:
            obs = checks.attempt(add_columns_of_names, path, obs, columns)
        if obs is not None:
            tables.append(obs if batch is not None or not name else obs.assign(batch=name))
    return parts, tables


def _check_counts(
    checks: _Checks,
    path: str | Path,
    raw: RawCounts,
    genes: pd.Index | None,
    matrix: str,
    accept_non_integer: bool,
    batch: str = "",
    what: str = "genes",
    key: str = "counts.matrix",
) -> None:
    of_batch = f" of {batch}" if batch else ""
    of_what = "" if what == "genes" else f" of {what}"
    checks.add(
        f"counts{of_what}{of_batch}",
        f"{raw.format}: {len(raw.obs):,} cells x {len(raw.var):,} {what}",
        f"{what}: {examples(raw.var.index)}; cells: {examples(raw.obs.index)}",
    )
    kind = checks.attempt(
        check_values, path, raw.numbers, matrix, raw.integer_matrices, accept_non_integer, key
    )
    if kind is not None:
        odd = kind != "counts"
        note = "no integers, accepted by `counts.accept_non_integer`" if odd else ""
        found = f"{matrix}: {raw.numbers.min():g} to {raw.numbers.max():g}"
        checks.add(f"values{of_what}{of_batch}", found, note, odd)
    for name, index in ((what, genes), ("cells", raw.obs.index)):
        again = 0 if index is None else int(index.duplicated().sum())
        if index is not None and again:
            note = "their counts are added up"
            if name == "cells":
                note = "they get -1, -2, ... to tell them apart"
            found = f"{again} have a name that came before"
            first = examples(index[index.duplicated()].unique())
            checks.add(f"names of {name}{of_batch}", found, f"{first}: {note}", warning=True)


def _joined(names: list[pd.Index | None], join: str) -> pd.Index | None:
    """Give the names that several files have in common, or all."""
    there = [index for index in names if index is not None]
    if len(there) < len(names):
        return None
    first, *others = there
    for index in others:
        first = first.union(index, sort=False) if join == "outer" else first[first.isin(index)]
    return first


def _check_labels(
    checks: _Checks,
    path: str | Path,
    obs: pd.DataFrame,
    cell_type: str | None,
    batch: str | None,
    keep: Mapping[str, Sequence[Any]],
    drop: Mapping[str, Sequence[Any]],
    cells_per_pool: int,
    correct_batches: bool,
) -> int:
    """Report cell types and batches of the cells that are wanted, and give their number."""
    types = checks.attempt(label_column, path, obs, cell_type, "counts.cell_type", UNLABELLED)
    batches = checks.attempt(label_column, path, obs, batch, "counts.batch", ONE_BATCH)
    known = {"cell_type": types, "batch": batches}
    obs = obs.assign(**{name: labels for name, labels in known.items() if labels is not None})
    fits = None
    if types is not None and batches is not None:
        fits = checks.attempt(fitting_cells, obs, keep, drop)
    if types is None or batches is None or fits is None:
        return len(obs)
    if not fits.all():
        found = f"{fits.sum():,} of {len(obs):,} cells are left"
        checks.add("chosen cells", found, "by `cells.keep` and `cells.drop`")
    types, batches = types[fits], batches[fits]
    sizes = pd.Series(types).value_counts(sort=False)
    sizes = sizes[sizes > 0]
    rare = sizes[sizes < cells_per_pool]
    note = ""
    if len(rare):
        note = f"fewer cells than a pool has: {_with_sizes(rare)}; their pools will be mixed"
    checks.add("cell types", f"{len(sizes)}: {_with_sizes(sizes)}", note, bool(len(rare)))
    of_batch = pd.Series(batches).value_counts(sort=False)
    of_batch = of_batch[of_batch > 0]
    note = ""
    if correct_batches:
        checks.attempt(batch_numbers, pd.Series(np.asarray(batches)))
    if len(of_batch) > 1 and len(sizes) > 1:
        table = pd.crosstab(np.asarray(types), np.asarray(batches)) > 0
        if (table.sum(axis=1) == 1).all():
            note = "each cell type is in one batch only, so nothing tells the two apart"
    checks.add("batches", f"{len(of_batch)}: {_with_sizes(of_batch)}", note, bool(note))
    return int(fits.sum())


def _check_peak_counts(
    checks: _Checks,
    path: str | Path,
    cells: pd.Index,
    matrix: str,
    accept_non_integer: bool,
    ignore_in_barcodes: str | None,
    bed: str | Path | None,
) -> pd.Index | None:
    """Check the peaks of cells with RNA, and that they are of the same cells; give their names."""
    raw = checks.attempt(load, path, matrix=matrix, modality="atac", sample=True)
    if raw is not None and raw.format == NAMELESS:
        places = checks.attempt(read_bed, bed, "peaks.bed") if bed is not None else None
        raw = checks.attempt(
            give_names, path, raw, None if places is None else (cells, places["name"])
        )
    if raw is None:
        return None
    names = pd.Index(raw.var.index.astype(str))
    _check_counts(
        checks, path, raw, names, matrix, accept_non_integer, what="peaks", key="peaks.matrix"
    )
    both = checks.attempt(shared_cells, cells, raw.obs.index, ignore_in_barcodes, path)
    if both is not None:
        n = len(both[0])
        found = f"{n:,} of {len(cells):,} with RNA have peaks"
        checks.add("shared cells", found, warning=n < min(len(cells), len(raw.obs)) / 2)
    return names


def _with_sizes(sizes: pd.Series) -> str:
    return examples([f"{label} ({n:,})" for label, n in sizes.items()], 12)


def _check_pools(
    checks: _Checks, path: str | Path, n_cells: int, cells_per_pool: int, n_pools: int
) -> None:
    for key, number in (("cells_per_pool", cells_per_pool), ("n_pools", n_pools)):
        if number > n_cells:
            checks.problems.add(
                f"{path}: `pools.{key}` is {number:,}, but there are only {n_cells:,} cells. "
                "It is probably the default, meant for larger data sets: set it well below the "
                "number of cells."
            )
    each = n_pools * cells_per_pool / n_cells
    found = f"{n_pools:,} pools of {cells_per_pool:,} cells"
    checks.add("pools", found, f"on average a cell is in {each:.1f} pools")


def _check_annotation(checks: _Checks, tss: pd.DataFrame) -> None:
    dropped = "; ".join(f"{step}: {n:,}" for step, n in tss.attrs["steps"][1:])
    biotypes = tss["biotype"].replace("", "no biotype").value_counts()
    note = f"{dropped + '; ' if dropped else ''}biotypes: {_with_sizes(biotypes[:5])}"
    found = f"{len(tss):,} genes on {tss['chrom'].nunique()} chromosomes"
    checks.add("annotation", found, note)


def _check_chromosomes(
    checks: _Checks,
    annotation: str | Path,
    fasta: str | Path,
    tss: pd.DataFrame,
    sizes: dict[str, int],
    chromosomes: str,
    min_overlap: float,
) -> None:
    names = tss["chrom"].drop_duplicates()
    mapping = match_chromosomes(names, sizes, chromosomes)
    on_genome = tss["chrom"].isin(mapping)
    missing = [name for name in names if name not in mapping]
    if on_genome.mean() < min_overlap:
        rule = match_chromosomes(names, sizes, "auto")
        if tss["chrom"].isin(rule).mean() >= min_overlap:
            remedy = "The two name chromosomes differently: set `genome.chromosomes: auto`."
        else:
            remedy = (
                "They are probably of different species or assemblies, or from sources that name "
                "chromosomes in their own way: use files from one source."
            )
        checks.problems.add(
            f"{annotation}: of its {len(names)} chromosomes ({examples(names)}), "
            f"{len(mapping)} are in {fasta} ({examples(sizes)}): {int(on_genome.sum()):,} of "
            f"{len(tss):,} genes. {remedy}"
        )
        return
    renamed = {name: to for name, to in mapping.items() if name != to}
    notes = []
    if renamed:
        shown = examples([f"{name} -> {to}" for name, to in renamed.items()])
        notes.append(f"{len(renamed)} renamed by rule: {shown}")
    if missing:
        notes.append(f"not in the FASTA: {examples(missing)}")
    beyond = tss["tss"] >= tss["chrom"].map(mapping).map(sizes)
    if beyond.any():
        notes.append(f"{beyond.sum()} TSS beyond the end: another assembly?")
    found = f"{len(mapping)} of {len(names)} are in the FASTA, with {on_genome.sum():,} genes"
    checks.add("chromosomes", found, "; ".join(notes), bool(missing or beyond.any()))


def _check_genes(
    checks: _Checks, path: str | Path, genes: pd.Index, tss: pd.DataFrame, min_overlap: float
) -> None:
    genes = genes.unique()
    match = match_genes(genes, tss)
    if match.share < min_overlap:
        checks.problems.add(no_match_message(str(path), genes, tss))
        return
    ways = ", ".join(f"{n:,} by {way}" for way, n in match.ways.items() if n)
    missing = genes[match.rows < 0]
    note = f"not in the annotation: {examples(missing, 5)}" if len(missing) else ""
    found = f"{(match.rows >= 0).sum():,} of {len(genes):,} are in the annotation: {ways}"
    checks.add("genes", found, note, match.share < (1 + min_overlap) / 2)


def _check_motifs(checks: _Checks, database: Mapping[str, Any], wanted: Sequence[str]) -> None:
    """Check what is needed only when models are trained."""
    known = checks.attempt(load_database, **database)
    if known is None:
        return
    checks.add("known motifs", f"{len(known.motifs):,} of {known.source}")
    checks.attempt(choose_motifs, known, wanted)


def _promoter_windows(
    genes: pd.Index, tss: pd.DataFrame, sizes: dict[str, int], *window: Any
) -> tuple[pd.DataFrame, pd.DataFrame]:
    matched, _ = genes_of_counts(genes.unique(), tss)
    return promoters(matched, sizes, *window)


def _peak_windows(
    names: pd.Index,
    where: str,
    bed: str | Path | None,
    blacklist: str | Path | None,
    sizes: dict[str, int],
    tss: pd.DataFrame | None,
    settings: Mapping[str, Any],
    chromosomes: str,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    distal = settings["distal"]
    return define_peaks(
        place(names.unique(), where, bed)[0],
        sizes,
        length=settings["length"],
        tss=None if distal is None else tss,
        **(distal or {}),
        blacklist=None if blacklist is None else read_bed(blacklist, "peaks.blacklist"),
        chromosomes=chromosomes,
    )


def _check_windows(
    checks: _Checks,
    place_windows: Callable[[], tuple[pd.DataFrame, pd.DataFrame]],
    fasta: str | Path,
    work: str | Path,
    what: str,
) -> pd.DataFrame:
    """Report windows, and give those whose sequence is known."""
    windows, counts = place_windows()
    _, known = sequence_codes(windows, fasta, work)
    steps = [f"{step}: {n:,}" for step, n in counts.itertuples(index=False) if n]
    steps.append(f"dropped: N in the sequence: {(~known).sum():,}")
    few = known.sum() < counts.iloc[0, 1] / 2
    checks.add("sequences", f"{known.sum():,} {what}", "; ".join(steps), bool(few))
    if not known.any():
        raise InputError(
            f"{fasta}: all of {len(known)} windows hold N. The FASTA is probably masked "
            "with N: use the unmasked or the soft-masked (lower-case) genome."
        )
    return windows[known]


def check_folds(sequences: pd.DataFrame, folds: Mapping[str, Any]) -> tuple[str, str]:
    """Check that sequences can be split as asked for.

    Parameters
    ----------
    sequences
        One row each, with a column ``chrom``.
    folds
        As for :func:`cisgrammar.data.folds.split_folds`, but for the seed.

    Returns
    -------
    ``folds``, and the parts of the first in words.

    Raises
    ------
    InputError
        As :func:`cisgrammar.data.folds.split_folds`.
    """
    parts = split_folds(sequences, **folds, seed=0)["fold0"].value_counts()
    number = "one fold" if folds["n_folds"] == 1 else f"{folds['n_folds']} folds; the first"
    sizes = f"{parts[TRAIN]:,} train, {parts[VALIDATION]:,} validate, {parts[TEST]:,} test"
    return "folds", f"{number}: of these sequences at most {sizes}"
