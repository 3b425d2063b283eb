"""Annotated VCF files: what was there stays, what is new is declared."""

import gzip

from cisgrammar.genome.variants import read_variants
from cisgrammar.genome.vcf import InfoField, annotate_vcf

FIELDS = [
    InfoField("CG_EFFECT", "Float", "Largest effect"),
    InfoField("CG_LABEL", "String", "Cell type"),
]
HEAD = [
    "##fileformat=VCFv4.2",
    "##contig=<ID=chr1,length=500>",
    '##INFO=<ID=AF,Number=A,Type=Float,Description="Frequency">',
]
COLUMNS = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", "mine"]
VALUES = {
    ("chr1", 4, "A", "C"): {"CG_EFFECT": -0.25, "CG_LABEL": "T cell, CD8=1"},
    ("chr1", 8, "A", "G"): {"CG_EFFECT": 1e-7, "CG_LABEL": "B"},
}


def annotated(folder, lines, name="out.vcf", values=VALUES, source="in.vcf"):
    (folder / source).write_text("\n".join([*lines, ""]))
    annotate_vcf(folder / source, folder / name, FIELDS, values, {"chr1": 500, "1": 9})
    return (folder / name).read_text().splitlines() if name == "out.vcf" else folder / name


def test_lines_and_header_stay_and_fields_are_added(tmp_path):
    lines = [
        "\t".join(["chr1", "9", "rs2", "a", "T,g,<DEL>", "9", "PASS", "AF=0.1;DB", "GT", "0|1"]),
        "\t".join(["chr1", "5", "rs1", "A", "C", ".", ".", ".", "GT", "1|1"]),
        "\t".join(["chr1", "6", "rs3", "A", "C", ".", ".", ".", "GT", "1|1"]),
    ]
    said = annotated(tmp_path, [*HEAD, "\t".join(COLUMNS), *lines])
    assert said[:3] == HEAD
    assert said[3:6] == [*(field.header for field in FIELDS), "\t".join(COLUMNS)]
    rows = [line.split("\t") for line in said[6:]]
    assert [row[:7] + row[8:] for row in rows] == [
        line.split("\t")[:7] + line.split("\t")[8:] for line in lines
    ]
    assert [row[7] for row in rows] == [
        "AF=0.1;DB;CG_EFFECT=.,1e-07,.;CG_LABEL=.,B,.",
        "CG_EFFECT=-0.25;CG_LABEL=T%20cell%2C%20CD8%3D1",
        ".",
    ]


def test_an_annotated_file_is_annotated_anew(tmp_path):
    lines = [*HEAD, "\t".join(COLUMNS[:8]), "chr1\t5\t.\tA\tC\t.\t.\tAF=1"]
    once = annotated(tmp_path, lines)
    assert annotated(tmp_path, once) == once


def test_what_a_header_lacks_is_added(tmp_path):
    said = annotated(tmp_path, ["#CHROM\tPOS\tID\tREF\tALT", "chr1\t5\t.\tA\tC", "X\t5\t.\tA\tC"])
    assert said[0].startswith("##fileformat=VCF")
    assert said[1:3] == ["##contig=<ID=chr1,length=500>", "##contig=<ID=X>"]
    assert said[5] == "\t".join(COLUMNS[:8])
    assert said[6].split("\t")[:7] == ["chr1", "5", ".", "A", "C", ".", "."]


def test_a_table_becomes_a_vcf_in_bgzip(tmp_path):
    lines = ["chrom,pos,ref,alt,rsid", "chr1,5,A,C,rs1", "chr1,9,A,G,"]
    path = annotated(tmp_path, lines, "out.vcf.gz", source="in.csv")
    assert path.read_bytes().endswith(bytes.fromhex("1b0003000000000000000000"))
    said = gzip.decompress(path.read_bytes()).decode().splitlines()
    assert said[-1] == "chr1\t9\t.\tA\tG\t.\t.\tCG_EFFECT=1e-07;CG_LABEL=B"
    variants, _ = read_variants(path)
    assert variants["variant"].tolist() == ["rs1", "chr1:9:A:G"]


def test_the_same_bytes_come_out_each_time(tmp_path):
    lines = ["#CHROM\tPOS\tID\tREF\tALT", "chr1\t5\t.\tA\tC"]
    first = annotated(tmp_path, lines, "out.vcf.gz").read_bytes()
    assert annotated(tmp_path, lines, "again.vcf.gz").read_bytes() == first
