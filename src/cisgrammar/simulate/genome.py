"""A genome of genes with promoters in which binding sites stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from cisgrammar.common.files import whole_file
from cisgrammar.genome.sequence import decode, reverse_complement
from cisgrammar.motifs.meme import Motif

FASTA_LINE = 60
GENE_LENGTH = (800, 2400)  # bp from TSS to end
EXONS = (1, 5)
INTERGENIC = (100, 800)  # bp between what two neighbouring promoters may need
PROMOTER_REACH = 300  # bp from the TSS over which the GC content falls back to its surroundings
SITE_COLUMNS = ["gene", "motif", "start", "strand", "sequence"]


@dataclass(frozen=True)
class Genome:
    """Chromosomes as codes, and the genes on them.

    Parameters
    ----------
    chromosomes
        Name to codes, uint8 ``(length,)``; planting sites writes into them.
    genes
        In genomic order, one row a gene: chrom, start, end (0-based, half-open),
        strand, tss (0-based), exons (list of (start, end)).
    """

    chromosomes: dict[str, np.ndarray]
    genes: pd.DataFrame


def lay_out_genes(
    n_genes: int, n_chromosomes: int, upstream: int, downstream: int, rng: np.random.Generator
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Place genes on chromosomes so that no two promoters overlap.

    Parameters
    ----------
    n_genes, n_chromosomes
        How many; each chromosome is a tenth shorter than the one before.
    upstream, downstream
        Bases of the promoter before and after the TSS.

    Returns
    -------
    genes
        As in :class:`Genome`.
    lengths
        Name of each chromosome to its length in bases.
    """
    share = 0.9 ** np.arange(n_chromosomes)
    last = np.rint(np.cumsum(share) / share.sum() * n_genes).astype(int)
    rows, lengths = [], {}
    for i, n in enumerate(np.diff(last, prepend=0)):
        chrom, end = f"chr{i + 1}", 0
        for _ in range(n):
            start = end + 2 * upstream + int(rng.integers(*INTERGENIC))
            end = start + max(downstream, int(rng.integers(*GENE_LENGTH)))
            strand = "+-"[rng.integers(2)]
            tss = start if strand == "+" else end - 1
            rows.append((chrom, start, end, strand, tss, _exons(start, end, rng)))
        lengths[chrom] = end + 2 * upstream + int(rng.integers(*INTERGENIC))
    columns = ["chrom", "start", "end", "strand", "tss", "exons"]
    return pd.DataFrame(rows, columns=columns), lengths


def _exons(start: int, end: int, rng: np.random.Generator) -> list[tuple[int, int]]:
    """Cut a gene into exons; the first starts and the last ends with it."""
    n_cuts = 2 * (int(rng.integers(*EXONS)) - 1)
    cuts = np.sort(rng.choice(np.arange(start + 1, end), size=n_cuts, replace=False))
    edges = [start, *cuts.tolist(), end]
    return list(zip(edges[::2], edges[1::2], strict=True))


def draw_bases(
    genes: pd.DataFrame,
    lengths: dict[str, int],
    background_gc: float,
    promoter_gc: float,
    promoter_gc_sd: float,
    rng: np.random.Generator,
) -> dict[str, np.ndarray]:
    """Draw every base, richer in G and C around the TSS.

    Parameters
    ----------
    genes, lengths
        From :func:`lay_out_genes`.
    background_gc
        Share of G and C far from every TSS.
    promoter_gc, promoter_gc_sd
        Mean and standard deviation, over genes, of the share of G and C at the TSS.

    Returns
    -------
    Name of each chromosome to its codes, uint8.
    """
    offsets = np.arange(-3 * PROMOTER_REACH, 3 * PROMOTER_REACH + 1)
    bump = np.exp(-0.5 * (offsets / PROMOTER_REACH) ** 2)
    chromosomes = {}
    for chrom, length in lengths.items():
        gc = np.full(length, background_gc)
        for tss in genes.loc[genes["chrom"] == chrom, "tss"]:
            at_tss = np.clip(rng.normal(promoter_gc, promoter_gc_sd), 0.2, 0.8)
            inside = (tss + offsets >= 0) & (tss + offsets < length)
            raised = background_gc + (at_tss - background_gc) * bump[inside]
            here = tss + offsets[inside]
            gc[here] = np.maximum(gc[here], raised)
        is_gc, is_second = rng.random(length) < gc, rng.random(length) < 0.5
        table = np.array([[0, 3], [1, 2]], dtype=np.uint8)  # A or T, C or G
        chromosomes[chrom] = table[is_gc.astype(int), is_second.astype(int)]
    return chromosomes


def promoter_slice(tss: int, strand: str, upstream: int, downstream: int) -> slice:
    """Where a promoter stands on its chromosome.

    The TSS is the first of the ``downstream`` bases, on either strand.

    Examples
    --------
    >>> promoter_slice(100, "+", 30, 20), promoter_slice(100, "-", 30, 20)
    (slice(70, 120, None), slice(81, 131, None))
    """
    if strand == "+":
        return slice(tss - upstream, tss + downstream)
    return slice(tss - downstream + 1, tss + upstream + 1)


def draw_bearers(
    n: int, n_motifs: int, least: float, most: float, rng: np.random.Generator
) -> np.ndarray:
    """Draw which promoters bear which motif, each motif in a share of them from this range.

    Returns
    -------
    bool ``(n, n_motifs)``.
    """
    occurrence = rng.uniform(least, most, size=n_motifs)
    return rng.random((n, n_motifs)) < occurrence


