"""Files of a run: who may read them, and where they may lie."""

from __future__ import annotations

import os
import stat

from conftest import ROOT


def test_results_are_readable_by_a_group(finished):
    assert os.umask(0o022) == 0o022, "these tests expect the usual umask"
    for path in [finished.results, *finished.results.rglob("*")]:
        mode = path.stat().st_mode
        expected = stat.S_IRGRP | (stat.S_IXGRP if path.is_dir() else 0)
        assert mode & expected == expected, path


def test_paths_that_look_like_commands_are_paths(finished, new_run, tiny_config):
    folder = "my data; touch hacked $(touch hacked) 'it's"
    run = new_run(folder=folder)
    data = run.folder / folder
    data.mkdir()
    config = {key: value for key, value in tiny_config.items() if key != "simulation"}
    files = {"counts": "counts.h5ad", "fasta": "genome.fa", "gtf": "annotation.gtf"}
    for file in files.values():
        (data / file).write_bytes((finished.results / "simulation" / file).read_bytes())
    config["counts"] = {"path": str(data / files["counts"]), "cell_type": "cell_type"}
    config["genome"] = {key: str(data / files[key]) for key in ("fasta", "gtf")}
    run.configure(config)
    run.snakemake("--cores", "2", "results/tiny/preflight.tsv", "results/tiny/provenance.json")
    assert (run.results / "preflight.tsv").exists()
    assert not list(run.folder.parent.rglob("hacked"))
    assert not (ROOT / "hacked").exists()
