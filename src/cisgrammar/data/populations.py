"""populations.h5ad: populations x genes, with long windows and what goes with half-life."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from cisgrammar.cells.populations import (
    ALL,
    ALL_CELLS,
    BULK,
    count_populations,
    log_targets,
    mean_expression,
)
from cisgrammar.counts.labels import UNLABELLED, label_column
from cisgrammar.data.gene_features import (
    GenomeFiles,
    coding_genes,
    describe_features,
    gene_features,
    read_structures,
)
from cisgrammar.data.gene_tables import by_gene, read_numbers
from cisgrammar.genome.fasta import chrom_sizes, match_chromosomes
from cisgrammar.genome.gene_match import genes_of_counts
from cisgrammar.genome.regions import promoters, sequence_codes
from cisgrammar.genome.tss import keep_biotypes, read_tss

logger = logging.getLogger(__name__)

BULK_KEY = "populations.bulk.path"

Steps = list[tuple[str, int]]


def label_levels(
    obs: pd.DataFrame, levels: Sequence[str], source: str | Path = "counts"
) -> dict[str, np.ndarray]:
    """Read the labels of cells, level by level.

    Parameters
    ----------
    obs
        One row per cell.
    levels
        Columns; ``all_cells`` puts all cells into one population.
    source
        The counts, for messages.

    Returns
    -------
    Level to labels, text ``(cells,)``; cells without one are ``unlabelled``.

    Raises
    ------
    InputError
        If a column is not there.
    """
    found = {}
    for level in levels:
        if level == ALL_CELLS:
            found[level] = np.full(len(obs), ALL, dtype=object)
            continue
        labels = label_column(source, obs, level, "populations.levels", UNLABELLED)
        found[level] = np.asarray(labels, dtype=object)
    return found


def place_genes(
    genes: Sequence[str],
    files: GenomeFiles,
    *,
    upstream: int,
    downstream: int,
    drop_chromosomes: Sequence[str] = (),
) -> tuple[pd.DataFrame, list[str], Steps]:
    """Find the genes of the counts in the annotation, and put a window around their TSS.

    Parameters
    ----------
    genes
        Names in the counts.
    files
        The annotation and the FASTA.
    upstream, downstream
        Bases before the TSS, and from it on.
    drop_chromosomes
        Genes on these are dropped; names are matched by rule, as those of the annotation are.

    Returns
    -------
    windows
        Indexed by the name in the counts, in their order: gene_name, chrom, start, end, strand,
        TSS (0-based), annotation_id.
    annotated
        Names of all genes of the counts that are in the annotation.
    steps
        What came in, was dropped and remains.

    Raises
    ------
    InputError
        If no gene matches, or none has a window.
    """
    tss = read_tss(files.annotation, gene_id=files["gene_id"], tss_rule=files["tss_rule"])
    sizes = chrom_sizes(files.fasta, files.work)
    style = files["chromosomes"]
    mapping = match_chromosomes(tss["chrom"], sizes, style)
    placed, steps = genes_of_counts(genes, tss.assign(annotation_id=tss["gene_id"]), mapping)
    annotated = list(placed["gene_id"])
    if files["biotypes"] is not None:
        n, placed = len(placed), keep_biotypes(placed, files["biotypes"], files.annotation)
        steps.append(("dropped: another biotype", n - len(placed)))
    unwanted = match_chromosomes(drop_chromosomes, sizes, "auto").values()
    on_unwanted = placed["chrom"].map(mapping).isin(unwanted)
    if on_unwanted.any():
        steps.append((f"dropped: on {', '.join(unwanted)}", int(on_unwanted.sum())))
    placed = placed[~on_unwanted].reset_index(drop=True)
    windows, counts = promoters(placed, sizes, upstream, downstream, style, "populations")
    steps += list(counts.iloc[1:].itertuples(index=False, name=None))
    its_own = placed.set_index("gene_id")[["tss", "annotation_id"]].rename(columns={"tss": "TSS"})
    columns = ["gene_name", "chrom", "start", "end", "strand"]
    return windows.set_index("name")[columns].join(its_own), annotated, steps


def describe_genes(
    genes: pd.DataFrame, files: GenomeFiles, settings: Mapping[str, Any], steps: Steps
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Drop genes without a CDS, where that is asked for, and give the features of the others.

    Parameters
    ----------
    genes
        As from :func:`place_genes`.
    files, settings
        As for :func:`build_populations`.
    steps
        Gets what is dropped.

    Returns
    -------
    genes, features
        The genes that remain, and what :func:`cisgrammar.data.gene_features.gene_features` gives.

    Raises
    ------
    InputError
        If no gene has a CDS, or as :func:`cisgrammar.data.gene_features.gene_features`.
    """
    half_life, transcripts = settings["half_life"], {}
    if half_life["features"]:
        transcripts = read_structures(files)
        if half_life["coding_only"]:
            coding = coding_genes(genes, transcripts, files)
            steps.append(("dropped: no CDS", int((~coding).sum())))
            genes = genes[coding]
    features = gene_features(
        genes,
        files,
        transcripts,
        chosen=half_life["features"],
        lengths=half_life["lengths"],
        table=settings["table"],
    )
    return genes, features


