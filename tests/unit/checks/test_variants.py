"""Variants are read and compared with the genome before anything runs."""

import pytest

from cisgrammar.checks.findings import Findings
from cisgrammar.checks.settings import InputFiles, Settings
from cisgrammar.checks.variants import check_variants

LETTERS = "ACGTRNACGT"


def findings(folder, *lines, sizes=True):
    (folder / "genome.fa").write_text(f">chr1\n{LETTERS}\n")
    text = "".join("\t".join(["1", *line.split()]) + "\n" for line in lines)
    (folder / "v.vcf").write_text("#CHROM\tPOS\tID\tREF\tALT\n" + text)
    found = Findings()
    found.sizes = {"chr1": len(LETTERS)} if sizes else None
    files = InputFiles("counts", folder / "genome.fa", folder / "work")
    check_variants(files, Settings(variants=str(folder / "v.vcf")), found)
    return found


def test_variants_are_counted_and_those_that_do_not_fit_too(tmp_path):
    lines = ["1 . A C", "2 . C <DEL>", "4 . TRN T", "7 . G C", "9 . GT G"]
    found = findings(tmp_path, *[line.replace("TRN", "TNN") for line in lines])
    assert found.table()[["found", "status"]].to_numpy().tolist() == [
        ["4 alleles", "ok"],
        ["3 of 4 fit the genome", "warning"],
    ]
    assert "1 alleles without letters" in found.table()["note"][0]


@pytest.mark.parametrize(
    "lines, words",
    [
        (["1 . T G", "2 . G T"], "fit the other strand"),
        (["1 . C A", "2 . A C"], "swapped"),
        (["1 . A C", "x . A C"], "position `x`"),
        (["9 . GTAA G"], "another assembly"),  # beyond the end of the chromosome
    ],
)
def test_what_is_wrong_is_a_problem(tmp_path, lines, words):
    (message,) = findings(tmp_path, *lines).problems.messages
    assert words in message


def test_chromosomes_of_other_names_are_a_problem(tmp_path):
    found = Findings(sizes={"II": 5})
    (tmp_path / "v.vcf").write_text("#CHROM\tPOS\tID\tREF\tALT\nchr1\t1\t.\tA\tC\n")
    files = InputFiles("counts", "genome.fa", "work")
    check_variants(files, Settings(variants=str(tmp_path / "v.vcf")), found)
    assert "none of its chromosomes (chr1)" in found.problems.messages[0]


def test_without_a_genome_they_are_read_alone(tmp_path):
    found = findings(tmp_path, "1 . T G", sizes=False)
    assert found.table()["check"].tolist() == ["variants"]


def test_without_variants_nothing_is_said():
    found = Findings()
    check_variants(InputFiles("c", "f", "w"), Settings(), found)
    check_variants(InputFiles("c", "f", "w"), Settings(variants="still/to/come.vcf"), found)
    assert found.table().empty


@pytest.mark.parametrize("genotype, n", [("0|1", 1), ("0/1", 0)])
def test_haplotypes_are_counted_or_their_absence_is_a_problem(tmp_path, genotype, n):
    head = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts1\n"
    lines = "".join(f"1\t{at}\t.\tA\tC\t.\t.\t.\tGT\t{genotype}\n" for at in (1, 7))
    (tmp_path / "v.vcf").write_text(head + lines)
    found = Findings()
    settings = Settings(variants=str(tmp_path / "v.vcf"), haplotypes=True)
    check_variants(InputFiles("c", "f", "w"), settings, found)
    assert [row[:2] for row in found.rows[1:]] == [("haplotypes", "1 of two alleles or more")][:n]
    assert len(found.problems.messages) == 1 - n
