"""Genes and their transcription start sites."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from cisgrammar.common.errors import InputError
from cisgrammar.common.inputs import nearest
from cisgrammar.genome.gff import KEY, Annotation, read_annotation

logger = logging.getLogger(__name__)

TSS_RULES = ("gene", "canonical", "longest_cds", "most_5_prime")
NEED_CDS = ("canonical", "longest_cds")
CANONICAL_TAGS = (  # best first
    "Ensembl_canonical", "MANE_Select", "MANE Select", "appris_principal_1", "appris_principal",
)  # fmt: skip
TSS_COLUMNS = ["gene_id", "gene_name", "chrom", "tss", "strand", "transcript", "biotype"]


def read_tss(
    path: str | Path,
    *,
    gene_id: str = "gene_id",
    biotypes: Iterable[str] | None = None,
    tss_rule: str = "gene",
) -> pd.DataFrame:
    """Read one transcription start site per gene.

    Parameters
    ----------
    path
        GTF or GFF3, plain, gzip or bgzip.
    gene_id
        The attribute that names genes.
    biotypes
        Keep genes of these biotypes; None keeps all.
    tss_rule
        Which start counts as the gene's:

        ``gene``
            the 5' end of the gene row (scover);
        ``canonical``
            the 5' end of the transcript tagged canonical (Ensembl canonical,
            MANE Select, APPRIS principal, the first of them that a gene has),
            else of the one with the longest CDS, else of the most 5' one;
        ``longest_cds``
            that of the transcript with the longest CDS, else of the most 5' one;
        ``most_5_prime``
            the most 5' start of any transcript.

        A gene without transcripts takes the 5' end of its gene row. The last
        three do without gene rows. Ties go to the first id of the alphabet.

    Returns
    -------
    gene_id, gene_name, chrom, tss (0-based), strand, transcript (empty when the
    gene row decided) and biotype, in the order of the file; an id that stands at
    several places (haplotypes, X and Y) has a row for each. Its ``attrs["steps"]``
    lists (step, genes): what came in and what was dropped.

    Raises
    ------
    InputError
        If the file cannot be read, has no genes, or none of a biotype.
    """
    if tss_rule not in TSS_RULES:
        raise InputError(
            f"{tss_rule!r} is not a rule for the TSS: use one of {', '.join(TSS_RULES)} in "
            f"`genome.tss_rule`.{nearest(tss_rule, TSS_RULES)}"
        )
    kinds = ["gene"] + ["transcript"] * (tss_rule != "gene") + ["CDS"] * (tss_rule in NEED_CDS)
    annotation = read_annotation(path, gene_id, kinds)
    if tss_rule != "gene" and not annotation.has_transcript_rows:
        annotation = read_annotation(path, gene_id)
    genes = _gene_rows(path, annotation, tss_rule)
    steps = [("genes in the annotation", len(genes))]
    genes = _drop(genes, ~genes["strand"].isin(["+", "-"]), "no strand", steps)
    tss = _starts(genes, annotation.transcripts, tss_rule)
    again = tss.duplicated(["gene_id", "chrom", "tss", "strand"])
    tss = _drop(tss, again, "the gene came before at this place", steps).reset_index(drop=True)
    tss.attrs["steps"] = steps
    logger.info("%s: %s", path, "; ".join(f"{step}: {n}" for step, n in steps))
    return tss if biotypes is None else keep_biotypes(tss, biotypes, path)


def keep_biotypes(tss: pd.DataFrame, biotypes: Iterable[str], path: str | Path) -> pd.DataFrame:
    """Keep genes of some biotypes.

    Parameters
    ----------
    tss
        As from :func:`read_tss`.
    biotypes
        Such as ``protein_coding``.
    path
        The annotation, for messages.

    Returns
    -------
    The rows kept; ``attrs["steps"]`` goes on.

    Raises
    ------
    InputError
        If no gene has one of the biotypes.
    """
    biotypes = list(biotypes)
    there = Counter(tss["biotype"])
    unknown = [biotype for biotype in biotypes if biotype not in there]
    if unknown:
        found = ", ".join(f"{name or 'no biotype'} ({n})" for name, n in there.most_common(8))
        raise InputError(
            f"{path}: no gene has the biotype {', '.join(unknown)}. The biotypes are: {found}. "
            "Correct `genome.biotypes`, or leave it out to keep all genes."
            f"{nearest(unknown[0], there)}"
        )
    steps = list(tss.attrs.get("steps", []))
    kept = _drop(tss, ~tss["biotype"].isin(biotypes), "another biotype", steps)
    kept = kept.reset_index(drop=True)
    kept.attrs["steps"] = steps
    return kept


def chosen_transcripts(path: str | Path, annotation: Annotation, tss_rule: str) -> pd.DataFrame:
    """Choose the transcript of each gene, as :func:`read_tss` does.

    Parameters
    ----------
    path
        The file, for messages.
    annotation
        What it says.
    tss_rule
        As for :func:`read_tss`; ``gene`` names no transcript, so that ``canonical`` chooses it.

    Returns
    -------
    One row a gene that has a transcript, indexed by gene id: those of ``annotation.transcripts``,
    and ``row``, the row there.
    """
    rule = "canonical" if tss_rule == "gene" else tss_rule
    genes = _gene_rows(path, annotation, rule).drop_duplicates("gene_id")
    where = genes.rename(columns={"key": "gene"})[["gene", "chrom", "strand", "gene_id"]]
    numbered = annotation.transcripts.assign(row=range(len(annotation.transcripts)))
    chosen = _choose(numbered, rule).merge(where, on=["gene", "chrom", "strand"])
    return chosen.set_index("gene_id")


def _gene_rows(path: str | Path, annotation: Annotation, tss_rule: str) -> pd.DataFrame:
    """Take the gene rows, or make them of the transcripts where the rule allows it."""
    if not annotation.genes.empty:
        return annotation.genes
    found = ", ".join(f"{n} {kind}" for kind, n in annotation.features.most_common(5))
    if not found:
        raise InputError(
            f"{path}: there is not one row in the annotation, only comments. The file is probably "
            f"cut short: fetch it again, or name another GTF in `{KEY}`."
        )
    if tss_rule == "gene":
        raise InputError(
            f"{path}: there are no gene rows in the annotation; its rows are: {found}. UCSC's "
            "and StringTie's files are like that. Set `genome.tss_rule: most_5_prime` to use the "
            f"starts of transcripts, or name a GTF of Ensembl or GENCODE in `{KEY}`."
        )
    if annotation.transcripts.empty:
        raise InputError(
            f"{path}: there are no genes, transcripts or exons in the annotation; its rows are: "
            f"{found}. Name a GTF or GFF3 of genes in `{KEY}`."
        )
    first = annotation.transcripts.drop_duplicates(["gene", "chrom", "strand"]).copy()
    first["key"] = first["gene_id"] = first["gene"]
    first["gene_name"] = first["name"].where(first["name"] != "", first["gene"])
    return first[annotation.genes.columns]


def _drop(genes: pd.DataFrame, bad: pd.Series, why: str, steps: list) -> pd.DataFrame:
    if bad.any():
        steps.append((f"dropped: {why}", int(bad.sum())))
    return genes[~bad]


def _starts(genes: pd.DataFrame, transcripts: pd.DataFrame, tss_rule: str) -> pd.DataFrame:
    forward = genes["strand"] == "+"
    tss = genes.assign(
        tss=np.where(forward, genes["start"], genes["end"] - 1), transcript=""
    ).reset_index(drop=True)
    if tss_rule != "gene" and len(transcripts):
        # A transcript on another chromosome than its gene (a copy, a PAR) says nothing about it.
        chosen = _choose(transcripts, tss_rule)
        forward = chosen["strand"] == "+"
        chosen["five_prime"] = np.where(forward, chosen["start"], chosen["end"] - 1)
        its_own = chosen.rename(columns={"key": "its_transcript", "gene": "key"})
        columns = ["key", "chrom", "strand", "its_transcript", "five_prime"]
        tss = tss.merge(its_own[columns], on=columns[:3], how="left")
        tss["tss"] = tss["five_prime"].fillna(tss["tss"]).astype(np.int64)
        tss["transcript"] = tss["its_transcript"].fillna("")
    return tss[TSS_COLUMNS]


def _choose(transcripts: pd.DataFrame, tss_rule: str) -> pd.DataFrame:
    """Choose a transcript for each gene on each strand of each chromosome."""
    forward = transcripts["strand"] == "+"
    order = {"five_prime": transcripts["start"].where(forward, -transcripts["end"])}
    if tss_rule in NEED_CDS:
        order = {"cds": -transcripts["coding_length"], **order}
    if tss_rule == "canonical":
        order = {"rank": transcripts["tags"].map(_canonical_rank), **order}
    ordered = transcripts.assign(**order).sort_values([*order, "key"])
    return ordered.drop_duplicates(["gene", "chrom", "strand"])


def _canonical_rank(tags: str) -> int:
    its_tags = tags.split(",")
    ranks = [i for i, tag in enumerate(CANONICAL_TAGS) if tag in its_tags]
    return min(ranks, default=len(CANONICAL_TAGS))
