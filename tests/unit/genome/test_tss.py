import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_inputs import YEAST, gtf_row, real, write

from cisgrammar.common.errors import InputError
from cisgrammar.genome.tss import TSS_RULES, keep_biotypes, read_tss

# One gene forward with three transcripts (canonical, longest CDS, most 5'), one backward.
TRANSCRIPTS = [
    gtf_row("gene", 101, 900, gene_id="G1", gene_name="A"),
    gtf_row("transcript", 101, 300, gene_id="G1", transcript_id="T1"),
    gtf_row("CDS", 201, 230, gene_id="G1", transcript_id="T1"),
    gtf_row("transcript", 151, 900, gene_id="G1", transcript_id="T2"),
    gtf_row("CDS", 301, 400, gene_id="G1", transcript_id="T2"),
    gtf_row("transcript", 181, 800, gene_id="G1", transcript_id="T3", tag="Ensembl_canonical"),
    gtf_row("CDS", 301, 390, gene_id="G1", transcript_id="T3"),
    gtf_row("gene", 101, 900, "-", gene_id="G2", gene_name="B"),
    gtf_row("transcript", 101, 800, "-", gene_id="G2", transcript_id="T4", tag="basic"),
    gtf_row("transcript", 101, 900, "-", gene_id="G2", transcript_id="T5"),
]


@pytest.mark.parametrize(
    "rule, starts, transcripts",
    [
        ("gene", [100, 899], ["", ""]),
        ("canonical", [180, 899], ["T3", "T5"]),
        ("longest_cds", [150, 899], ["T2", "T5"]),
        ("most_5_prime", [100, 899], ["T1", "T5"]),
    ],
)
def test_each_rule_takes_its_transcript(tmp_path, rule, starts, transcripts):
    tss = read_tss(write(tmp_path / "a.gtf", "".join(TRANSCRIPTS)), tss_rule=rule)
    assert tss["tss"].tolist() == starts
    assert tss["transcript"].tolist() == transcripts
    assert tss["gene_name"].tolist() == ["A", "B"]


@pytest.mark.parametrize("rule", TSS_RULES[1:])
@pytest.mark.parametrize("feature", ["transcript", "exon", "CDS"])
def test_without_gene_rows_transcripts_or_exons_do(tmp_path, rule, feature):
    second = "T0" if feature == "transcript" else "T1"
    rows = [
        gtf_row(feature, 11, 20, "-", gene_id="G1", transcript_id="T1"),
        gtf_row(feature, 31, 50, "-", gene_id="G1", transcript_id=second),
    ]
    tss = read_tss(write(tmp_path / "a.gtf", "".join(rows)), tss_rule=rule)
    assert tss[["gene_id", "tss", "strand"]].to_numpy().tolist() == [["G1", 49, "-"]]


GFF3 = "chr1\tx\t{}\t11\t20\t.\t+\t.\t{}\n"
FLAVOURS = {
    "Ensembl": gtf_row("gene", 11, 20, gene_id="ENSG1", gene_name="A", gene_biotype="x"),
    "GENCODE": gtf_row("gene", 11, 20, gene_id="ENSG1.5", gene_type="x", gene_name="A"),
    "RefSeq": gtf_row("gene", 11, 20, gene_id="A", transcript_id="", gene="A", gene_biotype="x"),
    "Ensembl GFF3": GFF3.format("gene", "ID=gene:ENSG1;Name=A;biotype=x;gene_id=ENSG1"),
    "GENCODE GFF3": GFF3.format("gene", "ID=ENSG1.5;gene_id=ENSG1.5;gene_type=x;gene_name=A"),
    "RefSeq GFF3": GFF3.format("gene", "ID=gene-A;Dbxref=GeneID:1;Name=A;gene_biotype=x"),
    "VEuPathDB GFF3": GFF3.format("protein_coding_gene", "ID=PF3D7_01;Name=A;ebi_biotype=x"),
}
GENE_IDS = ["ENSG1", "ENSG1.5", "A", "ENSG1", "ENSG1.5", "A", "PF3D7_01"]


@pytest.mark.parametrize("flavour, gene_id", list(zip(FLAVOURS, GENE_IDS, strict=True)))
def test_flavours_of_annotation(tmp_path, flavour, gene_id):
    tss = read_tss(write(tmp_path / "a.gz", "##comment\n" + FLAVOURS[flavour] + "\n"))
    assert tss.iloc[0].to_dict() == {
        "gene_id": gene_id, "gene_name": "A", "chrom": "chr1", "tss": 10, "strand": "+",
        "transcript": "", "biotype": "x",
    }  # fmt: skip


