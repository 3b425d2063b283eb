"""Variants from VCF files, and windows with other alleles."""

import gzip

import pytest
from Bio.bgzf import BgzfWriter

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


def bgzipped(folder, n=3000):
    path = folder / "v.vcf.gz"
    with BgzfWriter(str(path)) as out:
        out.write(HEAD + "".join(f"chr1\t{i}\t.\tA\tC\t.\t.\t.\n" for i in range(1, n + 1)))
    return path


def test_bgzip_is_read_and_one_that_was_cut_between_blocks_is_told(tmp_path):
    path = bgzipped(tmp_path)
    assert len(read_variants(path)[0]) == 3000
    path.write_bytes(path.read_bytes()[:-28])
    with pytest.raises(InputError, match="block that ends such a file is missing"):
        read_variants(path)


def test_the_order_of_a_file_is_kept(tmp_path):
    variants, _ = read_variants(vcf(tmp_path, "chr2 9 a A C", "chr1 5 b A C", "chr2 3 c A C"))
    assert variants["variant"].tolist() == ["a", "b", "c"]


@pytest.mark.parametrize(
    "text",
    [
        "chrom\tposition\tref\talt\tvariant\n1\t7\ta\tG\trs1\n1\t8\tC\tT\t.\n",
        "rsid,chr,pos,beta,ref,alt\nrs1,1,7,0.1,A,G\n,1,8,-2,C,T\n",
        "#Chromosome\tPOS\tReference\tAlternative\tid\n1\t7\tA\tG\trs1\n1\t8\tC\tT\t\n",
    ],
)
def test_a_table_is_read_as_a_vcf_is(tmp_path, text):
    (tmp_path / "v.tsv").write_text(text)
    variants, skipped = read_variants(tmp_path / "v.tsv")
    assert variants.to_numpy().tolist() == [
        ["rs1", "1", 6, "A", "G"],
        ["1:8:C:T", "1", 7, "C", "T"],
    ]
    assert skipped.empty


def test_a_table_without_names_names_variants_by_their_place(tmp_path):
    (tmp_path / "v.csv").write_text("chrom,pos,ref,alt\n01,7,A,G\n")
    assert read_variants(tmp_path / "v.csv")[0]["variant"].tolist() == ["01:7:A:G"]


@pytest.mark.parametrize(
    "text, words",
    [
        ("chrom\tpos\tref\n1\t7\tA\n", "columns chrom, position, ref, alt"),
        ("chrom\tpos\tref\talt\n1\t7\tA\n", "line 2 has 1 columns"),
        ("chrom\tpos\tref\talt\n1\t7.5\tA\tC\n", "position `7.5`"),
    ],
)
def test_what_is_wrong_with_a_table_is_told(tmp_path, text, words):
    (tmp_path / "v.tsv").write_text(text)
    with pytest.raises(InputError, match=words):
        read_variants(tmp_path / "v.tsv")
