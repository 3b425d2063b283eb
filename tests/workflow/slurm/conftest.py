"""A real Slurm of one node, brought up for these tests alone and taken down after them."""

from __future__ import annotations

import contextlib
import copy
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Slurm:
    """The cluster, and what its controller says of its jobs."""

    folder: Path

    @property
    def env(self) -> dict[str, str]:
        path = f"{self.folder}/bin:{os.environ['PATH']}"
        return os.environ | {"SLURM_CONF": f"{self.folder}/slurm.conf", "PATH": path}

    def __call__(self, *command: str) -> str:
        done = subprocess.run(command, env=self.env, capture_output=True, text=True, check=True)
        return done.stdout

    @property
    def node(self) -> str:
        return self("sinfo", "--noheader", "--format=%n").split()[0]

    def set_node(self, state: str) -> None:
        self("scontrol", "update", f"NodeName={self.node}", f"State={state}", "Reason=test")

    def bring_node_back(self) -> None:
        """Undo `drain` and `down`; a node that was down may have come back by itself."""
        with contextlib.suppress(subprocess.CalledProcessError):
            self("scontrol", "update", f"NodeName={self.node}", "State=resume")

        def is_up() -> bool:
            return self("sinfo", "--noheader", "--format=%t").split()[0] in ("idle", "mix", "alloc")

        self.wait_for(is_up, "the node's return")

    def jobs(self, after: int = 0) -> list[dict[str, str]]:
        """Read the controller's records of all jobs submitted after one, by their numbers."""
        records = self("scontrol", "show", "job", "--oneliner", "--details").splitlines()
        jobs = [
            dict(word.split("=", 1) for word in record.split() if "=" in word)
            for record in records
            if "JobId=" in record
        ]
        jobs = [job for job in jobs if int(job["JobId"]) > after]
        return sorted(jobs, key=lambda job: int(job["JobId"]))

    def last(self) -> int:
        return max((int(job["JobId"]) for job in self.jobs()), default=0)

    def wait_for(self, condition: Callable[[], Any], what: str, seconds: float = 120) -> Any:
        """Wait until something is true, and give it."""
        end = time.monotonic() + seconds
        while not (found := condition()):
            assert time.monotonic() < end, f"{what} did not happen; jobs: {self.jobs()[-3:]}"
            time.sleep(0.2)
        return found

    def wait_for_running(self, rule: str, after: int) -> dict[str, str]:
        def running() -> dict[str, str] | None:
            jobs = [job for job in self.jobs(after) if rule in job.get("Comment", "")]
            return next((job for job in jobs if job["JobState"] == "RUNNING"), None)

        return self.wait_for(running, f"a running job of {rule}")


def skip_or_fail(reason: str) -> None:
    """Skip where Slurm cannot be had, but never in CI."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slurm]:
    """Bring up Slurm; take it down whatever happens."""
    installed = subprocess.run([HERE / "install.sh"], capture_output=True, text=True)
    if installed.returncode:
        skip_or_fail(installed.stderr.strip())
    cluster = Slurm(tmp_path_factory.mktemp("slurm"))
    try:
        command = [HERE / "up.sh", cluster.folder, str(os.getpid())]
        up = subprocess.run(command, capture_output=True, text=True)
        if up.returncode:
            skip_or_fail(f"Slurm did not come up: {up.stderr.strip()}")
        yield cluster
    finally:
        pids = [int(path.read_text()) for path in cluster.folder.glob("*.pid")]
        subprocess.run([HERE / "down.sh", cluster.folder], check=True)
    left = [pid for pid in pids if Path(f"/proc/{pid}").exists()]
    assert not left, f"daemons left behind: {left}"
    left = processes_of_jobs(f"SLURM_CONF={cluster.folder}/slurm.conf")
    assert not left, f"processes of jobs left behind: {left}"


def processes_of_jobs(cluster: str) -> list[int]:
    """Find the processes of jobs that have the cluster's variable in their environment."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):  # it has just ended
            variables = path.read_bytes().split(b"\0")
            is_job = any(variable.startswith(b"SLURM_JOB_ID=") for variable in variables)
            if is_job and cluster.encode() in variables:
                found.append(int(path.parent.name))
    return found


@pytest.fixture(scope="session")
def three_folds(tiny_config: dict[str, Any]) -> dict[str, Any]:
    """Three folds, so that three jobs want the two GPUs; few comparisons."""
    config = copy.deepcopy(tiny_config)
    config["folds"]["n_folds"] = 3
    config["comparison"] = {"baselines": ["mean"], "controls": ["permuted_pools"]}
    return config
