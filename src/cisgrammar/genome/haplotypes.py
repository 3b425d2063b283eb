"""Which variants of a file lie on one haplotype."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from cisgrammar.common.errors import InputError
from cisgrammar.genome.variants import is_vcf, variant_lines

FIRST_SAMPLE = 9  # columns of a VCF before its samples
Allele = tuple[str, int, str, str]  # chrom, start (0-based), ref, alt


def read_haplotypes(path: str | Path, key: str = "variants") -> list[tuple[Allele, ...]]:
    """Read which alleles lie on one haplotype.

    Parameters
    ----------
    path
        A VCF with phased genotypes (``GT`` such as ``0|1``; with ``PS`` only within a phase set),
        or a table with a column ``haplotype``: alleles of one chromosome that share its text.
    key
        The config's key that names the file, for messages.

    Returns
    -------
    Each haplotype of two alleles or more once: chrom, start (0-based), ref, alt of its alleles,
    in their order along the chromosome.

    Raises
    ------
    InputError
        If the file says nothing of haplotypes.
    """
    vcf = is_vcf(path)
    found: dict[tuple, set[Allele]] = defaultdict(set)
    for _, fields in variant_lines(path, key, None if vcf else "haplotype"):
        chrom, start, ref = fields[0], int(fields[1]) - 1, fields[3].upper()
        alts = [alt.upper() for alt in fields[4].split(",")]
        for name, number in _carriers(fields) if vcf else [(fields[5], 1)]:
            if name and 0 < number <= len(alts):
                found[chrom, name].add((chrom, start, ref, alts[number - 1]))
    if not found:
        what = "phased genotypes (GT such as 0|1)" if vcf else "column `haplotype` with values"
        raise InputError(
            f"{path}: haplotypes are asked for, but there are no {what} in it. Phase the variants, "
            "or leave out `haplotypes`."
        )
    several = {tuple(sorted(alleles)) for alleles in found.values() if len(alleles) > 1}
    return sorted(several)


def _carriers(fields: list[str]) -> list[tuple[str, int]]:
    """List the haplotypes of a line of a VCF, and the number of the allele that each has."""
    if len(fields) <= FIRST_SAMPLE:
        return []
    keys, found = fields[FIRST_SAMPLE - 1].split(":"), []
    for sample, text in enumerate(fields[FIRST_SAMPLE:]):
        values = dict(zip(keys, text.split(":"), strict=False))
        alleles = values.get("GT", "").split("|")
        if len(alleles) < 2:
            continue
        for copy, allele in enumerate(alleles):
            if allele.isdecimal():
                found.append((f"{sample} {values.get('PS', '.')} {copy}", int(allele)))
    return found
