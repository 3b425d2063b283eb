"""What is known of genes beside their sequence: half-life features, and the user's own."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
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
    GC_CONTENTS,
    LENGTHS,
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
    transcripts: Mapping[str, Transcript],
    *,
    chosen: Sequence[str] = LENGTHS,
    lengths: str = "spliced",
    table: Mapping[str, Any] | None = None,
) -> pd.DataFrame:
    """Measure what goes with half-life, and add the user's own features.

    Parameters
    ----------
    genes
        As from :func:`place_genes`.
    files
        The annotation, and that of the CDS.
    transcripts
        As from :func:`read_structures`.
    chosen
        Of ``LENGTHS`` and ``GC_CONTENTS``; none takes the user's table alone.
    lengths
        As for :func:`cisgrammar.genome.half_life.measure`.
    table
        ``path``, ``columns`` (None: all with numbers) and ``log``; None: there is none.

    Returns
    -------
    Genes x features: log10(x + 0.1), GC contents and columns that are not to be logged as they
    are; NaN where nothing is known.

    Raises
    ------
    InputError
        If a feature is known of no gene, or the user's table does not fit.
    """
    parts = [pd.DataFrame(index=genes.index)]
    if chosen:
        gc_of = (files.fasta, files.work) if set(chosen) & set(GC_CONTENTS) else None
        raw = half_life_features(
            transcripts,
            list(genes["annotation_id"]),
            lengths=lengths,
            gc_of=gc_of,
            chromosomes=files["chromosomes"],
        ).set_axis(genes.index)[list(chosen)]
        _check_known(raw, files)
        logged = [column for column in raw if column in LENGTHS]
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


def _check_known(raw: pd.DataFrame, files: GenomeFiles) -> None:
    """Refuse features that are known of no gene."""
    unknown = [feature for feature in raw if raw[feature].isna().all()]
    if unknown and len(raw):
        raise InputError(
            f"{files.annotation}: {', '.join(unknown)} is known of none of {len(raw):,} genes. "
            "Exons probably end where the CDS does, as in Ensembl's annotation of yeast, so that "
            "there are no UTRs; or the CDS are of other genes. Name an annotation with UTRs in "
            f"`genome.gtf` (and, if its CDS are elsewhere, those in `{CDS_KEY}`), or take these "
            "out of `populations.half_life.features`."
        )


def read_structures(files: GenomeFiles) -> dict[str, Transcript]:
    """Read one transcript per gene, with the CDS of the second annotation where there is one.

    Raises
    ------
    InputError
        If there is no transcript, or no gene has a CDS.
    """
    how = {"gene_id": files["gene_id"], "tss_rule": files["tss_rule"]}
    transcripts = read_transcripts(files.annotation, **how)
    if files.cds is not None:
        how["tss_rule"] = "longest_cds"
        coding = read_transcripts(files.cds, **how, key=CDS_KEY)
        if not set(coding) & set(transcripts):
            raise InputError(
                f"{files.cds}: none of its {len(coding):,} genes ({examples(coding)}) is a gene of "
                f"{files.annotation} ({examples(transcripts)}). The two name genes differently: "
                f"`{CDS_KEY}` needs the gene ids of `genome.gtf`, in the attribute that "
                "`genome.gene_id` names."
            )
        transcripts = add_cds(transcripts, coding)
    n_coding = sum(bool(transcript.cds) for transcript in transcripts.values())
    source = files.cds or files.annotation
    if not n_coding:
        raise InputError(
            f"{source}: none of {len(transcripts):,} genes has a CDS, so that UTRs and coding "
            f"lengths are not known. Name a GTF or GFF3 with CDS rows in `{CDS_KEY}` (its gene ids "
            "must be those of `genome.gtf`), or go without these features: "
            "`populations.half_life.features: []`."
        )
    logger.info("%s: %d of %d genes have a CDS", source, n_coding, len(transcripts))
    return transcripts


def coding_genes(
    genes: pd.DataFrame, transcripts: Mapping[str, Transcript], files: GenomeFiles
) -> np.ndarray:
    """Find the genes that have a CDS, bool ``(genes,)``.

    Raises
    ------
    InputError
        If none has.
    """
    ids = genes["annotation_id"]
    coding = np.array([gene in transcripts and bool(transcripts[gene].cds) for gene in ids], bool)
    if not coding.any():
        others = [gene for gene, transcript in transcripts.items() if transcript.cds]
        raise InputError(
            f"{files.cds or files.annotation}: none of the {len(ids):,} genes of the counts "
            f"({examples(ids)}) has a CDS, though others have ({examples(others)}). The files name "
            f"genes differently: `{CDS_KEY}` needs the gene ids of `genome.gtf`; or set "
            "`populations.half_life.coding_only: false`."
        )
    return coding


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
