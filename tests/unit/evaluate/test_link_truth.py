import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cisgrammar.common.errors import InputError
from cisgrammar.evaluate.link_scores import score_methods
from cisgrammar.evaluate.link_truth import (
    label_enhancers,
    label_eqtls,
    label_interactions,
    label_tested_pairs,
    overlapping,
    read_pairs,
    read_places,
)

SHARED = Path(__file__).parents[4] / "shared/data/links"
REGIONS = st.lists(
    st.tuples(st.sampled_from("ab"), st.integers(0, 60), st.integers(1, 30)), max_size=15
)
needs_data = pytest.mark.skipif(
    not SHARED.is_dir() and os.environ.get("CI") != "true", reason=f"{SHARED} is not there"
)


def regions(rows):
    rows = [(chrom, start, start + width) for chrom, start, width in rows]
    return pd.DataFrame(rows, columns=["chrom", "start", "end"])


@given(REGIONS, REGIONS)
def test_overlaps_are_those_of_a_comparison_of_all_with_all(first, second):
    first, second = regions(first), regions(second)
    expected = [
        (i, j)
        for i, a in enumerate(first.itertuples())
        for j, b in enumerate(second.itertuples())
        if a.chrom == b.chrom and a.start < b.end and b.start < a.end
    ]
    assert list(zip(*overlapping(first, second), strict=True)) == expected


PEAKS = pd.DataFrame(
    {"chrom": "chr1", "start": [100, 500, 900], "end": [200, 600, 1000]}, index=["p1", "p2", "p3"]
)
LINKS = pd.DataFrame(
    {
        "gene": ["G1", "G1", "G2"],
        "gene_name": ["one", "one", "two"],
        "peak": ["p1", "p2", "p1"],
        "promoter_peak": ["p3", "p3", "p2"],
        "score": [3.0, 5.0, 1.0],
    }
)


def write_pairs(path, **changes):
    columns = {
        "chrom": ["chr1"] * 4,
        "chromStart": ["150", "150", "700", "550"],
        "chromEnd": ["520", "160", "710", "560"],
        "measuredGeneSymbol": ["one", "two", "one", "NA"],
        "Regulated": ["TRUE", "FALSE", "TRUE", "FALSE"],
        "distanceToTSS": ["10", "20", "30", "40"],
    }
    pd.DataFrame(columns | changes).to_csv(path, sep="\t", index=False)
    return path


def test_a_tested_pair_has_the_best_score_of_what_it_overlaps(tmp_path):
    truth = read_pairs(write_pairs(tmp_path / "pairs.tsv"))
    table = label_tested_pairs("pairs.tsv", truth, PEAKS, LINKS, ["score"])
    assert table["gene"].tolist() == ["G1", "G2", "G1"]  # there is no gene called NA here
    assert table["score"].tolist() == [5.0, 1.0, 1.0]  # the last touches no peak: the lowest
    assert table["label"].tolist() == [True, False, True]
    assert table["distance"].tolist() == [10, 20, 30]


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"Regulated": ["TRUE", "NA", "TRUE", "FALSE"]}, "column Regulated holds NA in 1 rows"),
        ({"chromEnd": ["520", "x", "1", "2"]}, "column chromEnd holds x"),
    ],
)
def test_a_damaged_table_of_pairs_is_refused(tmp_path, changes, message):
    with pytest.raises(InputError, match=message):
        read_pairs(write_pairs(tmp_path / "pairs.tsv", **changes))


def test_a_table_without_the_columns_is_refused(tmp_path):
    (tmp_path / "pairs.tsv").write_text("chrom\tchromStart\tchromEnd\nchr1\t1\t2\n")
    with pytest.raises(InputError, match="no column measuredGeneSymbol, Regulated"):
        read_pairs(tmp_path / "pairs.tsv")


def test_a_truth_of_another_assembly_is_refused(tmp_path):
    truth = read_pairs(write_pairs(tmp_path / "pairs.tsv", chrom=["1"] * 4))
    with pytest.raises(InputError, match="another genome assembly"):
        label_tested_pairs("pairs.tsv", truth, PEAKS, LINKS, ["score"])


def test_enhancers_interactions_and_eqtls_label_links(tmp_path):
    (tmp_path / "enhancers.bed").write_text("track name=x\nchr1\t590\t700\n")
    (tmp_path / "pairs.bedpe").write_text("chr1\t950\t960\tchr1\t90\t101\nchr1\t1\t2\tchr1\t5\t6\n")
    (tmp_path / "eqtls.bed").write_text("chr1\t150\t151\ttwo\nchr1\t550\t551\tother\n")
    enhancers = read_places(tmp_path / "enhancers.bed")
    assert label_enhancers("e", enhancers, PEAKS, LINKS).tolist() == [False, True, False]
    interactions = read_places(tmp_path / "pairs.bedpe", 6)
    assert label_interactions("i", interactions, PEAKS, LINKS).tolist() == [True, False, False]
    eqtls = read_places(tmp_path / "eqtls.bed")
    assert label_eqtls("q", eqtls, PEAKS, LINKS).tolist() == [False, False, True]
    with pytest.raises(InputError, match=r"line 2: chr1, 590, 700 is not BEDPE"):
        read_places(tmp_path / "enhancers.bed", 6)


@needs_data
def test_distance_alone_on_the_crispri_pairs_gives_the_known_areas():
    truth = read_pairs(SHARED / "crispr_K562_training.GRCh38.tsv.gz")
    assert (len(truth), int(truth["regulated"].sum())) == (10_356, 471)
    places = truth[["chrom", "start", "end"]].drop_duplicates().reset_index(drop=True)
    places.index = [f"{row.chrom}:{row.start}-{row.end}" for row in places.itertuples()]
    pairs = truth.assign(peak=truth["chrom"] + ":" + truth["start"].astype(str) + "-"
                         + truth["end"].astype(str))  # fmt: skip
    links = pairs.rename(columns={"gene": "gene_name"}).assign(
        gene=truth["gene"], by_distance=-truth["distance"].abs()
    )
    links = links.drop_duplicates(["gene", "peak"])
    table = label_tested_pairs("K562", truth, places, links, ["by_distance"])
    assert len(table) == len(truth)
    table["by_distance"] = -table["distance"]
    scores = score_methods(table, ["by_distance"], edges=[0, 10_000], n_bootstrap=20, seed=1)
    whole = scores[scores["distance_window"] == "all"].iloc[0]
    assert round(whole["auprc"], 2) == 0.44
    assert round(whole["auroc"], 2) == 0.90


@needs_data
def test_the_whole_fantom_file_is_read_and_overlapped():
    enhancers = read_places(SHARED / "F5.hg38.enhancers.bed.gz")
    assert len(enhancers) == 63_285
    peaks = enhancers[["chrom", "start", "end"]].iloc[::7].copy()
    peaks.loc[peaks.index[::2], ["start", "end"]] += 10**9  # every other is nowhere
    peaks.index = [f"p{i}" for i in range(len(peaks))]
    links = pd.DataFrame({"peak": peaks.index})
    label = label_enhancers("F5", enhancers, peaks, links)
    assert label.tolist() == [i % 2 == 1 for i in range(len(peaks))]
    assert np.isclose(label.mean(), 0.5, atol=0.01)
