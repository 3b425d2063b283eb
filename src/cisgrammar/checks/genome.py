"""Checks of the genome: its sequences, its genes, and whether these are the counts' genes."""

from __future__ import annotations

import pandas as pd

from cisgrammar.checks.findings import Findings, with_sizes
from cisgrammar.checks.settings import InputFiles, Settings
from cisgrammar.common.inputs import examples
from cisgrammar.genome.fasta import chrom_sizes, match_chromosomes
from cisgrammar.genome.gene_match import match_genes, no_match_message
from cisgrammar.genome.tss import keep_biotypes, read_tss


def check_genome(files: InputFiles, settings: Settings, found: Findings) -> None:
    """Check the FASTA."""
    sizes = found.attempt(chrom_sizes, files.fasta, files.work)
    if sizes is not None:
        found.sizes = sizes
        size = f"{len(sizes)} sequences, {sum(sizes.values()):,} bases"
        found.add("genome", size, f"for example {examples(sizes)}")


def check_annotation(files: InputFiles, settings: Settings, found: Findings) -> None:
    """Check the annotation, where there is one."""
    how = settings.genome
    if not files.annotation:
        return
    tss = found.attempt(read_tss, files.annotation, gene_id=how.gene_id, tss_rule=how.tss_rule)
    if tss is None:
        return
    found.tss = tss
    dropped = "; ".join(f"{step}: {n:,}" for step, n in tss.attrs["steps"][1:])
    biotypes = tss["biotype"].replace("", "no biotype").value_counts()
    note = f"{dropped + '; ' if dropped else ''}biotypes: {with_sizes(biotypes[:5])}"
    genes = f"{len(tss):,} genes on {tss['chrom'].nunique()} chromosomes"
    found.add("annotation", genes, note)


def check_chromosomes(files: InputFiles, settings: Settings, found: Findings) -> None:
    """Check that the annotation's chromosomes are in the FASTA."""
    tss, sizes = found.tss, found.sizes
    if tss is None or sizes is None:
        return
    names = tss["chrom"].drop_duplicates()
    mapping = match_chromosomes(names, sizes, settings.genome.chromosomes)
    on_genome = tss["chrom"].isin(mapping)
    if on_genome.mean() < settings.genome.min_overlap:
        found.problems.add(
            f"{files.annotation}: of its {len(names)} chromosomes ({examples(names)}), "
            f"{len(mapping)} are in {files.fasta} ({examples(sizes)}): {int(on_genome.sum()):,} "
            f"of {len(tss):,} genes. {_remedy(tss, sizes, settings.genome.min_overlap)}"
        )
        return
    notes = []
    if renamed := [f"{name} -> {to}" for name, to in mapping.items() if name != to]:
        notes.append(f"{len(renamed)} renamed by rule: {examples(renamed)}")
    if missing := [name for name in names if name not in mapping]:
        notes.append(f"not in the FASTA: {examples(missing)}")
    beyond = tss["tss"] >= tss["chrom"].map(mapping).map(sizes)
    if beyond.any():
        notes.append(f"{beyond.sum()} TSS beyond the end: another assembly?")
    there = f"{len(mapping)} of {len(names)} are in the FASTA, with {on_genome.sum():,} genes"
    found.add("chromosomes", there, "; ".join(notes), bool(missing or beyond.any()))


def _remedy(tss: pd.DataFrame, sizes: dict[str, int], min_overlap: float) -> str:
    """Say what to do where chromosomes do not match."""
    rule = match_chromosomes(tss["chrom"].drop_duplicates(), sizes, "auto")
    if tss["chrom"].isin(rule).mean() >= min_overlap:
        return "The two name chromosomes differently: set `genome.chromosomes: auto`."
    return (
        "They are probably of different species or assemblies, or from sources that name "
        "chromosomes in their own way: use files from one source."
    )


def check_genes(files: InputFiles, settings: Settings, found: Findings) -> None:
    """Check that the counts' genes are in the annotation, where their promoters are read."""
    if found.tss is None or found.targets is None or settings.peaks is not None or files.regions:
        return
    genes, min_overlap = found.targets.unique(), settings.genome.min_overlap
    chromosomes = None
    if found.sizes is not None:
        style = settings.genome.chromosomes
        chromosomes = match_chromosomes(found.tss["chrom"], found.sizes, style)
    match = match_genes(genes, found.tss, chromosomes)
    if match.share < min_overlap:
        message = no_match_message(files.named_counts, genes, found.tss, chromosomes)
        cells = pd.Index([name for names in found.cells for name in names])
        if match_genes(cells.unique(), found.tss, chromosomes).share >= min_overlap:
            message = (
                f"{files.named_counts}: its cells ({examples(cells)}) are genes of the annotation "
                f"and its genes ({examples(genes)}) are not, so the matrix is transposed. Write "
                "it with cells in rows (obs) and genes in columns (var)."
            )
        found.problems.add(message)
        return
    ways = ", ".join(f"{n:,} by {way}" for way, n in match.ways.items() if n)
    without = match.without(genes).items()
    note = "; ".join(f"{why}: {len(names):,} ({examples(names, 5)})" for why, names in without)
    there = f"{(match.rows >= 0).sum():,} of {len(genes):,} are in the annotation: {ways}"
    found.add("genes", there, note, match.share < (1 + min_overlap) / 2)


def check_biotypes(files: InputFiles, settings: Settings, found: Findings) -> None:
    """Check that there are genes of the biotypes asked for, and go on with these."""
    if found.tss is not None and settings.genome.biotypes is not None:
        wanted = settings.genome.biotypes
        found.tss = found.attempt(keep_biotypes, found.tss, wanted, files.annotation)
