"""`snakemake --profile slurm` on a real Slurm, in fair weather and foul."""

from __future__ import annotations

import copy
import json
import shutil
import time
from collections import Counter
from datetime import datetime

import pytest

PROFILE = ("--profile", "slurm", "--slurm-init-seconds-before-status-checks", "5")
ON_GPU = ("rule_tune_model", "rule_train_model", "rule_train_controls")
OF_TUNING = ("trials.tsv", "hyperparameters.json")
HYPERPARAMETERS = "results/tiny/scover/fold0/hyperparameters.json"


@pytest.fixture(scope="module")
def local_run(tmp_path_factory, three_folds, run_class):
    """Give the run that those on Slurm are measured by, on this machine alone."""
    run = run_class(tmp_path_factory.mktemp("local"))
    run.configure(three_folds)
    run.snakemake("--cores", "2")
    return run


@pytest.fixture
def prepared(local_run, tmp_path, run_class):
    """Copy the local run with a search long enough to be disturbed."""
    run = run_class(shutil.copytree(local_run.folder, tmp_path / "run"))
    config = copy.deepcopy(run.config)
    config["tuning"].update(trials=40, epochs=20)
    run.configure(config)
    shutil.rmtree(run.results / "scover/fold0")
    return run


def trials_done(run):
    """Count the trials in the journal of fold 0 that have ended."""
    journal = run.results / "scover/fold0/tuning.journal"
    lines = journal.read_text().splitlines() if journal.exists() else []
    ended = [json.loads(line) for line in lines if line.endswith("}")]
    return sum(entry["op_code"] == 6 and entry.get("state") in (1, 2) for entry in ended)


def gpus_at_once(jobs):
    """Find the most GPUs that ran jobs held at one time, by the controller's clock."""
    changes = Counter()
    for job in jobs:
        changes[datetime.fromisoformat(job["StartTime"])] += 1
        changes[datetime.fromisoformat(job["EndTime"])] -= 1
    held = most = 0
    for moment in sorted(changes):  # an end and a start in one second cancel out
        held += changes[moment]
        most = max(most, held)
    return most


def test_a_run_on_slurm_gives_what_a_local_run_gives(slurm, local_run, three_folds, new_run):
    run = new_run(three_folds)
    said = (run.folder / "said.txt").open("w+")
    process = run.start(*PROFILE, env=slurm.env, stdout=said)
    held_together = set()
    while process.poll() is None:
        running = [job for job in slurm.jobs() if job["JobState"] == "RUNNING"]
        held = [job["GRES"] for job in running if job["Partition"] == "gpu"]
        assert len(held) == len(set(held)), "two jobs see one GPU"
        held_together.add(tuple(sorted(held)))
        time.sleep(0.5)
    said.seek(0)
    assert process.returncode == 0, said.read()[-6000:]
    assert ("gpu:1(IDX:0)", "gpu:1(IDX:1)") in held_together
    assert run.tables() == local_run.tables()
    assert run.plan() == {}

    jobs = slurm.jobs()
    assert {job["JobState"] for job in jobs} == {"COMPLETED"}
    by_gpu = {True: [], False: []}
    for job in jobs:
        by_gpu[job["Comment"].startswith(ON_GPU)].append(job)
    rules = Counter(job["Comment"].partition("_wildcards")[0] for job in by_gpu[True])
    assert rules == dict.fromkeys(ON_GPU, 3)
    assert {(job["Partition"], job["JOB_GRES"]) for job in by_gpu[True]} == {("gpu", "gpu:1")}
    assert {(job["Partition"], job["JOB_GRES"]) for job in by_gpu[False]} == {("cpu", "(null)")}
    assert gpus_at_once(by_gpu[True]) <= 2
    assert len(by_gpu[False]) < len(local_run.rules_run()) / 2, "small rules are grouped"


