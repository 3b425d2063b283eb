import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from made_inputs import SHARED, real, write

from cisgrammar.common.errors import InputError
from cisgrammar.counts import read_counts
from cisgrammar.genome.peaks import (
    centred,
    define_peaks,
    distal,
    locate,
    merge_same,
    peaks_from_names,
    place,
    with_places,
    without_blacklist,
)


def peaks(*places):
    return peaks_from_names([f"{chrom}:{start}-{end}" for chrom, start, end in places], "test")


def starts(table):
    return table["start"].tolist()


@pytest.mark.parametrize(
    "name, place",
    [
        ("chr1:5-9", ["chr1", 5, 9]),
        ("chr1-5-9", ["chr1", 5, 9]),
        ("chr1_5_9", ["chr1", 5, 9]),
        ("GL000194.1:5-9", ["GL000194.1", 5, 9]),
        ("chrUn_GL000220v1-5-9", ["chrUn_GL000220v1", 5, 9]),
        ("HLA-A*01:01-5-9", ["HLA-A*01:01", 5, 9]),
    ],
)
def test_names_of_peaks(name, place):
    assert peaks_from_names([name], "x").iloc[0].tolist() == [*place, name, "+"]


@pytest.mark.parametrize("name", ["GATA1", "chr1", "chr1:9-5", "chr1:5-5", ":5-9", "", "chr1:a-b"])
def test_other_names_are_refused(name):
    with pytest.raises(InputError, match=r"atac\.h5ad: 1 of 2 names are not peaks"):
        peaks_from_names(["chr1:5-9", name], "atac.h5ad")


@settings(deadline=None)
@given(
    st.from_regex(r"[A-Za-z][\w.:-]*", fullmatch=True), st.integers(0, 10**9), st.integers(1, 10**4)
)
def test_any_chromosome_name_comes_back(chrom, start, width):
    for joined in ("{}:{}-{}", "{}-{}-{}", "{}_{}_{}"):
        name = joined.format(chrom, start, start + width)
        place = peaks_from_names([name], "x").iloc[0]
        assert place[["chrom", "start", "end"]].tolist() == [chrom, start, start + width]


def test_centred_windows():
    found, steps = centred(
        peaks(("1", 10, 20), ("1", 10, 21), ("1", 0, 6), ("1", 95, 99), ("2", 5, 9)),
        8,
        {"chr1": 100},
    )
    assert found[["chrom", "start", "end"]].to_numpy().tolist() == [["chr1", 11, 19]] * 2
    assert dict(steps) == {
        "dropped: chromosome not in the FASTA": 1,
        "dropped: window off the end of the chromosome": 2,
    }


def test_chromosomes_of_a_file_are_categories():
    given = peaks(("1", 10, 20), ("2", 10, 20))
    lengths = {"chr1": 100, "chr2": 200}
    expected, steps = centred(given, 8, lengths)
    found, same = centred(given.assign(chrom=given["chrom"].astype("category")), 8, lengths)
    pd.testing.assert_frame_equal(found, expected)
    assert same == steps


TSS = pd.DataFrame({"chrom": ["1", "1"], "tss": [1000, 5000], "strand": ["+", "-"]})


@pytest.mark.parametrize(
    "start, end, kept",
    [
        (700, 800, True),  # ends before 200 upstream of 1,000
        (700, 801, False),
        (1100, 1200, False),  # the base 100 downstream is still near
        (1101, 1200, True),
        (4800, 4900, True),  # on the other strand downstream is to the left
        (4800, 4901, False),
        (5200, 5300, False),
        (5201, 5300, True),
    ],
)
def test_distal_follows_the_strand(start, end, kept):
    found, steps = distal(peaks(("chr1", start, end)), TSS, {"chr1": 10_000}, 200, 100)
    assert len(found) == kept
    assert steps == [("dropped: near a TSS", 1 - kept)]


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 990), st.integers(1, 9)), min_size=1, max_size=20))
def test_blacklist_against_brute_force(places):
    black = pd.DataFrame({"chrom": "chr1", "start": [100, 500], "end": [200, 510]})
    all_peaks = peaks(*[("chr1", start, start + width) for start, width in places])
    found, steps = without_blacklist(all_peaks, black)
    expected = [
        start for start, width in places
        if not any(start < end and start + width > begin for begin, end in [(100, 200), (500, 510)])
    ]  # fmt: skip
    assert starts(found) == expected
    assert steps == [("dropped: blacklisted", len(places) - len(expected))]