def test_gff3_transcripts_belong_to_their_parents(tmp_path):
    text = (
        "##gff-version 3\n"
        "chr1\ts\tgene\t11\t90\t.\t+\t.\tID=YAL1;gene=ABC1;Note=a%3Bb\n"
        "chr1\ts\tmRNA\t31\t90\t.\t+\t.\tID=YAL1_t1;Parent=YAL1\n"
        "chr1\ts\tCDS\t41\t60\t.\t+\t0\tParent=YAL1_t1\n"
        "##FASTA\n>chr1\nACGT\n"
    )
    path = write(tmp_path / "sgd.gff3", text)
    assert read_tss(path, tss_rule="longest_cds")["tss"].tolist() == [30]
    assert read_tss(path)["tss"].tolist() == [10]


def test_a_transcript_elsewhere_says_nothing_about_its_gene(tmp_path):
    rows = [
        gtf_row("gene", 101, 900, chrom="chrX", gene_id="G1"),
        gtf_row("transcript", 101, 900, chrom="chrX", gene_id="G1", transcript_id="T1"),
        gtf_row("gene", 11, 90, chrom="chrY", gene_id="G1"),
        gtf_row("transcript", 11, 90, chrom="chrY", gene_id="G1", transcript_id="T1"),
    ]
    path = write(tmp_path / "a.gtf", "".join(rows))
    for rule in ("most_5_prime", "canonical"):
        tss = read_tss(path, tss_rule=rule)
        assert tss[["chrom", "tss"]].to_numpy().tolist() == [["chrX", 100], ["chrY", 10]]


def test_rows_of_one_gene_that_start_at_one_place_are_one(tmp_path):
    rows = [gtf_row("gene", 11, end, gene_id="G1") for end in (90, 80)]
    rows += [gtf_row("gene", 51, 80, gene_id="G1")]
    rows += [gtf_row("transcript", 21, 80, gene_id="G1", transcript_id="T1")]
    path = write(tmp_path / "a.gtf", "".join(rows))
    assert read_tss(path)["tss"].tolist() == [10, 50]
    assert read_tss(path, tss_rule="most_5_prime")["tss"].tolist() == [20]


def test_transcripts_without_gene_rows_stand_at_each_place_of_their_gene(tmp_path):
    """As in UCSC's files, where genes of chr6 stand on its haplotypes too."""
    rows = [
        gtf_row("transcript", 11, 90, chrom="chr6_alt", gene_id="G1", transcript_id="T1_2"),
        gtf_row("transcript", 101, 900, chrom="chr6", gene_id="G1", transcript_id="T1"),
        gtf_row("transcript", 51, 900, chrom="chr6", gene_id="G1", transcript_id="T2"),
    ]
    tss = read_tss(write(tmp_path / "a.gtf", "".join(rows)), tss_rule="most_5_prime")
    assert tss[["chrom", "tss", "transcript"]].to_numpy().tolist() == [
        ["chr6_alt", 10, "T1_2"], ["chr6", 50, "T2"],
    ]  # fmt: skip


def test_what_is_dropped_is_counted(tmp_path):
    rows = [
        gtf_row("gene", 1, 5, gene_id="G1", gene_biotype="x"),
        gtf_row("gene", 1, 5, gene_id="G1", gene_biotype="x"),
        gtf_row("gene", 1, 5, ".", gene_id="G2", gene_biotype="x"),
        gtf_row("gene", 1, 5, gene_id="G3", gene_biotype="y"),
    ]
    tss = read_tss(write(tmp_path / "a.gtf", "".join(rows)), biotypes=["x"])
    assert tss["gene_id"].tolist() == ["G1"]
    assert tss.attrs["steps"] == [
        ("genes in the annotation", 4),
        ("dropped: no strand", 1),
        ("dropped: the gene came before at this place", 1),
        ("dropped: another biotype", 1),
    ]


