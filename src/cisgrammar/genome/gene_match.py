"""Which gene of the annotation a gene of the counts is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cisgrammar.common.errors import InputError
from cisgrammar.common.inputs import examples
from cisgrammar.genome.gff import KEY


@dataclass(frozen=True)
class GeneMatch:
    """Which gene of the annotation each count belongs to.

    Attributes
    ----------
    rows
        Row of the TSS table for each gene of the counts, -1 where there is
        none: ``(genes,)``.
    ways
        How many were matched in each way, e.g. ``{"gene_id": 6000}``.
    """

    rows: np.ndarray
    ways: dict[str, int]

    @property
    def share(self) -> float:
        """Part of the genes of the counts that has a match."""
        return float((self.rows >= 0).mean()) if self.rows.size else 0.0


def match_genes(count_genes: Sequence[str], tss: pd.DataFrame) -> GeneMatch:
    """Find the genes of the counts in the annotation.

    By gene id; those left over by gene id without version (``.5``); those still
    left over by gene name. A name that two genes share matches neither, and a
    gene of the annotation is matched once.

    Parameters
    ----------
    count_genes
        Names in the counts.
    tss
        As from :func:`cisgrammar.genome.tss.read_tss`.

    Returns
    -------
    The match.

    Examples
    --------
    >>> tss = pd.DataFrame({"gene_id": ["ENSG1.5", "ENSG2.1"], "gene_name": ["GATA1", "SPI1"]})
    >>> match_genes(["ENSG1.7", "SPI1", "XIST"], tss).rows.tolist()
    [0, 1, -1]
    """
    counted = pd.Index(count_genes).astype(str)
    rows = np.full(len(counted), -1)
    ways = {}
    for way, column, simplify in (
        ("gene_id", "gene_id", str),
        ("gene_id without version", "gene_id", _without_version),
        ("gene_name", "gene_name", str),
    ):
        left = np.flatnonzero(rows < 0)
        free = np.setdiff1d(np.arange(len(tss)), rows)
        known = pd.Series(free, index=[simplify(x) for x in tss[column].iloc[free]], dtype=int)
        known = known[~known.index.duplicated(keep=False)]
        asked = pd.Series([simplify(x) for x in counted[left]], dtype=object)
        found = asked.where(~asked.duplicated(keep=False)).map(known).fillna(-1).astype(int)
        rows[left] = found
        ways[way] = int((found >= 0).sum())
    return GeneMatch(rows, ways)


def genes_of_counts(
    count_genes: Sequence[str], tss: pd.DataFrame
) -> tuple[pd.DataFrame, list[tuple[str, int]]]:
    """Restrict a TSS table to the genes of the counts, under their names there.

    Parameters
    ----------
    count_genes, tss
        As in :func:`match_genes`.

    Returns
    -------
    The TSS table in the order of the counts, its gene_id replaced by the name in
    the counts, and (step, genes) of what came in, was dropped and remains.

    Raises
    ------
    InputError
        If no gene matches.
    """
    match = match_genes(count_genes, tss)
    there = match.rows >= 0
    if not there.any():
        raise InputError(no_match_message("the counts", count_genes, tss))
    matched = tss.iloc[match.rows[there]].reset_index(drop=True)
    matched["gene_id"] = np.asarray(count_genes, dtype=object)[there]
    steps = [("genes in the counts", len(there))]
    steps += [(f"matched by {way}", n) for way, n in match.ways.items() if n]
    steps.append(("dropped: not in the annotation", int((~there).sum())))
    return matched, steps


def with_gene_names(genes: pd.DataFrame, tss: pd.DataFrame) -> pd.DataFrame:
    """Add names to genes that the counts know by id only, so that TFs can be found among them.

    Parameters
    ----------
    genes
        var of the counts.
    tss
        As in :func:`match_genes`.

    Returns
    -------
    The table with a column ``gene_name``, if it had none: the annotation's name, or the name in
    the counts of a gene that is not in the annotation.
    """
    if "gene_name" in genes:
        return genes
    rows = match_genes(list(genes.index), tss).rows
    names = np.asarray(tss["gene_name"], dtype=object)[rows]
    own = np.asarray(genes.index, dtype=object)
    return genes.assign(gene_name=np.where((rows >= 0) & (names != ""), names, own))


def no_match_message(where: str, count_genes: Sequence[str], tss: pd.DataFrame) -> str:
    """Say why few genes of the counts are in the annotation, with examples."""
    match = match_genes(count_genes, tss)
    missing = [name for name, row in zip(count_genes, match.rows, strict=True) if row < 0]
    upper = {name.upper() for name in [*tss["gene_id"], *tss["gene_name"]]}
    alike = sum(str(name).upper() in upper for name in missing)
    if alike > len(missing) / 2:
        cause = "They differ in upper and lower case only: is the annotation of another species?"
    else:
        cause = (
            "The annotation is probably of another species or source, or the counts name genes "
            "in another way."
        )
    return (
        f"{where}: only {len(count_genes) - len(missing):,} of {len(count_genes):,} genes are in "
        f"the annotation, by id or by name. Some that are not: {examples(missing)} (the annotation "
        f"has ids {examples(tss['gene_id'])} and names {examples(tss['gene_name'])}). {cause} Name "
        f"the GTF that the counts were made with in `{KEY}`, or another column of gene names in "
        "`counts.gene_column`."
    )


def _without_version(name: str) -> str:
    return re.sub(r"\.\d+$", "", name)
