"""`cisgrammar variants`: what the variants of a file change, as a table and an annotated VCF."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import pandas as pd
from pyfaidx import Fasta

from cisgrammar.common.files import write_table
from cisgrammar.genome.fasta import match_chromosomes, open_fasta
from cisgrammar.genome.variants import read_variants
from cisgrammar.motifs.databases import load_database
from cisgrammar.use.trained import load
from cisgrammar.use.variant_effects import variant_effects
from cisgrammar.use.variant_haplotypes import with_haplotypes
from cisgrammar.use.variant_motifs import motif_changes
from cisgrammar.use.variant_summary import count_reasons, summarise, write_annotated

EXAMPLES = """examples:
  cisgrammar variants results/demo/scover variants.vcf.gz --by cell_type --output effects.tsv
  cisgrammar variants results/demo/scover variants.tsv --by cell_type --output effects.tsv \\
      --genome genome.fa --shifts -2 -1 1 2 --database jaspar:CORE:vertebrates:2024 \\
      --annotated variants.annotated.vcf.gz --skipped skipped.tsv
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes beside the model, `--by` and `--output`."""
    parser.add_argument(
        "variants",
        type=Path,
        help="VCF (plain, gzip or bgzip), or TSV or CSV with the columns chrom, position (from 1), "
        "ref, alt and if you like variant",
    )
    parser.add_argument(
        "--genome",
        type=Path,
        help="FASTA, from which deletions and shifts draw bases; without it deletions draw N",
    )
    parser.add_argument(
        "--all-folds",
        action="store_true",
        help="ask all folds, also those that trained on the window",
    )
    parser.add_argument(
        "--haplotypes",
        action="store_true",
        help="ask about variants of one haplotype and window together too: those of a VCF's phased "
        "genotypes, or of one value in a table's column haplotype",
    )
    parser.add_argument(
        "--one-strand",
        action="store_true",
        help="read peaks on the plus strand alone; genes are always read along their strand",
    )
    parser.add_argument(
        "--shifts",
        type=int,
        nargs="+",
        default=[],
        metavar="BASES",
        help="average over windows that are moved so far; 0 is always among them",
    )
    parser.add_argument(
        "--random",
        type=int,
        default=1000,
        metavar="N",
        help="matched random variants of each kind, for p and q; 0 for none (default: 1000)",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the random variants (default: 0)")
    parser.add_argument(
        "--database",
        help="known motifs that variants may make or break: a MEME file or "
        "jaspar:CORE:vertebrates:2024",
    )
    parser.add_argument(
        "--motif-threshold",
        type=float,
        default=1e-4,
        metavar="P",
        help="largest p-value of a motif's hit (default: 1e-4)",
    )
    for name, what in (
        ("--annotated", "VCF to write, largest effects in INFO; bgzip if it ends with .gz"),
        ("--summary", "TSV to write: the largest effect of each variant"),
        ("--motifs", "TSV to write: motifs that variants make or break"),
        ("--skipped", "TSV to write: what was left out, and why"),
    ):
        parser.add_argument(name, type=Path, help=what)


def run(asked: argparse.Namespace) -> None:
    """Predict, write what was asked for, and count what was left out."""
    trained = load(asked.model)
    variants, unreadable = read_variants(asked.variants)
    if asked.haplotypes:
        variants = with_haplotypes(trained, variants, asked.variants)
    with tempfile.TemporaryDirectory() as work:
        genome = open_fasta(asked.genome, work) if asked.genome else None
        effects, left_out = variant_effects(
            trained,
            variants,
            by=asked.by,
            all_folds=asked.all_folds,
            genome=genome,
            both_strands=not asked.one_strand,
            shifts=asked.shifts,
            n_random=asked.random,
            seed=asked.seed,
        )
        motifs = None
        if asked.database:
            database = load_database(asked.database)
            motifs = motif_changes(
                trained, effects, database, threshold=asked.motif_threshold, genome=genome
            )
        lengths = contig_lengths(variants["chrom"], genome)
    summary, skipped = summarise(effects, motifs), pd.concat([unreadable, left_out])
    write_table(effects, asked.output)
    if asked.annotated:
        write_annotated(asked.variants, asked.annotated, summary, lengths)
    for table, path in (
        (summary, asked.summary), (motifs, asked.motifs), (skipped, asked.skipped)
    ):  # fmt: skip
        if path and table is not None:
            write_table(table, path)
    for row in count_reasons(effects, skipped).itertuples():
        print(f"{row.variants:,} variants: {row.reason}")


def contig_lengths(chroms: pd.Series, genome: Fasta | None) -> dict[str, int]:
    """Give the lengths of a file's chromosomes, by the names that it has for them."""
    if genome is None:
        return {}
    names = match_chromosomes(pd.unique(chroms), genome.keys())
    return {name: len(genome[there]) for name, there in names.items()}