BAD = {
    "no gene rows": (gtf_row("exon", 1, 5, gene_id="G"), {}, ["1 exon", "`genome.tss_rule: most"]),
    "no genes at all": (gtf_row("repeat", 1, 5, x="1"), {"tss_rule": "canonical"}, ["1 repeat"]),
    "empty": ("", {}, ["empty", "0 bytes"]),
    "only comments": ("#!genome-build\n", {}, ["not one row", "only comments"]),
    "spaces for tabs": ("chr1 x gene 1 5 . + . gene_id\n", {}, ["line 1", "1 tab-separated"]),
    "no number": (gtf_row("gene", "one", 5, gene_id="G"), {}, ["line 1", "'one'"]),
    "end before start": (gtf_row("gene", 9, 5, gene_id="G"), {}, ["line 1", "'9'", "'5'"]),
    "start 0": (gtf_row("gene", 0, 5, gene_id="G"), {}, ["at least 1"]),
    "no gene id": (gtf_row("gene", 1, 5, gene_name="G"), {}, ["gene_id", "gene_name", "line 1"]),
    "unknown rule": (gtf_row("gene", 1, 5, gene_id="G"), {"tss_rule": "genes"}, ["`gene`"]),
    "unknown biotype": (
        gtf_row("gene", 1, 5, gene_id="G", gene_biotype="protein_coding"),
        {"biotypes": ["protein-coding"]},
        ["Did you mean `protein_coding`?", "genome.biotypes"],
    ),
    "FASTA": (">chr1\nACGT\n", {}, ["line 1", "'>chr1'"]),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD)
def test_bad_annotation_is_named(tmp_path, kind):
    text, arguments, words = BAD[kind]
    path = write(tmp_path / "genes.gtf", text)
    with pytest.raises(InputError) as error:
        read_tss(path, **arguments)
    assert "\n" not in str(error.value)
    for word in words + ([] if kind == "unknown rule" else [str(path)]):
        assert word in str(error.value)


@pytest.mark.parametrize(
    "damage, words",
    [
        (lambda b: b[:60], "break off"),
        (lambda b: b[:30] + b"xx" + b[32:], "damaged"),
        (lambda b: b"BZh" + b, "bzip2"),
    ],
)
def test_damaged_compression_is_named(tmp_path, damage, words):
    path = write(tmp_path / "genes.gtf.gz", "".join(TRANSCRIPTS))
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(InputError, match=words):
        read_tss(path)


def test_missing_file_suggests_a_neighbour(tmp_path):
    write(tmp_path / "genes.gtf.gz", "x")
    with pytest.raises(InputError, match=r"no such file.*Did you mean `genes.gtf.gz`"):
        read_tss(tmp_path / "genes.gtf")


FIELD = st.text(st.characters(codec="latin-1", exclude_characters="\r\n"), max_size=8)
COORDINATE = st.integers(-1, 99)
FEATURE = st.sampled_from(["gene", "transcript", "exon", "CDS"])
LINE = st.one_of(
    FIELD,
    st.lists(FIELD, min_size=9, max_size=9).map("\t".join),
    st.builds('c\ts\t{}\t{}\t{}\t.\t+\t.\tgene_id "{}"; {}'.format,
              FEATURE, COORDINATE, COORDINATE, FIELD, FIELD),
)  # fmt: skip
FUZZ = {"deadline": None, "suppress_health_check": [HealthCheck.function_scoped_fixture]}


@settings(max_examples=100, **FUZZ)
@given(st.lists(LINE, max_size=5), st.sampled_from(TSS_RULES))
def test_no_text_ends_in_a_traceback(tmp_path, lines, rule):
    path = tmp_path / "fuzz.gtf"
    path.write_bytes("\n".join(lines).encode("latin-1"))
    try:
        tss = read_tss(path, tss_rule=rule)
    except InputError:
        return
    assert not tss.duplicated(["gene_id", "chrom", "tss", "strand"]).any()
    assert tss["strand"].isin(["+", "-"]).all()


@settings(max_examples=50, **FUZZ)
@given(st.binary(max_size=200))
def test_no_bytes_end_in_a_traceback(tmp_path, data):
    path = tmp_path / "fuzz.gtf"
    path.write_bytes(data)
    with pytest.raises(InputError):
        read_tss(path)


def test_keep_biotypes_does_not_touch_its_argument(tmp_path):
    tss = read_tss(write(tmp_path / "a.gtf", FLAVOURS["Ensembl"]))
    keep_biotypes(tss, ["x"], "a.gtf")
    assert tss.attrs["steps"] == [("genes in the annotation", 1)]


@pytest.mark.parametrize(
    "name, n_genes, n_chromosomes, first",
    [
        ("sacCer3.tss_adjusted.systematic.gtf.gz", 6445, 16, ["YAL069W", "chrI", 334]),
        ("Saccharomyces_cerevisiae.R64-1-1.96.gtf.gz", 7036, 17, ["YDL248W", "IV", 1801]),
    ],
)
def test_yeast_annotations(name, n_genes, n_chromosomes, first):
    tss = read_tss(real(YEAST / name))
    assert len(tss) == n_genes and tss["chrom"].nunique() == n_chromosomes
    assert tss.loc[0, ["gene_id", "chrom", "tss"]].tolist() == first
    assert tss["gene_id"].is_unique
