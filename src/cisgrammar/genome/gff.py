"""GTF and GFF3: rows to genes and their transcripts."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

import pandas as pd

from cisgrammar.common.errors import InputError
from cisgrammar.common.inputs import examples, nearest, open_text

KEY = "genome.gtf"

_GENES = {"gene", "ncRNA_gene", "protein_coding_gene", "pseudogene"}
_TRANSCRIPTS = {
    "transcript", "mRNA", "ncRNA", "lnc_RNA", "lncRNA", "miRNA", "rRNA", "tRNA", "snRNA",
    "snoRNA", "primary_transcript", "pseudogenic_transcript", "unconfirmed_transcript",
}  # fmt: skip
_UTRS = {
    "UTR", "five_prime_utr", "three_prime_utr", "five_prime_UTR", "three_prime_UTR", "5UTR", "3UTR",
}  # fmt: skip
_PARTS = {"exon", "CDS", "stop_codon", *_UTRS}
_KINDS = {
    "gene": _GENES,
    "transcript": _TRANSCRIPTS,
    "exon": {"exon"},
    "CDS": {"CDS"},
    "stop_codon": {"stop_codon"},
    "UTR": _UTRS,
}
_PART_OF = {"stop_codon": "CDS", **dict.fromkeys(_UTRS, "UTR")}
GENES_ONLY = ("gene", "transcript", "exon", "CDS")
WITH_STRUCTURE = tuple(_KINDS)

_COORDINATE = re.compile(r"[0-9]{1,12}")
_GFF3 = re.compile(r'\s*[^\s="]+=')
_GTF_KEY = re.compile(r'[\s;="]*+([^\s;="]++)\s*+')
_GTF_VALUE = re.compile(r'"((?:[^"\\]|\\.)*+)"|([^\s;"]++)')
_ESCAPED = re.compile(r"\\(.)")
_IDS = {"gene_id", "transcript_id", "ID"}

_GENE_COLUMNS = ["key", "chrom", "start", "end", "strand", "gene_id", "gene_name", "biotype"]
_TRANSCRIPT_COLUMNS = ["key", "gene", "chrom", "start", "end", "strand", "tags", "biotype", "name"]

Stretch = tuple[int, int]  # start (0-based) and end (open) on the chromosome
Parts = dict[str, list[Stretch]]


class _Row(NamedTuple):
    """One line of the file; start is 0-based, end open."""

    line: int
    feature: str
    chrom: str
    start: int
    end: int
    strand: str
    attributes: dict[str, str]


@dataclass
class Annotation:
    """What a GTF or GFF3 file says about genes.

    Attributes
    ----------
    genes
        One row per gene row of the file, in its order: key (the file's own
        handle), chrom, start (0-based), end, strand, gene_id, gene_name, biotype.
    transcripts
        key, gene (a gene's key), chrom, start, end, strand, tags (separated by
        commas), biotype, name (of the gene), coding_length (bases of CDS).
        Transcripts without a row of their own are spanned by their exons and CDS.
    features
        How many rows of each kind the file has.
    parts
        For each row of ``transcripts``, if the structure was read: its ``exon``, ``CDS`` (with
        the stop codon, where that has a row) and ``UTR`` stretches, in the file's order.
    """

    genes: pd.DataFrame
    transcripts: pd.DataFrame
    features: Counter[str]
    parts: list[Parts]

    @property
    def has_transcript_rows(self) -> bool:
        """Whether transcripts have rows of their own."""
        return any(feature in _TRANSCRIPTS for feature in self.features)


def read_annotation(
    path: str | Path,
    gene_id: str = "gene_id",
    kinds: Collection[str] = GENES_ONLY,
) -> Annotation:
    """Read genes and transcripts.

    Parameters
    ----------
    path
        GTF or GFF3, plain, gzip or bgzip.
    gene_id
        The attribute that names genes. A GFF3 gene without it is named by its
        ``ID``, less a prefix ``gene:`` or ``gene-``.
    kinds
        Which rows to read: the fewer, the faster. ``WITH_STRUCTURE`` reads all.

    Raises
    ------
    InputError
        If the file is missing or damaged, a line has not nine columns or no
        sensible coordinates, or a gene has no name.
    """
    genes: list[tuple] = []
    transcripts: dict[tuple, list] = {}
    coding: Counter[tuple] = Counter()
    parts: defaultdict[tuple, Parts] = defaultdict(lambda: {"exon": [], "CDS": [], "UTR": []})
    features: Counter[str] = Counter()
    structure = set(kinds) >= set(WITH_STRUCTURE)
    for row in _rows(path, features, set().union(*(_KINDS[kind] for kind in kinds))):
        if row.feature in _GENES:
            genes.append(_gene(path, row, gene_id))
            continue
        for key, gene in _transcript_keys(path, row, gene_id):
            at = (key, row.chrom, row.strand)
            if row.feature == "CDS":
                coding[at] += row.end - row.start
            if structure and row.feature in _PARTS:
                parts[at][_PART_OF.get(row.feature, row.feature)].append((row.start, row.end))
            if row.feature not in _PARTS or at not in transcripts:
                transcripts[at] = _transcript(row, key, gene)
            elif row.feature in _PARTS and transcripts[at][-1]:
                transcripts[at][3] = min(transcripts[at][3], row.start)
                transcripts[at][4] = max(transcripts[at][4], row.end)
    frame = pd.DataFrame([t[:-1] for t in transcripts.values()], columns=_TRANSCRIPT_COLUMNS)
    frame["coding_length"] = [coding[at] for at in transcripts]
    of_each = [parts[at] for at in transcripts]
    return Annotation(pd.DataFrame(genes, columns=_GENE_COLUMNS), frame, features, of_each)


def _rows(path: str | Path, features: Counter[str], wanted: set[str]) -> Iterator[_Row]:
    with open_text(path, KEY) as stream:
        for number, line in enumerate(stream, start=1):
            if line.startswith("##FASTA"):
                return
            if line.startswith("#") or not line.strip():
                continue
            columns = line.rstrip("\r\n").split("\t")
            if len(columns) != 9:
                raise InputError(
                    f"{path}: line {number} has {len(columns)} tab-separated columns, not the 9 "
                    f"of a GTF or GFF3 file: {line.strip()[:60]!r}. Name a GTF in `{KEY}`; if it "
                    "is one, the file is damaged there or its tabs became spaces."
                )
            features[columns[2]] += 1
            if columns[2] in wanted:
                yield _row(path, number, columns)


def _row(path: str | Path, number: int, columns: list[str]) -> _Row:
    chrom, _, feature, first, last, _, strand, _, attributes = columns
    numbers = _COORDINATE.fullmatch(first) and _COORDINATE.fullmatch(last)
    if not numbers or not 1 <= int(first) <= int(last):
        raise InputError(
            f"{path}: line {number} gives start {first[:20]!r} and end {last[:20]!r}. Both must be "
            "whole numbers, the start at least 1 and not after the end. The file is damaged "
            "there, or is not a GTF or GFF3 file."
        )
    return _Row(
        number,
        feature,
        chrom,
        int(first) - 1,
        int(last),
        strand,
        _attributes(path, number, attributes),
    )


def _attributes(path: str | Path, number: int, text: str) -> dict[str, str]:
    """Split the ninth column; of a key that comes several times the first value counts.

    Only ``tag`` may have several, joined by commas.
    """
    is_gff3 = _GFF3.match(text)
    pairs = _gff3_pairs(text) if is_gff3 else _gtf_pairs(path, number, text)
    found: dict[str, str] = {}
    for key, value in pairs:
        if key not in found:
            found[key] = value
        elif key == "tag":
            found[key] += f",{value}"
        elif key in _IDS and value != found[key]:
            raise InputError(
                f"{path}: line {number} has two values of `{key}`: {found[key][:40]} and "
                f"{value[:40]}. A row is of one: the file is damaged there, or two lines ran "
                "together."
            )
    return found


def _gff3_pairs(text: str) -> Iterator[tuple[str, str]]:
    for part in text.split(";"):
        key, equals, value = part.strip().partition("=")
        if equals:
            yield key, unquote(value)


def _gtf_pairs(path: str | Path, number: int, text: str) -> Iterator[tuple[str, str]]:
    """Read ``key "value";`` and ``key value;`` from left to right, each letter once."""
    place = 0
    while key := _GTF_KEY.match(text, place):
        value = _GTF_VALUE.match(text, key.end())
        if value is None:
            if text.startswith('"', key.end()):
                raise InputError(
                    f"{path}: line {number} has an attribute `{key[1][:40]}` whose quote is never "
                    "closed. The file is damaged there: fetch it again."
                )
            place = key.end()
            continue
        quoted, bare = value.groups()
        yield key[1], bare if quoted is None else _ESCAPED.sub(r"\1", quoted)
        place = value.end()


def _gene(path: str | Path, row: _Row, gene_id: str) -> tuple:
    has = row.attributes
    name = has.get(gene_id) or re.sub(r"^gene[:-]", "", has.get("ID", ""))
    if not name:
        raise InputError(_unnamed(path, row, gene_id))
    return (has.get("ID", name), *row[2:6], name, _name(has) or name, _biotype(has))


def _transcript_keys(path: str | Path, row: _Row, gene_id: str) -> list[tuple[str, str]]:
    """Name the transcripts that a row belongs to, and their gene."""
    has = row.attributes
    if "ID" in has or "Parent" in has:  # GFF3
        parents = has.get("Parent", "").split(",")
        if row.feature in _PARTS:
            return [(parent, parent) for parent in parents]
        return [(has.get("ID", parents[0]), parents[0])]
    if not has.get(gene_id):
        raise InputError(_unnamed(path, row, gene_id))
    return [(has.get("transcript_id") or has[gene_id], has[gene_id])]


def _transcript(row: _Row, key: str, gene: str) -> list:
    has = row.attributes
    made_of_parts = row.feature in _PARTS
    return [
        key, gene, row.chrom, row.start, row.end, row.strand,
        has.get("tag", ""), _biotype(has), _name(has), made_of_parts,
    ]  # fmt: skip


def _name(attributes: dict[str, str]) -> str:
    for key in ("gene_name", "gene", "Name"):  # Ensembl, GENCODE, UCSC; RefSeq, SGD; other GFF3
        if attributes.get(key):
            return attributes[key]
    return ""


def _biotype(attributes: dict[str, str]) -> str:
    for key in ("gene_biotype", "gene_type", "biotype", "ebi_biotype"):
        if attributes.get(key):
            return attributes[key]
    return ""


def _unnamed(path: str | Path, row: _Row, gene_id: str) -> str:
    return (
        f"{path}: line {row.line}, a {row.feature} row, has no attribute `{gene_id}` (it has "
        f"{examples(row.attributes, 6)}). Set `genome.gene_id` to the one that names genes."
        f"{nearest(gene_id, row.attributes)}"
    )
