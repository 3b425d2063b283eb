import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_inputs import YEAST, real, write

from cisgrammar.common.errors import InputError
from cisgrammar.common.files import write_table
from cisgrammar.genome.fasta import chrom_sizes
from cisgrammar.genome.regions import (
    given_regions,
    promoters,
    read_bed,
    read_windows,
    sequence_codes,
    write_bed,
)
from cisgrammar.genome.sequence import decode
from cisgrammar.genome.tss import read_tss


def sites(*rows):
    columns = ["gene_id", "chrom", "tss", "strand", "gene_name"]
    return pd.DataFrame([(*row, "name") for row in rows], columns=columns)


@pytest.mark.parametrize(
    "strand, upstream, downstream, start, end",
    [
        ("+", 30, 20, 70, 120),
        ("-", 30, 20, 81, 131),
        ("+", 0, 1, 100, 101),
        ("-", 0, 1, 100, 101),
        ("+", 30, 1, 70, 101),
        ("-", 30, 1, 100, 131),
        ("+", 100, 50, 0, 150),
        ("-", 100, 50, 51, 201),
    ],
)
def test_window_by_hand(strand, upstream, downstream, start, end):
    windows, _ = promoters(sites(("G", "c", 100, strand)), {"c": 201}, upstream, downstream)
    assert windows.iloc[0].tolist() == ["c", start, end, "G", strand, "name"]


def test_windows_off_the_end_are_dropped_and_counted():
    tss = sites(
        ("left", "1", 9, "+"), ("right", "1", 95, "-"), ("beyond", "1", 100, "+"),
        ("elsewhere", "2", 50, "+"), ("good", "1", 50, "-"), ("edge", "1", 10, "+"),
    )  # fmt: skip
    windows, counts = promoters(tss, {"chr1": 100}, 10, 5)
    assert windows["name"].tolist() == ["good", "edge"]
    assert windows["chrom"].tolist() == ["chr1", "chr1"]
    assert dict(counts.to_numpy()) == {
        "genes with a TSS": 6,
        "dropped: chromosome not in the FASTA": 1,
        "dropped: window off the end of the chromosome": 3,
        "windows": 2,
    }


@pytest.mark.parametrize(
    "style, upstream, words", [("as_is", 10, r"\(1 against chr1\)"), ("auto", 60, "65 bases long")]
)
def test_no_window_at_all_is_an_error(style, upstream, words):
    with pytest.raises(InputError, match=f"none has a promoter window: .*{words}"):
        promoters(sites(("G", "1", 50, "+")), {"chr1": 100}, upstream, 5, style)


def test_without_bedtools_the_message_says_how_to_install_it(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(InputError, match="apt-get install bedtools"):
        promoters(sites(("G", "c", 50, "+")), {"c": 100}, 10, 5)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 120), st.sampled_from("+-")), min_size=1, max_size=10),
    st.integers(0, 20),
    st.integers(1, 20),
)
def test_the_tss_stands_after_the_upstream_bases(places, upstream, downstream):
    tss = sites(*[(str(i), "c", *place) for i, place in enumerate(places)])
    try:
        windows, _ = promoters(tss, {"c": 100}, upstream, downstream)
    except InputError:
        windows = tss.iloc[:0].rename(columns={"gene_id": "name"})
    for i, (position, strand) in enumerate(places):
        start = position - upstream if strand == "+" else position - downstream + 1
        fits = start >= 0 and start + upstream + downstream <= 100 and position < 100
        window = windows[windows["name"] == str(i)]
        assert len(window) == fits
        if fits:
            assert window.iloc[0][["start", "end"]].tolist() == [
                start,
                start + upstream + downstream,
            ]


GENOME = ">c\nAACCGGTTAC\nGTnACGTacg\nRAC\n"


def regions(*rows):
    return pd.DataFrame(rows, columns=["chrom", "start", "end", "name", "strand"])


@pytest.mark.parametrize("name", ["g.fa", "g.fa.gz"])
def test_sequence_along_the_strand(tmp_path, name):
    fasta = write(tmp_path / name, GENOME)
    spans = [(0, "+"), (0, "-"), (10, "+"), (16, "+")]
    places = regions(*[("c", start, start + 4, "x", strand) for start, strand in spans])
    codes, keep = sequence_codes(places, fasta, tmp_path / "work")
    assert [decode(row) for row in codes] == ["AACC", "GGTT", "GTNA", "TACG"]
    assert keep.tolist() == [True, True, False, True]
    assert codes.dtype == np.uint8


@pytest.mark.parametrize(
    "place, words",
    [
        (("c", 18, 22, "x", "+"), "'R' at c:21"),
        (("c", 20, 24, "x", "+"), "another assembly"),
        (("d", 0, 4, "x", "+"), "c here"),
    ],
)
def test_bad_places_are_named(tmp_path, place, words):
    fasta = write(tmp_path / "g.fa", GENOME)
    with pytest.raises(InputError, match=words) as error:
        sequence_codes(regions(place), fasta, tmp_path / "work")
    assert str(fasta) in str(error.value)


