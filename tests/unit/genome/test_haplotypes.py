"""Alleles of one haplotype are read from phased genotypes, or from a column."""

import pytest

from cisgrammar.common.errors import InputError
from cisgrammar.genome.haplotypes import read_haplotypes

HEAD = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts1\ts2\n"
A, B, C = ("1", 4, "A", "C"), ("1", 8, "G", "T"), ("1", 8, "G", "GA")


def vcf(folder, *lines):
    text = "".join("\t".join(["1", *line.split()]) + "\n" for line in lines)
    (folder / "v.vcf").write_text(HEAD + text)
    return read_haplotypes(folder / "v.vcf")


@pytest.mark.parametrize(
    "first, second, expected",
    [
        ("0|1 0|0", "0|1 0|0", [(A, B)]),
        ("0|1 0|0", "1|0 0|0", []),  # on the two copies
        ("0|1 0|0", "0|2 0|0", [(A, C)]),  # the second allele
        ("1|1 0|0", "1|2 0|0", [(A, C), (A, B)]),
        ("0/1 1|0", "0/1 .|1", []),  # not phased, not known
        ("0|1 0|1", "0|1 0|1", [(A, B)]),  # once for both samples
    ],
)
def test_phased_alleles_of_a_copy_are_together(tmp_path, first, second, expected):
    lines = [f"5 . A C . . . GT {first}", f"9 . G T,GA . . . GT {second}"]
    assert vcf(tmp_path, *lines) == expected


def test_phase_sets_are_kept_apart(tmp_path):
    lines = ["5 . A C . . . GT:PS 0|1:5 0|1:5", "9 . G T . . . GT:PS 0|1:9 0|1:5"]
    assert vcf(tmp_path, *lines) == [(A, B)]
    assert vcf(tmp_path, *[line.replace("0|1:5 0|1:5", "0|1:5 0|0:5") for line in lines]) == []


def test_a_table_has_a_column(tmp_path):
    text = "chrom,position,ref,alt,haplotype\n1,5,A,C,h1\n1,9,G,T,h1\n1,9,G,GA,\n2,5,A,C,h1\n"
    (tmp_path / "v.csv").write_text(text)
    assert read_haplotypes(tmp_path / "v.csv") == [(A, B)]


@pytest.mark.parametrize(
    "text, words",
    [
        (HEAD + "1\t5\t.\tA\tC\t.\t.\t.\tGT\t0/1\t0/1\n", "no phased genotypes"),
        ("chrom\tposition\tref\talt\n1\t5\tA\tC\n", "no column `haplotype`"),
    ],
)
def test_a_file_without_haplotypes_is_refused(tmp_path, text, words):
    (tmp_path / "v.txt").write_text(text)
    with pytest.raises(InputError, match=words):
        read_haplotypes(tmp_path / "v.txt")
