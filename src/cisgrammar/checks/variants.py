"""Checks of the user's variants: can they be read, and are they of this genome."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from cisgrammar.checks.findings import Findings
from cisgrammar.checks.settings import InputFiles, Settings
from cisgrammar.common.errors import InputError
from cisgrammar.common.inputs import examples
from cisgrammar.genome.alleles import compare_reference, refuse_another_genome
from cisgrammar.genome.fasta import match_chromosomes, open_fasta
from cisgrammar.genome.haplotypes import read_haplotypes
from cisgrammar.genome.sequence import letters_as_codes
from cisgrammar.genome.variants import read_variants

MOST_COMPARED = 20_000  # variants, evenly over the file


def check_variants(files: InputFiles, settings: Settings, found: Findings) -> None:
    """Check that variants can be read, and that their reference alleles are those of the genome."""
    path = settings.variants
    if not path or not Path(path).is_file():  # a download may be still to come
        return
    read = found.attempt(read_variants, path, "variants.vcf")
    if read is None:
        return
    variants, unreadable = read
    note = f"{len(unreadable):,} alleles without letters are left out" if len(unreadable) else ""
    found.add("variants", f"{len(variants):,} alleles", note)
    if settings.haplotypes:
        haplotypes = found.attempt(read_haplotypes, path, "variants.vcf")
        if haplotypes is not None:
            found.add("haplotypes", f"{len(haplotypes):,} of two alleles or more")
    if found.sizes is not None and len(variants):
        reasons = found.attempt(_compare, path, files, variants, list(found.sizes))
        wrong = len(reasons) - reasons.count("") if reasons else 0
        if reasons and wrong:
            found.add(
                "reference alleles",
                f"{len(reasons) - wrong:,} of {len(reasons):,} fit the genome",
                "the others are left out",
                warning=True,
            )


def _compare(
    path: str | Path, files: InputFiles, variants: pd.DataFrame, chroms: list[str]
) -> list[str]:
    there = pd.unique(variants["chrom"])
    names = match_chromosomes(there, chroms)
    if not names:
        raise InputError(
            f"{path}: none of its chromosomes ({examples(there)}) is in {files.fasta} "
            f"({examples(chroms)}). They are named differently, or the variants are of another "
            "species: rename those of the variants."
        )
    known = variants[variants["chrom"].isin(names)]
    some = known.iloc[:: -(-len(known) // MOST_COMPARED)]
    genome = open_fasta(files.fasta, files.work)
    reasons = []
    for chrom, start, ref, alt in some[["chrom", "start", "ref", "alt"]].itertuples(index=False):
        letters = str(genome[names[chrom]][start : start + len(ref)])
        reasons.append(compare_reference(letters_as_codes(letters), ref, alt))
    refuse_another_genome(reasons, str(path))
    return reasons