def test_regions_of_two_lengths_are_refused(tmp_path):
    with pytest.raises(ValueError, match="one length"):
        sequence_codes(regions(("c", 0, 4, "a", "+"), ("c", 0, 5, "b", "+")), "x", tmp_path)


def test_bed_comes_back_as_it_was(tmp_path):
    windows, _ = promoters(sites(("G1", "c", 50, "+"), ("G2", "c", 60, "-")), {"c": 100}, 10, 5)
    write_bed(windows, tmp_path / "r.bed")
    pd.testing.assert_frame_equal(read_bed(tmp_path / "r.bed"), windows)
    assert (tmp_path / "r.bed").read_text().splitlines()[0] == "c\t40\t55\tG1\t0\t+\tname"


def test_bed_of_three_columns(tmp_path):
    path = write(tmp_path / "a.bed.gz", "track name=x\n#c\n\nchr1\t5\t9\n")
    assert read_bed(path).to_numpy().tolist() == [["chr1", 5, 9, "chr1:5-9", "+"]]


@pytest.mark.parametrize(
    "text, words",
    [
        ("", "empty"),
        ("#only a comment\n", "not one region"),
        ("chr1 5 9\n", "line 1 is not a BED line"),
        ("chr1\t1\t2\nchr1\t9\t5\n", "line 2"),
        ("chr1\tx\t5\n", "line 1"),
        ("chr1\t-1\t5\n", "line 1"),
        ("\t1\t5\n", "line 1"),
    ],
)
def test_bad_bed_is_named(tmp_path, text, words):
    path = write(tmp_path / "a.bed", text)
    with pytest.raises(InputError, match=words) as error:
        read_bed(path)
    assert str(path) in str(error.value)


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.text("chr1\t-+.09x\n é", max_size=12), max_size=5))
def test_no_bed_ends_in_a_traceback(tmp_path, parts):
    path = tmp_path / "fuzz.bed"
    path.write_bytes("\t".join(parts).encode())
    try:
        bed = read_bed(path)
    except InputError:
        return
    assert (bed["start"] < bed["end"]).all()


def test_yeast_start_codons_stand_at_the_tss_of_coding_genes(tmp_path):
    fasta = real(YEAST / "sacCer3.fa.gz")
    tss = read_tss(real(YEAST / "Saccharomyces_cerevisiae.R64-1-1.96.gtf.gz"),
                   biotypes=["protein_coding"])  # fmt: skip
    windows, counts = promoters(tss, chrom_sizes(fasta, tmp_path), 500, 500)
    assert dict(counts.to_numpy())["windows"] == len(windows) == 6594
    codes, keep = sequence_codes(windows, fasta, tmp_path)
    assert keep.all()
    starts = [decode(row[500:503]) for row in codes]
    assert starts.count("ATG") / len(starts) > 0.99


def test_windows_from_a_bed(tmp_path):
    bed = write(
        tmp_path / "windows.bed",
        "1\t10\t20\tG2\t0\t-\tname2\n1\t30\t40\tG1\t0\t+\tname1\n"
        "2\t30\t40\tG3\n1\t95\t105\tG4\n1\t5\t15\tother\n",
    )
    windows, counts = given_regions(bed, ["G1", "G2", "G3", "G4", "G5"], {"chr1": 100})
    assert windows.to_numpy().tolist() == [
        ["chr1", 30, 40, "G1", "+", "name1"],
        ["chr1", 10, 20, "G2", "-", "name2"],
    ]
    assert dict(counts.to_numpy()) == {
        "genes in the counts": 5,
        "dropped: not in the BED": 1,
        "dropped: chromosome not in the FASTA": 1,
        "dropped: window off the end of the chromosome": 1,
        "windows": 2,
    }


@pytest.mark.parametrize(
    "text, words",
    [
        ("1\t10\t20\tG1\n1\t30\t41\tG2\n", r"differ in length \(10, 11 bases\).*one length"),
        ("1\t10\t20\tG1\n1\t30\t40\tG1\n", r"1 genes have more than one region \(G1\)"),
        ("1\t10\t20\tLOC1\n", r"no gene of the counts has a window.*LOC1.*G1, G2"),
    ],
)
def test_windows_that_do_not_fit(tmp_path, text, words):
    with pytest.raises(InputError, match=words):
        given_regions(write(tmp_path / "w.bed", text), ["G1", "G2"], {"chr1": 100})


@pytest.mark.parametrize("text, names", [("c\t0\t9\tA\t0\t+\n", "AB"), (None, "AC")])
def test_windows_that_are_not_those_of_an_earlier_job_are_refused(tmp_path, text, names):
    path, steps = tmp_path / "regions.bed", tmp_path / "region_counts.tsv"
    windows, _ = promoters(sites(("A", "c", 50, "+"), ("B", "c", 60, "-")), {"c": 201}, 30, 20)
    write_bed(windows, path)
    write_table(pd.DataFrame({"step": ["windows"], "genes": [2]}), steps)
    assert read_windows(path, steps, ["A", "B", "C"]).index.tolist() == ["A", "B"]
    if text:
        path.write_text(text)
    with pytest.raises(InputError, match=r"regions\.bed: .*Delete it and run again"):
        read_windows(path, steps, list(names))
