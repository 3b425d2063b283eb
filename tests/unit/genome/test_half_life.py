"""Half-life features of hand-made transcripts, on both strands."""

import numpy as np
import pytest
from made_inputs import gtf_row, write

from cisgrammar.common.errors import InputError
from cisgrammar.genome.half_life import (
    LENGTHS,
    Transcript,
    add_cds,
    half_life_features,
    measure,
    merge,
    read_transcripts,
    untranslated,
)

# Counted from 1, ends included: exons 101-200, 301-400, 501-650; CDS 151-200, 301-400, 501-547,
# stop codon 548-550. On the + strand: 5' UTR 50, CDS 200, 3' UTR 100, introns 200, two junctions.
EXONS = [(101, 200), (301, 400), (501, 650)]
CODING = [(151, 200), (301, 400), (501, 547)]
STOP = (548, 550)
PLUS = {
    "utr5_length": 50,
    "cds_length": 200,
    "utr3_length": 100,
    "intron_length": 200,
    "exon_density": 1000 * 2 / 200,
}


def mirrored(stretches, strand, length=1000):
    """Give the same gene on the other strand of a chromosome of so many bases."""
    if strand == "+":
        return stretches
    return [(length + 1 - end, length + 1 - start) for start, end in stretches[::-1]]


def gene(strand, exons=EXONS, coding=CODING, stop=(STOP,), name="G1", chrom="chr1"):
    exons, coding, stop = (mirrored(list(x), strand) for x in (exons, coding, stop))
    ids = {"gene_id": name, "transcript_id": f"{name}.t"}
    where = (exons[0][0], exons[-1][1], strand, chrom)
    rows = [gtf_row("gene", *where, gene_id=name), gtf_row("transcript", *where, **ids)]
    for feature, stretches in (("exon", exons), ("CDS", coding), ("stop_codon", stop)):
        rows += [gtf_row(feature, *stretch, strand, chrom, **ids) for stretch in stretches]
    return "".join(rows)


def measured(folder, text, measures="spliced"):
    return measure(read_transcripts(write(folder / "genes.gtf", text))["G1"], measures)


@pytest.mark.parametrize("strand", "+-")
def test_lengths_are_those_counted_by_hand(tmp_path, strand):
    assert measured(tmp_path, gene(strand)) == pytest.approx(PLUS)


@pytest.mark.parametrize("strand", "+-")
def test_genomic_lengths_are_those_of_the_published_code(tmp_path, strand):
    """UTRs keep their introns, the stop codon is in the 3' UTR, exons are counted."""
    exons = [(11, 60), *EXONS, (701, 720)]  # 5' UTR 50 + 50, 3' UTR 100 + 20
    assert measured(tmp_path, gene(strand, exons)) == pytest.approx(
        PLUS
        | {"utr5_length": 100, "utr3_length": 120, "intron_length": 290}
        | {"exon_density": 1000 * 4 / 200}
    )
    assert measured(tmp_path, gene(strand, exons), "genomic") == pytest.approx(
        {
            "utr5_length": 140,
            "cds_length": 197,
            "utr3_length": 173,
            "intron_length": 290,
            "exon_density": 1000 * 5 / 197,
        }
    )


@pytest.mark.parametrize("strand", "+-")
@pytest.mark.parametrize("measures", ["spliced", "genomic"])
def test_an_end_that_is_not_annotated_is_missing_and_not_0(tmp_path, strand, measures):
    no_five = measured(tmp_path, gene(strand, [(151, 200), *EXONS[1:]]), measures)
    no_three = measured(tmp_path, gene(strand, [*EXONS[:2], (501, 550)]), measures)
    assert [name for name in LENGTHS if np.isnan(no_five[name])] == ["utr5_length"]
    assert [name for name in LENGTHS if np.isnan(no_three[name])] == ["utr3_length"]


def test_a_gene_without_introns_has_introns_of_length_0(tmp_path):
    found = measured(tmp_path, gene("+", [(101, 650)], [(151, 547)]))
    assert (found["intron_length"], found["exon_density"]) == (0, 0)


