"""Which gene of the annotation a gene of the counts is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cisgrammar.common.errors import InputError
from cisgrammar.common.inputs import examples
from cisgrammar.genome.gff import KEY

ABSENT = "not in the annotation"
SHARED = "name of several genes of the annotation"
NO_VERSION = "number after the dot differs, and is not known to be a version"
TAKEN = "another name in the counts is the same gene"

# Ensembl's, Havana's and the mouse strains' ids have versions, and GENCODE's a mark for PAR on Y.
_STABLE_ID = re.compile(r"((?:ENS[A-Z]*GR?|OTT[A-Z]*G|MGP_\w+_G)\d+)\.\d+(_PAR_Y)?")


# What programs do to names: what it looks like, what to do, and how to undo it.
CHANGED_NAMES: tuple[tuple[str, str, Callable[[str], str]], ...] = (
    (
        "The genome's name stands before each gene, as Cell Ranger writes it for a mix of species "
        "(barnyard)",
        "Keep the genes of one species and take the prefix off their names.",
        lambda name: re.sub(r"^(GRCh|GRCm|hg|mm|mRatBN|Sscrofa)[\w.]*?_+(?=[A-Za-z])", "", name),
    ),
    (
        "Each `_` became `-`, as Seurat does it",
        "Write the counts with the names that they had before.",
        lambda name: name.replace("-", "_"),
    ),
)


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
    reasons
        Why a gene has no match, empty where it has one: ``(genes,)``.
    """

    rows: np.ndarray
    ways: dict[str, int]
    reasons: np.ndarray

    @property
    def share(self) -> float:
        """Part of the genes of the counts that has a match."""
        return float((self.rows >= 0).mean()) if self.rows.size else 0.0

    def without(self, count_genes: Sequence[str]) -> dict[str, list[str]]:
        """Give the genes of the counts that have no match, by reason."""
        names = np.asarray(count_genes, dtype=object)
        kinds = (ABSENT, SHARED, NO_VERSION, TAKEN)
        found = {why: names[self.reasons == why].tolist() for why in kinds}
        return {why: genes for why, genes in found.items() if genes}


def match_genes(
    count_genes: Sequence[str], tss: pd.DataFrame, chromosomes: Iterable[str] | None = None
) -> GeneMatch:
    """Find the genes of the counts in the annotation.

    By gene id; those left over by gene id without version (``.5``); those still
    left over by gene name. A name that two genes share, or an id that stands at two places, is
    that of the one on the genome, where others are on haplotypes or patches that the FASTA lacks;
    else of the one that GENCODE does not mark as the copy on Y (``_PAR_Y``); else of the one on X,
    if the other is on Y; else it matches neither. A gene of the annotation is matched once.

    Parameters
    ----------
    count_genes
        Names in the counts.
    tss
        As from :func:`cisgrammar.genome.tss.read_tss`.
    chromosomes
        Those that the FASTA has, as the annotation calls them; None: not known.

    Returns
    -------
    The match.

    Notes
    -----
    A number after a dot is a version in ids of Ensembl, GENCODE and Havana; in others, such as
    the worm's ``Y74C9A.3`` or ``AL627309.5``, it may tell genes apart. It is taken for a version
    there only if all ids of both sides have one and none differs by it alone from its like.

    Examples
    --------
    >>> tss = pd.DataFrame({"gene_id": ["ENSG1.5", "ENSG2.1"], "gene_name": ["GATA1", "SPI1"]})
    >>> match_genes(["ENSG1.7", "SPI1", "XIST"], tss).rows.tolist()
    [0, 1, -1]
    """
    counted = pd.Index(count_genes).astype(str)
    versions = _are_versions(counted) and _are_versions(tss["gene_id"])
    rows = np.full(len(counted), -1)
    n_genes = np.full(len(counted), len(tss) + 1)  # of the annotation that may be meant
    ways = {}
    for way, column, simplify in (
        ("gene_id", "gene_id", str),
        ("gene_id without version", "gene_id", _without_number if versions else _without_version),
        ("gene_name", "gene_name", str),
    ):
        keys = pd.Index([simplify(name) for name in tss[column]], dtype=object)
        asked = pd.Series([simplify(name) for name in counted], dtype=object)
        several = asked.map(keys.value_counts()).fillna(len(tss) + 1).to_numpy()
        n_genes = np.minimum(n_genes, several)
        known = _rows_of(keys, _likely(keys, tss, chromosomes))
        known = known[~known.isin(rows)]
        left = np.flatnonzero(rows < 0)
        found = asked[left].where(~asked[left].duplicated(keep=False)).map(known)
        rows[left] = found.fillna(-1).astype(int)
        ways[way] = int(found.notna().sum())
    return GeneMatch(rows, ways, _reasons(counted, tss, rows, n_genes))