def test_same_windows_are_merged():
    windows = peaks(("chr1", 5, 9), ("chr1", 5, 8), ("chr1", 5, 9), ("chr2", 5, 9))
    merged, member, steps = merge_same(windows)
    assert merged["name"].tolist() == ["chr1:5-9", "chr1:5-8", "chr2:5-9"]
    assert member.tolist() == [0, 1, 0, 2]
    assert steps == [("merged: the same window", 1)]


@pytest.mark.parametrize(
    "path, modality, first",
    [
        ("atac_small/atac_small_peaks.h5ad", None, ["chr1", 713460, 714823]),
        ("pbmc_multiome_tiny/test_rna_atac.h5mu", "atac", ["chr1", 100350982, 100353664]),
    ],
)
def test_real_peak_names(path, modality, first):
    path = real(SHARED / path)
    counts = read_counts(path, modality=modality)
    found = peaks_from_names(counts.var_names, path)
    assert len(found) == counts.n_vars
    assert found.iloc[0][["chrom", "start", "end"]].tolist() == first


def test_real_genes_are_no_peaks():
    path = real(SHARED / "atac_small/atac_small_RNA.h5ad")
    with pytest.raises(InputError, match="500 of 500 names are not peaks"):
        peaks_from_names(ad.read_h5ad(path).var_names, path)


def test_nothing_near_nothing():
    none = peaks(("chr1", 1, 5)).iloc[:0]
    assert np.array_equal(without_blacklist(peaks(("chr1", 1, 5)), none)[0]["start"], [1])
    assert distal(none, TSS, {"chr1": 9}, 1, 1)[0].empty


def test_places_from_a_bed(tmp_path):
    bed = write(tmp_path / "peaks.bed.gz", "chr2\t5\t9\tp2\nchr1\t1\t3\tp1\nchr3\t1\t3\tp3\n")
    found = locate(["p1", "p2"], "atac.h5ad", bed)
    assert found[["chrom", "start", "name"]].to_numpy().tolist() == [
        ["chr1", 1, "p1"],
        ["chr2", 5, "p2"],
    ]
    with pytest.raises(InputError, match=r"1 of the 2 peaks of atac\.h5ad are not in it \(p9"):
        locate(["p1", "p9"], "atac.h5ad", bed)
    write(bed, "chr2\t5\t9\tp2\nchr1\t1\t3\tp2\n")
    with pytest.raises(InputError, match=r"1 names come more than once \(p2\)"):
        locate(["p2"], "atac.h5ad", bed)


def test_peaks_with_one_middle_are_added_up():
    names = ["1:0-10", "2:0-10", "1:2-8", "1:3-8", "2:4-6"]
    matrix = sp.csr_matrix(np.arange(10, dtype=np.float32).reshape(2, 5))
    data = ad.AnnData(matrix, var=pd.DataFrame(index=names))
    found = with_places(data, "x")
    assert found.var_names.tolist() == ["1:0-10", "2:0-10"]
    assert found.var["merged"].tolist() == [3, 2]  # 5.5 is rounded down
    assert found.X.toarray().tolist() == [[0 + 2 + 3, 1 + 4], [5 + 7 + 8, 6 + 9]]
    assert found.X.dtype == np.float32


def test_windows_of_peaks_step_by_step():
    names = ["1:500-520", "1:90-110", "1:300-320", "1:2-6", "9:5-9", "1:700-720", "1:702-718"]
    tss = pd.DataFrame({"chrom": ["1"], "tss": [150], "strand": ["+"]})
    blacklist = pd.DataFrame({"chrom": ["chr1"], "start": [300], "end": [301]})
    windows, counts = define_peaks(
        place(names, "x")[0],
        {"chr1": 1000},
        length=20,
        tss=tss,
        upstream=50,
        downstream=20,
        blacklist=blacklist,
    )
    assert windows[["chrom", "start", "end", "name"]].to_numpy().tolist() == [
        ["chr1", 500, 520, "1:500-520"],
        ["chr1", 700, 720, "1:700-720"],
    ]
    assert dict(counts.to_numpy()) == {
        "peaks in the counts": 7,
        "merged: the same window": 1,
        "dropped: chromosome not in the FASTA": 1,
        "dropped: window off the end of the chromosome": 1,
        "dropped: blacklisted": 1,
        "dropped: near a TSS": 1,
        "windows": 2,
    }
    with pytest.raises(InputError, match=r"of 2 peaks.*none has a window.*not in the FASTA: 2"):
        define_peaks(place(["8:0-9", "9:0-9"], "x")[0], {"chr1": 100}, length=8)
