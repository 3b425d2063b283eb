import pandas as pd
import pytest
from made_inputs import check_inputs, write, write_inputs

from cisgrammar.checks.outlook import (
    Machine,
    Need,
    amounts,
    downloads,
    guessed_seconds,
    outlook,
    read_benchmarks,
)
from cisgrammar.downloads.sources import Source


@pytest.fixture
def checks(tmp_path):
    """Give a table of checks in which one thing is odd."""
    return check_inputs(**write_inputs(tmp_path, cells_per_pool=11))


def benchmark(folder, name, seconds, memory="10.5"):
    columns = "s\th:m:s\tmax_rss\n"
    rows = "".join(f"{s}\t0:00:01\t{memory}\n" for s in seconds)
    return write(folder / name, columns + rows)


def tell(checks, folder, **changes):
    arguments = {
        "name": "mine",
        "preflight": checks,
        "needs": {"check_inputs": Need(1, 2000, 8), "tune_model": Need(10, 9000, 84)},
        "outputs": ["results/mine/a.svg", "results/mine/a.png"]
        + [f"results/mine/scover/fold{i}/b.tsv" for i in range(3)],
        "measured": read_benchmarks(folder / "benchmarks"),
        "machine": Machine(2, 8000, 5000),
        "results_mb": 300,
        "results": folder / "results",
    }
    return outlook(**arguments | changes)


def test_amounts_of_data(checks):
    found = {"cells": 20, "genes": 12, "sequences": 12, "targets": 10}
    assert amounts(checks) == found
    given = [("sequences", "1,200 of 500 bases"), ("targets", "3")]
    table = pd.DataFrame([(*row, "ok", "") for row in given], columns=checks.columns)
    assert amounts(table) == {"sequences": 1200, "length": 500, "targets": 3}
    both = [
        ("counts", "h5mu: 9 cells x 5 genes"),
        ("counts of peaks", "h5mu: 8 cells x 70 peaks"),
        ("shared cells", "8 of 9 with RNA have peaks"),
    ]
    table = pd.DataFrame([(*row, "ok", "") for row in both], columns=checks.columns)
    assert amounts(table) == {"cells": 9, "genes": 70}
    assert amounts(table[1:2]) == {"cells": 8, "genes": 70}


def test_benchmarks_are_summed_up_by_rule(tmp_path):
    for fold, seconds in enumerate([1, 2, 9]):
        benchmark(tmp_path, f"mine/tune_model.scover.fold{fold}.tsv", [seconds], memory=fold)
    benchmark(tmp_path, "mine/check_inputs.tsv", [4], memory="-")  # too short to be measured
    table = read_benchmarks(tmp_path).set_index("rule")
    assert table.loc["tune_model", ["seconds", "memory_mb"]].tolist() == [2, 2]
    assert pd.isna(table.loc["check_inputs", "memory_mb"])
    assert read_benchmarks(tmp_path / "absent").empty


def test_all_is_told(checks, tmp_path):
    text = tell(checks, tmp_path)
    for words in (
        "Files that a run makes: 5 (already there: 0)",
        "a.{png,svg}  (2)",
        "scover/fold*/b.tsv  (3)",
        "2 cores with 8.0 GB",
        "h5ad: 20 cells x 12 genes",
        "! cell types",
        "fewer cells than a pool has: a (10), b (10)",
        "pools: 10 pools of 11 cells",
        "sequences: 12 promoters (genes with a TSS: 12",
        "detected in too few pools",
        "Tuning and training have not been run",
        "warnings first (lines with `!`): 3.",
    ):
        assert words in text


def test_a_rule_that_asks_for_more_than_there_is_is_marked(checks, tmp_path):
    lines = tell(checks, tmp_path).splitlines()
    assert [line[0] for line in lines if "_model" in line or "check_inputs" in line] == [" ", "!"]
    assert any("more memory than this machine has" in line for line in lines)
    assert "more memory than" not in tell(checks, tmp_path, machine=Machine(2, 9000, 5000))


def test_a_disk_that_is_too_full_is_a_warning(checks, tmp_path):
    text = tell(checks, tmp_path)
    assert "  The results will take about 0.3 GB of disk space; 5.0 GB are free" in text
    text = tell(checks, tmp_path, machine=Machine(2, 8000, 200))
    assert "! The results will take about 0.3 GB of disk space; 0.2 GB are free" in text
    assert "warnings first (lines with `!`): 4." in text


def test_times_of_this_data_set_come_before_those_of_others(checks, tmp_path):
    benchmark(tmp_path / "benchmarks", "other/tune_model.scover.fold0.tsv", [600])
    benchmark(tmp_path / "benchmarks", "other/check_inputs.tsv", [600])
    benchmark(tmp_path / "benchmarks", "mine/check_inputs.tsv", [5])
    text = tell(checks, tmp_path)
    assert "1    2.0 GB       8 s  5 s, 0.0 GB\n" in text
    assert "10    9.0 GB      84 s  10 min, 0.0 GB in other\n" in text
    assert "1 of 2 rules were measured in an earlier run of this data set" in text
    assert "about 14 min one after another, or about 7 min on 2 cores" in text  # 5 s + 10 x 84 s
    assert "Times with `in` and a name were measured in that data set." in text


@pytest.mark.parametrize(
    "limit, floor, seconds, measured",  # as docs/examples tell of stressed yeast and of DNase sites
    [(72.6, 60, 84, 76), (32.5, 30, 23, 14), (61.55, 60, 17, 20), (30, 30, 8, None)],
)
def test_a_job_is_guessed_by_what_its_limit_adds_for_the_size_of_its_files(
    limit, floor, seconds, measured
):
    guess = guessed_seconds(limit, floor)
    assert guess == pytest.approx(seconds, abs=1)
    assert measured is None or measured / 2 < guess < 2 * measured


def test_the_last_run_says_what_drops_later(checks, tmp_path):
    write(tmp_path / "results/sequence_counts.tsv", "step\tgenes\nwindows\t12\ndropped: weak\t2\n")
    text = tell(checks, tmp_path)
    assert "windows to sequences, in the last run: windows: 12; dropped: weak: 2" in text
    assert "detected in too few pools" not in text


def test_what_has_to_be_fetched_is_told_at_once():
    url = "https://example.org/{}"
    sources = [
        Source("mouse", "genome.fa.gz", "1", url.format("g"), "", 800_000_000, "CC0", "", ""),
        Source("cells", "counts.h5", "1", url.format("c"), "", None, "CC0", "", ""),
    ]
    said = downloads("mine", sources, "cache", "config/mine.yaml")
    assert "2 files are not there yet (1 of them: 0.8 GB)" in said
    assert "into cache" in said
    assert "mouse/genome.fa.gz  (800 MB)\n    https://example.org/g" in said
    assert "cells/counts.h5\n    https://example.org/c" in said
    assert "snakemake fetch --cores 1 --configfile config/mine.yaml" in said
