"""`snakemake check` runs the checks and nothing else, and tells what a run will do."""

import copy
import os
import re

import pytest
import yaml
from conftest import ROOT

from cisgrammar.downloads.sources import read_sources

CONFIGS = sorted((ROOT / "config").glob("*.yaml"))


def paths_of(value):
    """List the values of a config that lead to shared data or to downloads."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [path for item in value for path in paths_of(item)]
    return [value] if isinstance(value, str) and value.startswith(("../", "download:")) else []


def absolute(value):
    """Let paths start at the repository, wherever the run is."""
    if isinstance(value, dict):
        return {key: absolute(item) for key, item in value.items()}
    if isinstance(value, list):
        return [absolute(item) for item in value]
    if isinstance(value, str) and value.startswith("../"):
        return str((ROOT / value).resolve())
    return value


def of_downloads(path):
    return any(file.startswith("download:") for file in paths_of(yaml.safe_load(path.read_text())))


FETCHED = [path for path in CONFIGS if of_downloads(path)]
LOCAL = [path for path in CONFIGS if path not in FETCHED]


@pytest.mark.parametrize("path", LOCAL, ids=lambda path: path.name)
def test_check_of_every_config_of_the_repository(path, new_run):
    config = yaml.safe_load(path.read_text())
    files = paths_of(config)
    if not all((ROOT / file).exists() for file in files):
        message = f"real data are absent: {files}"
        pytest.fail(message) if os.environ.get("CI") == "true" else pytest.skip(message)
    run = new_run(absolute(config))
    said = run.snakemake("--cores", "1", "check")
    assert "No problem was found: the run can start." in said
    for heading in (
        "Files that a run makes",
        "Time and memory",
        "Findings",
        "What remains after filtering",
    ):
        assert heading in said
    assert re.search(r"^. tune_model +\d+ ", said, re.M)
    assert re.search(r"^  sequences: [\d,]+ ", said, re.M)
    checks = {"check_config", "check_sequences"}
    assert set(run.rules_run()) <= {"simulate_data", "read_sequences", "check", *checks}
    assert (run.folder / f"logs/check/{config['name']}.log").read_text() in said


@pytest.mark.parametrize("path", FETCHED, ids=lambda path: path.name)
def test_check_without_the_downloads_tells_them_and_fetches_nothing(path, new_run, tmp_path):
    config = yaml.safe_load(path.read_text())
    config["downloads"] = {"folder": str(tmp_path / "cache")}
    run = new_run(absolute(config))
    said = run.snakemake("--cores", "1", "check")
    assert run.rules_run() == ["check"]
    assert f"To be fetched into {tmp_path}/cache" in said
    sources = read_sources(ROOT / "resources/sources.tsv")
    for file in paths_of(config):
        source = sources[file.removeprefix("download:")]
        source = sources[source.archive] if source.member else source
        assert f"  {source.name}" in said
        assert source.url in said
    assert "The check goes on once they are there." in said
    assert not (tmp_path / "cache").exists()
    assert (run.folder / f"logs/check/{config['name']}.log").read_text() in said


def test_check_of_bad_input_tells_all_at_once(new_run, tiny_config, finished, tmp_path):
    made = finished.results / "simulation"
    (tmp_path / "genes.gtf").write_text((made / "annotation.gtf").read_text().replace("chr", "Z"))
    config = copy.deepcopy(tiny_config)
    del config["simulation"]
    config["counts"] = {"path": str(made / "counts.h5ad"), "cell_type": "kind"}
    config["genome"] = {"fasta": str(made / "genome.fa"), "gtf": str(tmp_path / "genes.gtf")}
    config["pools"]["n_pools"] = 100_000
    run = new_run(config)
    said = run.snakemake("--cores", "1", "check", fails=True)
    assert "3 problems:" in said
    for words in ("no column `kind`", "`pools.n_pools` is 100,000", "of its 2 chromosomes"):
        assert words in said
    assert "Traceback" not in said
    assert not (run.results / "preflight.tsv").exists()


def test_check_looks_anew_at_keys_that_were_edited_and_a_run_repeats_nothing(finished_copy):
    """Checks are repeated by whatever decides what they say, and jobs that are done are not."""
    run = finished_copy
    assert run.plan("check") == {"check_config": 1, "check": 1}
    run.snakemake("--cores", "1", "check")
    assert run.plan("check") == {"check": 1}
    assert run.plan() == {}
    good = run.config
    for key, value, words in (
        ("pools.n_pools", 9000, "`pools.n_pools` is 9,000"),
        ("folds.by", "chromosome", "there are only 2 chromosomes"),
        ("cells.drop", {"cell_type": ["none"]}, "no cell has none"),
        ("database.source", "jaspar:CORE:vertbrates:2024", "vertbrates"),
    ):
        config = copy.deepcopy(good)
        section, last = key.split(".")
        config.setdefault(section, {})[last] = value
        run.configure(config)
        said = run.snakemake("--cores", "1", "check", fails=True)
        assert words in said, key
        assert "Traceback" not in said
    run.configure(good)
    run.snakemake("--cores", "1", "check")
    assert run.plan() == {}


def test_check_after_a_run_makes_nothing_anew(finished):
    assert set(finished.plan("check")) <= {"check", "check_config"}
    said = finished.snakemake("--cores", "1", "check")
    counts = re.search(r"Files that a run makes: (\d+) \(already there: (\d+)\)", said)
    assert counts and counts[1] == counts[2]
    assert "windows to sequences, in the last run: " in said
    assert re.search(r"\d+ of \d+ rules were measured in an earlier run of this data set", said)
    assert "Tuning and training have not been run" not in said