def test_a_gene_without_cds_has_introns_only(tmp_path):
    found = measured(tmp_path, gene("+", coding=[], stop=[]))
    assert [name for name in LENGTHS if not np.isnan(found[name])] == ["intron_length"]
    assert found["intron_length"] == 200


def test_exons_are_pieced_together_where_there_are_no_rows_of_them(tmp_path):
    """As in SGD's GFF3: CDS and UTRs; or CDS and the transcript's ends alone."""
    head = "chr1\tx\tgene\t101\t650\t.\t+\t.\tID=G1;gene_id=G1\n"
    head += "chr1\tx\tmRNA\t101\t650\t.\t+\t.\tID=T1;Parent=G1\n"
    cds = [(151, 200), (301, 400), (501, 550)]
    utrs = [("five_prime_UTR", 101, 150), ("three_prime_UTR", 551, 650)]
    rows = [f"chr1\tx\tCDS\t{start}\t{end}\t.\t+\t0\tParent=T1\n" for start, end in cds]
    rows += [f"chr1\tx\t{kind}\t{start}\t{end}\t.\t+\t.\tParent=T1\n" for kind, start, end in utrs]
    assert measured(tmp_path, head + "".join(rows)) == pytest.approx(PLUS)
    assert measured(tmp_path, head + "".join(rows[:3])) == pytest.approx(PLUS)


@pytest.mark.parametrize("strand", "+-")
def test_ends_of_one_annotation_and_cds_of_another(tmp_path, strand):
    """The ends' one exon spans the gene; introns and CDS come from the other file."""
    ends = read_transcripts(write(tmp_path / "a.gtf", gene(strand, [(101, 650)], [], [])))
    its_exons = [(151, 200), (301, 400), (501, 550)]
    other = write(tmp_path / "b.gtf", gene(strand, its_exons, chrom="1"))
    joined = add_cds(ends, read_transcripts(other))
    assert measure(joined["G1"]) == pytest.approx(PLUS)


def test_an_end_within_the_cds_is_not_measured_and_other_strands_do_not_join(tmp_path):
    coding = read_transcripts(write(tmp_path / "b.gtf", gene("+")))
    late = {"G1": Transcript("chr1", "+", [(170, 650)], [])}
    assert np.isnan(measure(add_cds(late, coding)["G1"])["utr5_length"])
    assert measure(add_cds(late, coding)["G1"])["cds_length"] == 200
    assert not add_cds({"G1": Transcript("chr1", "-", [(100, 650)], [])}, coding)["G1"].cds
    assert not add_cds({"G2": Transcript("chr1", "+", [(100, 650)], [])}, coding)["G2"].cds


@pytest.mark.parametrize("strand", "+-")
def test_gc_contents_are_of_the_parts(tmp_path, strand):
    sequence = np.full(1000, "A")
    for start, end in mirrored([(101, 150)], strand):
        sequence[start - 1 : end] = "G"
    for start, end in mirrored([(151, 200), (301, 350)], strand):
        sequence[start - 1 : end] = "C"
    fasta = write(tmp_path / "genome.fa", f">1\n{''.join(sequence)}\n")
    transcripts = read_transcripts(write(tmp_path / "genes.gtf", gene(strand)))
    table = half_life_features(transcripts, ["G1", "absent"], gc_of=(fasta, tmp_path / "work"))
    assert table.loc["G1", ["utr5_gc", "cds_gc", "utr3_gc"]].tolist() == [1, 0.5, 0]
    assert table.loc["absent"].isna().all()


def test_untranslated_parts_lie_along_the_strand():
    transcript = Transcript("chr1", "-", [(0, 100)], [(30, 60)])
    assert untranslated(transcript) == ([(60, 100)], [(0, 30)])
    assert merge([(5, 9), (1, 5)]) == [(1, 9)]


def test_genes_without_transcripts_are_said(tmp_path):
    path = write(tmp_path / "genes.gtf", gtf_row("gene", 1, 90, gene_id="G1"))
    with pytest.raises(InputError, match="no gene has a transcript"):
        read_transcripts(path)
