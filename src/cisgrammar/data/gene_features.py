"""What is known of genes beside their sequence: half-life features, and the user's own."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cisgrammar.common.errors import InputError
from cisgrammar.common.inputs import examples
from cisgrammar.data.gene_tables import by_gene, read_numbers
from cisgrammar.genome.half_life import (
    CDS_KEY,
    Transcript,
    add_cds,
    half_life_features,
    read_transcripts,
)

logger = logging.getLogger(__name__)

TABLE_KEY = "populations.table.path"
OFFSET = 0.1  # features are log10(x + this)


@dataclass(frozen=True)
class GenomeFiles:
    """Where genes and sequence are.

    Parameters
    ----------
    fasta, work
        As in :func:`cisgrammar.genome.fasta.open_fasta`.
    annotation
        GTF or GFF3.
    cds
        GTF or GFF3 of the CDS, where the annotation has none; else None.
    how
        Keys of the section ``genome``: gene_id, biotypes, tss_rule, chromosomes, min_overlap.
    """

    fasta: str | Path
    work: str | Path
    annotation: str | Path
    cds: str | Path | None = None
    how: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, key: str) -> Any:
        return self.how[key]


def gene_features(
    genes: pd.DataFrame,
    files: GenomeFiles,
    *,
    measures: str | None = "spliced",
    gc: bool = False,
    table: Mapping[str, Any] | None = None,
) -> pd.DataFrame:
    """Measure what goes with half-life, and add the user's own features.

    Parameters
    ----------
    genes
        As from :func:`place_genes`.
    files
        The annotation, and that of the CDS.
    measures
        As for :func:`cisgrammar.genome.half_life.measure`; None takes the user's table alone.
    gc
        Whether to add GC contents.
    table
        ``path``, ``columns`` (None: all with numbers) and ``log``; None: there is none.

    Returns
    -------
    Genes x features: log10(x + 0.1), GC contents and columns that are not to be logged as they
    are; NaN where nothing is known.

    Raises
    ------
    InputError
        If no gene has a CDS, or the user's table does not fit.
    """
    parts = [pd.DataFrame(index=genes.index)]
    if measures is not None:
        transcripts = read_structures(files)
        gc_of = (files.fasta, files.work) if gc else None
        raw = half_life_features(
            transcripts,
            list(genes["annotation_id"]),
            measures=measures,
            gc_of=gc_of,
            chromosomes=files["chromosomes"],
        ).set_axis(genes.index)
        logged = [column for column in raw if not column.endswith("_gc")]
        parts.append(raw.assign(**{column: np.log10(raw[column] + OFFSET) for column in logged}))
    if table is not None:
        least = 0.0 if table["log"] else None
        numbers = read_numbers(table["path"], TABLE_KEY, table["columns"], least)
        own = by_gene(numbers, genes, table["path"], TABLE_KEY, files["min_overlap"])
        parts.append(np.log10(own + OFFSET) if table["log"] else own)
    features = pd.concat(parts, axis=1)
    again = features.columns[features.columns.duplicated()]
    if len(again):
        raise InputError(
            f"populations: features share a name ({examples(again)}): the column of the table of "
            f"`{TABLE_KEY}` is called as one that is measured on the annotation. Rename it there, "
            "or choose others in `populations.table.columns`."
        )
    return features


def read_structures(files: GenomeFiles) -> dict[str, Transcript]:
    """Read one transcript per gene, with the CDS of the second annotation where there is one.

    Raises
    ------
    InputError
        If there is no transcript, or no gene has a CDS.
    """
    how = {"gene_id": files["gene_id"], "tss_rule": files["tss_rule"]}
    transcripts = read_transcripts(files.annotation, **how)
    source = files.annotation
    if files.cds is not None:
        source = files.cds
        how["tss_rule"] = "longest_cds"
        transcripts = add_cds(transcripts, read_transcripts(files.cds, **how, key=CDS_KEY))
    n_coding = sum(bool(transcript.cds) for transcript in transcripts.values())
    if not n_coding:
        raise InputError(
            f"{source}: none of {len(transcripts):,} genes has a CDS, so that UTRs and coding "
            f"lengths are not known. Name a GTF or GFF3 with CDS rows in `{CDS_KEY}` (its gene ids "
            "must be those of `genome.gtf`), or go without these features: "
            "`populations.half_life.measures: null`."
        )
    logger.info("%s: %d of %d genes have a CDS", source, n_coding, len(transcripts))
    return transcripts


def describe_features(features: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Count the genes of which features are known, and list the others.

    Parameters
    ----------
    features
        As from :func:`gene_features`.

    Returns
    -------
    ``features`` (feature, known, missing) and ``missing`` (gene, feature), a row for each NaN.
    """
    known = features.notna().astype(bool)
    rows, columns = np.nonzero(~known.to_numpy(dtype=bool))
    names = np.array(list(features), dtype=object)
    counted = {"feature": names, "known": known.sum(), "missing": (~known).sum()}
    return {
        "features": pd.DataFrame(counted).reset_index(drop=True),
        "missing": pd.DataFrame({"gene": features.index[rows], "feature": names[columns]}),
    }