def test_a_cancelled_job_is_tried_again_with_more_memory_and_then_given_up(slurm, prepared):
    before = slurm.last()
    process = prepared.start(*PROFILE, "--retries", "1", HYPERPARAMETERS, env=slurm.env)
    cancelled = []
    for _ in range(2):
        job = slurm.wait_for_running("tune_model", before)
        slurm.wait_for(lambda: trials_done(prepared) > 2, "a third trial")
        slurm("scancel", job["JobId"])
        before = int(job["JobId"])
        cancelled.append(job)
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 1
    assert f"SLURM-job '{before}' failed, SLURM status is: 'CANCELLED'" in said
    first, second = (int(job["MinMemoryNode"].removesuffix("M")) for job in cancelled)
    assert second in (2 * first, 2 * first + 1)  # MB are rounded down

    prepared.snakemake(*PROFILE, HYPERPARAMETERS, env=slurm.env)
    log = (prepared.folder / "logs/tune_model/tiny.scover.fold0.log").read_text()
    assert "finished trials of an earlier run go on" in log
    disturbed = [(prepared.results / f"scover/fold0/{name}").read_bytes() for name in OF_TUNING]
    shutil.rmtree(prepared.results / "scover/fold0")
    prepared.snakemake("--cores", "1", HYPERPARAMETERS)
    assert disturbed == [
        (prepared.results / f"scover/fold0/{name}").read_bytes() for name in OF_TUNING
    ]


def test_a_job_over_its_memory_is_tried_again_with_more(slurm, prepared):
    before = slurm.last()
    too_little = "embed_cells:mem_mb=250*4**(attempt-1)"
    target = "results/tiny/cells.h5ad"
    said = prepared.snakemake(
        *PROFILE, "--set-resources", too_little, "--forcerun", "embed_cells", "--", target,
        env=slurm.env,
    )  # fmt: skip
    *failed, done = slurm.jobs(before)
    assert failed, "the first attempt had enough memory"
    assert done["JobState"] == "COMPLETED"
    assert int(done["MinMemoryNode"][:-1]) == 250 * 4 ** len(failed)
    for job in failed:
        assert job["JobState"] in ("OUT_OF_MEMORY", "FAILED", "CANCELLED")
        assert f"SLURM-job '{job['JobId']}' failed" in said


def test_jobs_of_a_node_that_dies_start_anew_when_it_is_back(slurm, prepared):
    before = slurm.last()
    process = prepared.start(*PROFILE, HYPERPARAMETERS, env=slurm.env)
    job = slurm.wait_for_running("tune_model", before)
    slurm.wait_for(lambda: trials_done(prepared) > 2, "a third trial")
    slurm.set_node("down")

    def requeued():
        return slurm.jobs(before)[0]["JobState"] == "PENDING"

    slurm.wait_for(requeued, "the job to wait for another node")
    slurm.bring_node_back()
    # Slurm itself waits two minutes. Sooner than a few seconds the node still holds what is left
    # of the first start, refuses the second as a duplicate, and the job is held for good.
    slurm("scontrol", "update", f"JobId={job['JobId']}", "StartTime=now+15")
    said, _ = process.communicate(timeout=240)
    assert process.returncode == 0, said[-3000:]
    (record,) = slurm.jobs(before)
    assert (record["JobState"], record["Restarts"]) == ("COMPLETED", "1")
    log = (prepared.folder / "logs/tune_model/tiny.scover.fold0.log").read_text()
    assert "finished trials of an earlier run go on" in log


def test_a_drained_node_ends_its_jobs_and_takes_no_new_ones_until_it_is_back(slurm, prepared):
    before = slurm.last()
    target = "results/tiny/pools.h5ad"
    process = prepared.start(
        *PROFILE, "--forcerun", "embed_cells", "--", target, env=slurm.env
    )  # fmt: skip
    slurm.wait_for_running("embed_cells", before)
    slurm.set_node("drain")

    def waiting():
        jobs = slurm.jobs(before)
        return len(jobs) == 2 and (jobs[0]["JobState"], jobs[1]["JobState"]) == (
            "COMPLETED",
            "PENDING",
        )

    slurm.wait_for(waiting, "the next job to wait")
    slurm.bring_node_back()
    said, _ = process.communicate(timeout=240)
    assert process.returncode == 0, said[-3000:]


def test_a_gpu_that_torch_does_not_see_ends_the_job_at_its_start(slurm, prepared):
    config = copy.deepcopy(prepared.config)
    config["training"]["device"] = "auto"
    prepared.configure(config)
    said = prepared.snakemake(
        *PROFILE, "--retries", "0", HYPERPARAMETERS, fails=True, env=slurm.env
    )
    log = (prepared.folder / "logs/tune_model/tiny.scover.fold0.log").read_text()
    for where in (log, said):
        assert "this job asked the scheduler for 1 GPU" in where
        assert f"on node {slurm.node}" in where
    assert "CUDA_VISIBLE_DEVICES is '0'" in log or "CUDA_VISIBLE_DEVICES is '1'" in log
    assert trials_done(prepared) == 0