def _likely(
    keys: pd.Index, tss: pd.DataFrame, chromosomes: Iterable[str] | None
) -> list[np.ndarray]:
    """Give ever fewer rows that a shared key may mean: all, on the genome, no copies on Y."""
    every = np.ones(len(tss), bool)
    there = every if chromosomes is None else tss["chrom"].isin(list(chromosomes)).to_numpy()
    copies = tss["gene_id"].str.endswith("_PAR_Y").to_numpy(dtype=bool)
    likely = [every, there, there & ~copies]
    if "chrom" in tss:
        bare = tss["chrom"].str.upper().str.removeprefix("CHR")
        elsewhere = there & ~bare.isin(["X", "Y"]).to_numpy()
        likely.append(there & (bare == "X").to_numpy() & ~keys.isin(keys[elsewhere]))
    return likely


def _rows_of(keys: pd.Index, likely: Sequence[np.ndarray]) -> pd.Series:
    """Map each key to its one row, by the first choice of rows where it has one only."""
    rows = pd.Series(np.arange(len(keys)), keys)
    known = rows[:0]
    for chosen in likely:
        single = rows[chosen & ~rows.index.isin(known.index)]
        known = pd.concat([known, single[~single.index.duplicated(keep=False)]])
    return known


def _reasons(
    counted: pd.Index, tss: pd.DataFrame, rows: np.ndarray, n_genes: np.ndarray
) -> np.ndarray:
    """Say why genes have no match, by the number of genes that each may mean."""
    stems = {_without_number(name) for name in tss["gene_id"]}
    alike = np.array([_without_number(name) in stems for name in counted], dtype=bool)
    known = n_genes <= len(tss)
    return np.select(
        [rows >= 0, known & (n_genes == 1), known, alike],
        ["", TAKEN, SHARED, NO_VERSION],
        default=ABSENT,
    ).astype(object)


def _are_versions(ids: Iterable[str]) -> bool:
    """Tell whether all ids end in a number after a dot, and none differs by it alone."""
    ids = set(ids)
    stems = {_without_number(name) for name in ids}
    return len(stems) == len(ids) and all(_without_number(name) != name for name in ids)


def _without_number(name: str) -> str:
    return re.sub(r"(?<=.)\.\d+$", "", name)


def _without_version(name: str) -> str:
    """Take the version off an id that is known to have one; ``_PAR_Y`` stays."""
    found = _STABLE_ID.fullmatch(name)
    return found[1] + (found[2] or "") if found else name


def genes_of_counts(
    count_genes: Sequence[str], tss: pd.DataFrame, chromosomes: Iterable[str] | None = None
) -> tuple[pd.DataFrame, list[tuple[str, int]]]:
    """Restrict a TSS table to the genes of the counts, under their names there.

    Parameters
    ----------
    count_genes, tss, chromosomes
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
    match = match_genes(count_genes, tss, chromosomes)
    there = match.rows >= 0
    if not there.any():
        raise InputError(no_match_message("the counts", count_genes, tss, chromosomes))
    matched = tss.iloc[match.rows[there]].reset_index(drop=True)
    matched["gene_id"] = np.asarray(count_genes, dtype=object)[there]
    steps = [("genes in the counts", len(there))]
    steps += [(f"matched by {way}", n) for way, n in match.ways.items() if n]
    without = {ABSENT: [], **match.without(count_genes)}
    steps += [(f"dropped: {why}", len(genes)) for why, genes in without.items()]
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
    tss = tss.drop_duplicates(["gene_id", "gene_name"])
    rows = match_genes(list(genes.index), tss).rows
    names = np.asarray(tss["gene_name"], dtype=object)[rows]
    own = np.asarray(genes.index, dtype=object)
    return genes.assign(gene_name=np.where((rows >= 0) & (names != ""), names, own))


def no_match_message(
    where: str,
    count_genes: Sequence[str],
    tss: pd.DataFrame,
    chromosomes: Iterable[str] | None = None,
) -> str:
    """Say why few genes of the counts are in the annotation, with examples."""
    match = match_genes(count_genes, tss, chromosomes)
    without = match.without(count_genes)
    absent = without.pop(ABSENT, [])
    found = f"only {int((match.rows >= 0).sum()):,} of {len(count_genes):,}"
    there = (
        f"the annotation has ids {examples(tss['gene_id'])} and names {examples(tss['gene_name'])}"
    )
    if absent:
        found += " genes are in the annotation, by id or by name. Some that are not: "
        found += f"{examples(absent)} ({there}). {_cause(absent, tss)}"
    else:
        found += f" genes have a gene of their own in the annotation ({there})."
    others = "".join(
        f" {len(genes):,}: {why} ({examples(genes)})." for why, genes in without.items()
    )
    return (
        f"{where}: {found}{others} Name the GTF that the counts were made with in `{KEY}`, or "
        "another column of gene names in `counts.gene_column`."
    )


def _cause(absent: Sequence[str], tss: pd.DataFrame) -> str:
    """Say why genes are probably absent."""
    upper = {name.upper() for name in [*tss["gene_id"], *tss["gene_name"]]}
    if sum(str(name).upper() in upper for name in absent) > len(absent) / 2:
        return "They differ in upper and lower case only: is the annotation of another species?"
    for cause, remedy, change in CHANGED_NAMES:
        if sum(change(str(name)).upper() in upper for name in absent) > len(absent) / 2:
            return f"{cause}. {remedy}"
    return (
        "The annotation is probably of another species or source, or the counts name genes in "
        "another way."
    )
