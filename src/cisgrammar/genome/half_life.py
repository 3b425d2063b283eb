"""What is known to go with an mRNA's half-life: lengths of its parts, exons, GC contents."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from cisgrammar.common.errors import InputError
from cisgrammar.common.inputs import examples
from cisgrammar.genome.fasta import match_chromosomes, open_fasta
from cisgrammar.genome.gff import KEY, WITH_STRUCTURE, Parts, Stretch, read_annotation
from cisgrammar.genome.tss import chosen_transcripts

logger = logging.getLogger(__name__)

CDS_KEY = "populations.half_life.cds_gtf"
LENGTHS = ("utr5_length", "cds_length", "utr3_length", "intron_length", "exon_density")
GC_CONTENTS = ("utr5_gc", "cds_gc", "utr3_gc")


@dataclass(frozen=True)
class Transcript:
    """Where the parts of a transcript are.

    Parameters
    ----------
    chrom, strand
        ``+`` or ``-``.
    exons, cds
        Stretches (start, end; 0-based, open end) in ascending order, none touching the next.
        The CDS has the stop codon, as far as the annotation says where it is.
    """

    chrom: str
    strand: str
    exons: Sequence[Stretch]
    cds: Sequence[Stretch]


def read_transcripts(
    path: str | Path, *, gene_id: str = "gene_id", tss_rule: str = "canonical", key: str = KEY
) -> dict[str, Transcript]:
    """Read the structure of one transcript per gene.

    Parameters
    ----------
    path
        GTF or GFF3, plain, gzip or bgzip.
    gene_id
        The attribute that names genes.
    tss_rule
        Which transcript: see :func:`cisgrammar.genome.tss.chosen_transcripts`.
    key
        The config's key that names the file, for messages.

    Returns
    -------
    Gene id to transcript. Exons without rows are pieced together from CDS and UTRs; where there
    are no UTRs either, they reach to the ends of the transcript.

    Raises
    ------
    InputError
        If the file cannot be read, or no gene has a transcript.
    """
    annotation = read_annotation(path, gene_id, WITH_STRUCTURE)
    chosen = chosen_transcripts(path, annotation, tss_rule)
    if chosen.empty:
        kinds = ", ".join(f"{n:,} {kind}" for kind, n in annotation.features.most_common(5))
        raise InputError(
            f"{path}: no gene has a transcript, so that nothing is known of UTRs and introns; the "
            f"rows are: {kinds}. Name a GTF or GFF3 with transcripts, exons and CDS in `{key}`, or "
            "go without such features: `populations.half_life.features: []`."
        )
    columns = chosen.sort_values("row")[["row", "chrom", "start", "end", "strand"]]
    return {
        gene: _transcript(annotation.parts[row], chrom, strand, (start, end))
        for gene, row, chrom, start, end, strand in columns.itertuples()
    }


def _transcript(parts: Parts, chrom: str, strand: str, whole: Stretch) -> Transcript:
    cds = merge(parts["CDS"])
    exons = merge([*parts["exon"], *cds] if parts["exon"] else [*cds, *parts["UTR"]])
    if not parts["exon"] and not parts["UTR"]:
        exons = merge([*outside([whole], cds), *cds])
    return Transcript(chrom, strand, exons, cds)


def add_cds(ends: dict[str, Transcript], coding: dict[str, Transcript]) -> dict[str, Transcript]:
    """Join the ends of transcripts, as one annotation has them, with the CDS of another.

    Parameters
    ----------
    ends
        Gene id to transcript: what is before and after the CDS is taken from here.
    coding
        Gene id to transcript: CDS and introns between its parts are taken from here.

    Returns
    -------
    Gene id to transcript, of all genes of ``ends``. A gene without CDS in ``coding``, or with one
    on another chromosome or strand, has none.
    """
    names = match_chromosomes(
        {transcript.chrom for transcript in coding.values()},
        {transcript.chrom for transcript in ends.values()},
    )
    joined, elsewhere = {}, []
    for gene, transcript in ends.items():
        other = coding.get(gene)
        cds: Sequence[Stretch] = () if other is None else other.cds
        if other is not None and cds:
            there = (names.get(other.chrom), other.strand)
            if there != (transcript.chrom, transcript.strand):
                elsewhere.append(gene)
                cds = ()
        exons = transcript.exons
        if other is not None and cds:
            span = (cds[0][0], cds[-1][1])
            exons = merge([*outside(transcript.exons, [span]), *_within(other.exons, span)])
        joined[gene] = Transcript(transcript.chrom, transcript.strand, exons, cds)
    if elsewhere:
        logger.warning(
            "%d genes have their CDS on another chromosome or strand, and go without (%s)",
            len(elsewhere), examples(elsewhere),
        )  # fmt: skip
    return joined


def merge(stretches: Iterable[Stretch]) -> list[Stretch]:
    """Sort stretches, and join those that touch or overlap.

    Examples
    --------
    >>> merge([(20, 30), (0, 10), (10, 12), (5, 8)])
    [(0, 12), (20, 30)]
    """
    joined: list[Stretch] = []
    for start, end in sorted(stretches):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def outside(stretches: Sequence[Stretch], cds: Sequence[Stretch]) -> list[Stretch]:
    """Give what of stretches lies before and after the CDS, from its first base to its last."""
    if not cds:
        return list(stretches)
    first, last = cds[0][0], cds[-1][1]
    return [*_within(stretches, (0, first)), *_within(stretches, (last, np.inf))]


def _within(stretches: Iterable[Stretch], span: tuple[float, float]) -> list[Stretch]:
    """Cut stretches to what lies within a span."""
    cut = [(int(max(start, span[0])), int(min(end, span[1]))) for start, end in stretches]
    return [(start, end) for start, end in cut if start < end]


def untranslated(transcript: Transcript) -> tuple[list[Stretch], list[Stretch]]:
    """Give the stretches of the 5' and of the 3' UTR; none where they are not annotated."""
    if not transcript.cds:
        return [], []
    first, last = transcript.cds[0][0], transcript.cds[-1][1]
    left, right = _within(transcript.exons, (0, first)), _within(transcript.exons, (last, np.inf))
    return (left, right) if transcript.strand == "+" else (right, left)


def measure(transcript: Transcript, lengths: str = "spliced") -> dict[str, float]:
    """Measure the parts of a transcript.

    Parameters
    ----------
    transcript
        Of a gene.
    lengths
        ``spliced``: UTRs without their introns, and exon junctions. ``genomic``: UTRs as they
        stretch along the genome, introns included, with the stop codon in the 3' UTR; and exons
        instead of junctions.

    Returns
    -------
    ``LENGTHS``: bases of 5' UTR, CDS, 3' UTR and introns, and exon junctions per 1,000 bases of
    CDS. NaN where the annotation does not say: a UTR of no bases is one that was not annotated.

    Notes
    -----
    Agarwal & Shendure (2020), Xpresso; Michielsen et al. (2024), Methods, whose code measures
    along the genome and counts exons.
    """
    five, three = untranslated(transcript)
    coding, exons = _bases(transcript.cds), len(transcript.exons)
    stop = 0
    if lengths == "genomic":
        stop = 3 if coding > 3 else 0
        five, three = _span(five, transcript), _span(three, transcript)
    spanned = transcript.exons[-1][1] - transcript.exons[0][0] if exons else np.nan
    joined = exons - (lengths == "spliced")
    return {
        "utr5_length": _bases(five) or np.nan,
        "cds_length": coding - stop if coding else np.nan,
        "utr3_length": _bases(three) + stop if three else np.nan,
        "intron_length": spanned - _bases(transcript.exons),
        "exon_density": 1000 * joined / (coding - stop) if coding else np.nan,
    }


def _bases(stretches: Iterable[Stretch]) -> int:
    return sum(end - start for start, end in stretches)


def _span(utr: Sequence[Stretch], transcript: Transcript) -> list[Stretch]:
    """Stretch a UTR along the genome, up to the CDS."""
    if not utr:
        return []
    if utr[0][0] < transcript.cds[0][0]:
        return [(utr[0][0], transcript.cds[0][0])]
    return [(transcript.cds[-1][1], utr[-1][1])]


def half_life_features(
    transcripts: Mapping[str, Transcript],
    genes: Sequence[str],
    *,
    lengths: str = "spliced",
    gc_of: tuple[str | Path, str | Path] | None = None,
    chromosomes: str = "auto",
) -> pd.DataFrame:
    """Measure the transcripts of genes.

    Parameters
    ----------
    transcripts
        Gene id to transcript.
    genes
        Ids, in the order wanted.
    lengths
        As for :func:`measure`.
    gc_of
        FASTA, and the folder for its index, to add ``GC_CONTENTS``; None leaves them out.
    chromosomes
        As for :func:`cisgrammar.genome.fasta.match_chromosomes`.

    Returns
    -------
    Genes x features, float64, in bases, junctions per 1,000 bases, and shares; NaN where the
    annotation does not say.
    """
    empty = dict.fromkeys(LENGTHS, np.nan)
    rows = [measure(transcripts[gene], lengths) if gene in transcripts else empty for gene in genes]
    table = pd.DataFrame(rows, index=pd.Index(genes), columns=list(LENGTHS), dtype=float)
    if gc_of is None:
        return table
    return table.join(_gc_contents(transcripts, genes, *gc_of, chromosomes))


def _gc_contents(
    transcripts: Mapping[str, Transcript],
    genes: Sequence[str],
    fasta: str | Path,
    work: str | Path,
    chromosomes: str,
) -> pd.DataFrame:
    """Share of G and C among the known bases of 5' UTR, CDS and 3' UTR."""
    values = np.full((len(genes), len(GC_CONTENTS)), np.nan)
    with open_fasta(fasta, work) as genome:
        places = {transcript.chrom for transcript in transcripts.values()}
        names = match_chromosomes(places, genome.keys(), chromosomes)
        for row, gene in enumerate(genes):
            transcript = transcripts.get(gene)
            if transcript is None or transcript.chrom not in names:
                continue
            chrom = genome[names[transcript.chrom]]
            five, three = untranslated(transcript)
            for column, stretches in enumerate((five, transcript.cds, three)):
                letters = "".join(chrom[start:end] for start, end in stretches).upper()
                gc = letters.count("G") + letters.count("C")
                known = gc + letters.count("A") + letters.count("T")
                values[row, column] = gc / known if known else np.nan
    return pd.DataFrame(values, index=pd.Index(genes), columns=list(GC_CONTENTS))
