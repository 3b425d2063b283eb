"""Variants from VCF files, and windows with other alleles."""

import gzip

import pytest

from cisgrammar.common.errors import InputError
from cisgrammar.genome.variants import read_variants

HEAD = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"


def vcf(folder, *lines, name="v.vcf"):
    path = folder / name
    text = HEAD + "".join("\t".join(line.split()) + "\n" for line in lines)
    if name.endswith("gz"):
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text)
    return path


@pytest.mark.parametrize("name", ["v.vcf", "v.vcf.gz"])
def test_alleles_are_rows_and_symbolic_ones_are_listed(tmp_path, name):
    variants, skipped = read_variants(
        vcf(tmp_path, "chr2 7 rs1 A g", "1 1 . AC A,ACT,<DEL> . PASS x=1", "1 9 rs2 T *", name=name)
    )
    assert variants.to_numpy().tolist() == [
        ["rs1", "chr2", 6, "A", "G"],
        ["1:1:AC:A", "1", 0, "AC", "A"],
        ["1:1:AC:ACT", "1", 0, "AC", "ACT"],
    ]
    assert skipped["alt"].tolist() == ["<DEL>", "*"]
    assert skipped["variant"].tolist() == ["1:1:AC:<DEL>", "rs2"]


def test_all_broken_lines_are_told(tmp_path):
    with pytest.raises(InputError) as told:
        read_variants(vcf(tmp_path, "chr1 0 . A C", "chr1 5 . A", "chr1 5 . R C"))
    for words in ("line 3 has the position `0`", "line 4 has 4 columns", "allele `R`"):
        assert words in str(told.value)


@pytest.mark.parametrize(
    "text, words",
    [
        ("chr1\t5\t.\tA\tC\n", "comes before a header line"),
        ("#CHROM POS ID REF ALT\nchr1 5 . A C\n", "comes before a header line"),
        (HEAD, "no variant is in it"),
    ],
)
def test_what_is_no_vcf_is_told(tmp_path, text, words):
    path = tmp_path / "v.vcf"
    path.write_text(text)
    with pytest.raises(InputError, match=words):
        read_variants(path)


def test_a_file_that_breaks_off_is_told(tmp_path):
    path = vcf(tmp_path, *(f"chr1 {i} . A C" for i in range(1, 2000)), name="v.vcf.gz")
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(InputError, match="break off in the middle"):
        read_variants(path)