def read_bulk(
    path: str | Path, samples: Mapping[str, Sequence[str]] | None, genes: pd.DataFrame,
    min_overlap: float,
) -> pd.DataFrame:  # fmt: skip
    """Read bulk expression, and average its samples.

    Parameters
    ----------
    path
        Genes x samples, such as TPM, TSV or CSV.
    samples
        Label of a population to its columns; None: all columns are of one, ``bulk``.
    genes
        Index id, column ``gene_name``.
    min_overlap
        As for :func:`cisgrammar.data.gene_tables.by_gene`.

    Returns
    -------
    Genes x populations; NaN for genes that the matrix lacks.

    Raises
    ------
    InputError
        If it is not such a matrix, or names other genes.
    """
    wanted = None if samples is None else [name for names in samples.values() for name in names]
    numbers = read_numbers(path, BULK_KEY, wanted, least=0.0)
    groups = {BULK: list(numbers)} if samples is None else samples
    means = pd.DataFrame(
        {label: numbers[list(names)].mean(axis=1, skipna=False) for label, names in groups.items()}
    )
    return by_gene(means, genes, path, BULK_KEY, min_overlap)


def build_populations(
    counts: AnnData,
    files: GenomeFiles,
    *,
    settings: Mapping[str, Any],
    source: str | Path = "counts",
) -> tuple[AnnData, dict[str, pd.DataFrame]]:
    """Join mean expression of populations, windows of genes, and features.

    Parameters
    ----------
    counts
        Cells x genes, raw counts (CSR).
    files
        Annotation and genome.
    settings
        The section ``populations`` of the config.
    source
        The counts, for messages.

    Returns
    -------
    data
        Populations x genes, log10 of mean expression; see docs/architecture.md.
    tables
        ``steps`` (step, genes); ``dropped`` (populations that are too small); ``features``
        (feature, known, missing); ``missing`` (gene, feature), one row for each NaN.

    Raises
    ------
    InputError
        With what does not fit.
    """
    labels = label_levels(counts.obs, settings["levels"], source)
    populations, dropped = count_populations(labels, settings["min_cells"], UNLABELLED)
    window = {key: settings[key] for key in ("upstream", "downstream", "drop_chromosomes")}
    genes, annotated, steps = place_genes(counts.var_names, files, **window)
    genes, features = describe_genes(genes, files, settings, steps)
    counted = counts.X[:, counts.var_names.get_indexer(annotated)]
    means = mean_expression(counted, labels, populations, settings["scale"])
    means = means[:, pd.Index(annotated).get_indexer(genes.index)]
    if settings["bulk"] is not None:
        bulk = read_bulk(**settings["bulk"], genes=genes, min_overlap=files["min_overlap"])
        there = bulk.notna().all(axis=1).to_numpy()
        steps.append(("dropped: not in the bulk matrix", int((~there).sum())))
        genes, features, means = genes[there], features[there], means[:, there]
        means = np.vstack([means, bulk[there].to_numpy().T])
        rows = pd.DataFrame({"level": BULK, "label": list(bulk), "n_cells": 0, "parent": ""})
        populations = pd.concat([populations, rows.set_index(rows["level"] + "/" + rows["label"])])
    zeros = {key: settings[key] for key in ("zeros", "floor", "pseudocount")}
    targets = log_targets(means, list(populations.index), **zeros)
    data = AnnData(targets, obs=populations.rename_axis(None), var=genes.rename_axis(None))
    data.varm["codes"], known = sequence_codes(genes, files.fasta, files.work)
    data.varm["features"] = features.to_numpy(dtype=np.float32)
    data.uns["features"] = np.array(list(features), dtype=object)
    data.layers["expressed"] = (means > 0).astype(np.uint8)
    steps += [("windows with N, which are kept", int((~known).sum())), ("genes", data.n_vars)]
    for step, n in steps:
        logger.info("%s: %d", step, n)
    return data, {
        "steps": pd.DataFrame(steps, columns=["step", "genes"]),
        "dropped": dropped,
        **describe_features(features),
    }