def plant_sites(
    genome: Genome,
    motifs: Sequence[Motif],
    has_site: np.ndarray,
    upstream: int,
    downstream: int,
    min_strength: float,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Write binding sites into promoters, on either strand, without overlap.

    Parameters
    ----------
    genome
        Its chromosomes are written to.
    motifs
        Sites are drawn from them.
    has_site
        Which gene has a site of which motif: bool ``(genes, motifs)``.
    upstream, downstream
        The promoter window.
    min_strength
        See :func:`draw_sites`.

    Returns
    -------
    One row a site, in the order of genes and along each: gene (index of
    ``genome.genes``), motif, start (0-based in the window, along the gene's strand),
    strand (of the motif against the gene's), sequence (along the motif).
    """
    drawn = [
        iter(draw_sites(motif.matrix, n, min_strength, rng))
        for motif, n in zip(motifs, has_site.sum(axis=0), strict=True)
    ]
    rows = []
    for number, gene in enumerate(genome.genes.itertuples()):
        window = genome.chromosomes[gene.chrom][
            promoter_slice(gene.tss, gene.strand, upstream, downstream)
        ]
        codes = window.copy() if gene.strand == "+" else reverse_complement(window)
        here = rng.permutation(np.flatnonzero(has_site[number]))
        ends = np.cumsum([motifs[i].width for i in here], dtype=int)
        spare = codes.size - ends.max(initial=0)
        gaps = np.sort(rng.integers(0, spare, size=here.size, endpoint=True))
        for i, end in zip(here, gaps + ends, strict=True):
            site, strand = next(drawn[i]), "+-"[rng.integers(2)]
            start = end - motifs[i].width
            codes[start:end] = site if strand == "+" else reverse_complement(site)
            rows.append((gene.Index, motifs[i].name, start, strand, decode(site)))
        window[:] = codes if gene.strand == "+" else reverse_complement(codes)
    return pd.DataFrame(rows, columns=SITE_COLUMNS)


def draw_sites(
    ppm: np.ndarray, n: int, min_strength: float, rng: np.random.Generator
) -> np.ndarray:
    """Draw sites from a motif, none of them weak.

    Parameters
    ----------
    ppm
        Probabilities, all above 0, rows A, C, G, T: ``(4, width)``.
    n
        How many.
    min_strength
        Weaker ones are drawn again: the least log-odds score against equal base
        frequencies, as a share of the highest that the motif allows.

    Returns
    -------
    Codes, uint8 ``(n, width)``.
    """
    scores = np.log2(4 * ppm)
    least = min_strength * scores.max(axis=0).sum()
    bounds = np.cumsum(ppm, axis=0)[:3]
    drawn = np.empty((0, ppm.shape[1]), dtype=np.uint8)
    while len(drawn) < n:
        uniform = rng.random((max(n, 100), 1, ppm.shape[1]))
        sites = (uniform > bounds).sum(axis=1).astype(np.uint8)
        strong = scores[sites, np.arange(ppm.shape[1])].sum(axis=1) >= least
        drawn = np.vstack([drawn, sites[strong]])
    return drawn[:n]


def write_fasta(chromosomes: dict[str, np.ndarray], path: str | Path) -> None:
    """Write chromosomes of codes as FASTA."""
    with whole_file(path) as temporary, temporary.open("w") as file:
        for name, codes in chromosomes.items():
            letters = decode(codes)
            file.write(f">{name}\n")
            file.writelines(
                letters[i : i + FASTA_LINE] + "\n" for i in range(0, len(letters), FASTA_LINE)
            )


def write_gtf(genes: pd.DataFrame, path: str | Path) -> None:
    """Write genes as GTF: a row for each gene, its transcript and its exons, as Ensembl does.

    Parameters
    ----------
    genes
        As in :class:`Genome`, with gene_name and, if known, cds (as exons, the stop codon
        among it); indexed by gene id.
    """
    with whole_file(path) as temporary, temporary.open("w") as file:
        file.write("#!genome-build simulated\n")
        for number, gene in enumerate(genes.itertuples(), start=1):
            of_gene = f'gene_id "{gene.Index}"; '
            named = f'gene_name "{gene.gene_name}"; gene_biotype "protein_coding"; '
            of_transcript = f'{of_gene}transcript_id "SIMT{number:08d}"; '
            where = (gene.start, gene.end, gene.strand)
            file.write(_gtf_row(gene.chrom, "gene", *where, of_gene + named))
            file.write(_gtf_row(gene.chrom, "transcript", *where, of_transcript + named))
            along = gene.exons if gene.strand == "+" else gene.exons[::-1]
            for i, (start, end) in enumerate(along, start=1):
                attributes = f'{of_transcript}exon_number "{i}"; {named}'
                file.write(_gtf_row(gene.chrom, "exon", start, end, gene.strand, attributes))
            for start, end in getattr(gene, "cds", []):
                attributes = of_transcript + named
                file.write(_gtf_row(gene.chrom, "CDS", start, end, gene.strand, attributes))


def _gtf_row(chrom: str, kind: str, start: int, end: int, strand: str, attributes: str) -> str:
    return f"{chrom}\tsimulated\t{kind}\t{start + 1}\t{end}\t.\t{strand}\t.\t{attributes.strip()}\n"
