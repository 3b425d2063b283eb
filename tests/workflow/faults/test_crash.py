"""A run that is killed, however and whenever, is finished by the next call as if undisturbed.

``CISGRAMMAR_KILLS=200`` kills more often than is done here; ``-o faulthandler_timeout=0`` gives it
the hours that this takes.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import FAULTS

KILLS = int(os.environ.get("CISGRAMMAR_KILLS", "3"))

# all stages that write files of another kind, not all the tables and figures at the end
TARGETS = [
    f"results/tiny/{file}"
    for file in ("provenance.json", "scover/evaluation.tsv", "scover/figures/influence_heatmap.svg")
]
# one file of each kind, in the order in which a run makes them
WRITTEN = [
    ("before", "simulation/counts.h5ad"),
    ("before", "simulation/genome.fa"),
    ("after", "simulation/annotation.gtf"),
    ("before", "preflight.tsv"),
    ("before", "cells.h5ad"),
    ("before", "regions.bed"),
    ("before", "scover/fold0/tuning.journal"),
    ("after", "scover/fold1/trials.tsv"),
    ("before", "scover/fold1/hyperparameters.json"),
    ("before", "scover/fold0/model.pt"),
    ("after", "scover/fold1/model.pt"),
    ("before", "scover/fold0/motifs.meme"),
    ("before", "scover/figures/influence_heatmap.svg"),
]


def processes_of(folder):
    """List processes that run in a folder or with it on their command line."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_text().replace("\0", " ")
        except (OSError, UnicodeDecodeError):
            continue
        if str(folder) in command:
            found.append(command)
    return found


def check_killed(run, whole):
    """Check that all died, and that what is there under its own name is whole."""
    end = time.monotonic() + 20
    while processes_of(run.folder) and time.monotonic() < end:
        time.sleep(0.1)
    assert processes_of(run.folder) == []
    there = {path: digest for path, digest in run.tables().items() if "/." not in path}
    assert there == {path: whole[path] for path in there}


def kill_writing(run, moment, path, whole):
    """Let a run go until it writes a file, and kill it there."""
    (run.results / path).unlink(missing_ok=True)  # a kill at random may have come after it
    env = os.environ | {
        "PYTHONPATH": str(FAULTS),
        "KILL_WRITING": f"results/tiny/{path}",
        "KILL_MOMENT": moment,
    }
    process = run.start("--cores", "2", "--nolock", *TARGETS, env=env)
    said, _ = process.communicate(timeout=600)
    assert process.returncode == -signal.SIGKILL, said[-3000:]
    check_killed(run, whole)
    if moment == "before" and path != "scover/fold0/tuning.journal":
        assert not (run.results / path).exists()


def test_a_run_killed_over_and_over_gives_what_an_undisturbed_one_gives(finished, new_run):
    whole = finished.tables()
    run = new_run()
    random = np.random.default_rng(0)
    kills = iter(range(KILLS))
    for moment, path in WRITTEN:
        kill_writing(run, moment, path, whole)
        if next(kills, None) is not None:
            kill_at_random(run, random, whole)
    for _ in kills:
        kill_at_random(run, random, whole)
    run.snakemake("--cores", "2", *TARGETS)
    check_killed(run, whole)
    assert all((run.folder / target).exists() for target in TARGETS)
    assert run.plan(*TARGETS) == {}


def kill_at_random(run, random, whole):
    process = run.start("--cores", "2", "--nolock", *TARGETS)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.communicate(timeout=random.uniform(1, 10))
    run.kill(process)
    check_killed(run, whole)


def ended_trials(journal):
    if not journal.exists():
        return 0
    lines = [json.loads(line) for line in journal.read_text().splitlines() if line.endswith("}")]
    return sum(line["op_code"] == 6 and line.get("state") in (1, 2) for line in lines)


def test_a_search_killed_midway_does_no_trial_twice(finished_copy):
    run = finished_copy
    config = run.config
    config["tuning"].update(trials=30, epochs=10)
    run.configure(config)
    target = "results/tiny/scover/fold0/hyperparameters.json"
    outputs = [run.results / f"scover/fold0/{name}" for name in ("trials.tsv", Path(target).name)]
    run.snakemake("--cores", "1", target)
    undisturbed = [path.read_bytes() for path in outputs]
    journal = run.results / "scover/fold0/tuning.journal"
    for path in (journal, *outputs):
        path.unlink()

    process = run.start("--cores", "1", target)
    while ended_trials(journal) < 5:
        time.sleep(0.01)
    run.kill(process)
    done = ended_trials(journal)
    assert 5 <= done < 30
    said = run.snakemake("--cores", "1", target, fails=True)
    assert "--unlock" in said
    run.snakemake("--unlock")
    run.snakemake("--cores", "1", target)
    assert [path.read_bytes() for path in outputs] == undisturbed
    assert ended_trials(journal) == 30 - done  # those that are kept are one line each
    log = (run.folder / "logs/tune_model/tiny.scover.fold0.log").read_text()
    assert f"{done} finished trials of an earlier run go on" in log


def test_a_full_disk_is_said_and_the_next_call_goes_on(finished_copy):
    run = finished_copy
    whole = run.tables()
    (run.results / "cells.h5ad").unlink()
    target = "results/tiny/cells.h5ad"
    limit = (run.results / "simulation/counts.h5ad").stat().st_size // 2

    def no_large_files():
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    said = run.snakemake("--cores", "1", target, fails=True, preexec_fn=no_large_files)
    assert "The file is larger than this machine allows (`ulimit -f`)" in said
    assert not (run.results / "cells.h5ad").exists()
    assert list(run.results.glob(".cells.partial-*")) == []
    run.snakemake("--cores", "1", target)
    assert run.tables() == whole


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_results_that_may_not_be_written_are_named(finished_copy):
    run = finished_copy
    (run.results / "cells.h5ad").unlink()
    run.results.chmod(0o555)
    try:
        said = run.snakemake("--cores", "1", "results/tiny/cells.h5ad", fails=True)
    finally:
        run.results.chmod(0o755)
    assert "You may not read or write this" in said or "Permission denied" in said
