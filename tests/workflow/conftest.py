"""A tiny run of the whole pipeline, for tests that call Snakemake."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from filelock import FileLock

ROOT = Path(__file__).parents[2]
FAULTS = Path(__file__).parent / "faults"  # on the path of Python, they make a run fail
SNAKEMAKE = [sys.executable, "-m", "snakemake"]
SOURCES = ("Snakefile", "workflow", "src", "envs", "slurm", "config", "profiles", "resources")

# as small as every rule bears; the whole run is mostly the start of Python
TINY: dict[str, Any] = {
    "name": "tiny",
    "seed": 1,
    "models": ["scover"],
    "simulation": {
        "n_genes": 200,
        "n_chromosomes": 2,
        "n_cells": 200,
        "activators": ["SP1", "NRF1"],
        "repressors": ["REST"],
        "other_tfs": 5,
        "cell_types": {"A": 0.5, "B": 0.3, "C": 0.2},
    },
    "cells": {"n_pcs": 12},
    "pools": {"n_pools": 20, "cells_per_pool": 10, "n_pcs": 8},
    "regions": {"upstream": 100, "downstream": 60},
    "dataset": {"min_detected": 0.01, "weak_detected": 0.02},
    "folds": {"n_folds": 2},
    "scover": {
        "network": {"filters": 8},
        "search": {"learning_rate": [0.002, 0.05], "batch_size": [32, 64]},
    },
    "tuning": {"trials": 3, "epochs": 3},
    "training": {"epochs": 3, "patience": 2, "device": "cpu"},
    "motifs": {"min_sequences": 2},
    "comparison": {"k": 3, "trees": 2},
}


@dataclass(frozen=True)
class Run:
    """A working folder with config.yaml, and Snakemake called in it.

    The workflow's files may be those of the repository or a copy: ``sources``.
    """

    folder: Path
    sources: Path = ROOT

    @property
    def results(self) -> Path:
        return self.folder / "results" / self.config["name"]

    @property
    def config(self) -> dict[str, Any]:
        return yaml.safe_load((self.folder / "config.yaml").read_text())

    def configure(self, config: dict[str, Any]) -> None:
        (self.folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))

    def command(self, *options: str) -> list[str]:
        where = ["--snakefile", str(self.sources / "Snakefile"), "--directory", str(self.folder)]
        return [*SNAKEMAKE, *where, "--configfile", str(self.folder / "config.yaml"), *options]

    def start(self, *options: str, **kwargs: Any) -> subprocess.Popen[str]:
        """Start Snakemake in a process group of its own, its words on one pipe."""
        settings = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True} | kwargs
        command = self.command(*options)
        return subprocess.Popen(command, cwd=self.sources, start_new_session=True, **settings)

    @staticmethod
    def kill(process: subprocess.Popen[str]) -> None:
        """Kill a run and all that it started, as a dying node does.

        A test that ends a run must not ask it politely: Snakemake's handler of SIGTERM waits for
        a lock, and waits for ever if the scheduler holds it at that moment.
        """
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=60)

    def snakemake(self, *options: str, fails: bool = False, **kwargs: Any) -> str:
        """Call Snakemake and give what it said; it must go well, or must not."""
        process = self.start(*options, **kwargs)
        try:
            said, _ = process.communicate(timeout=900)
        except BaseException:
            self.kill(process)
            raise
        assert (process.returncode != 0) == fails, said[-6000:]
        return said

    def plan(self, *options: str) -> dict[str, int]:
        """Count the jobs of each rule that a call would run."""
        said = self.snakemake("--cores", "1", "--dry-run", *options)
        stats = said.partition("Job stats:")[2].partition("\ntotal ")[0]
        counts = {m[1]: int(m[2]) for m in re.finditer(r"^(\w+) +(\d+)$", stats, re.M)}
        return {rule: count for rule, count in counts.items() if rule != "all"}

    def rule_graph(self) -> dict[str, set[str]]:
        """Give the rules that read the outputs of each rule."""
        dot = self.snakemake("--rulegraph", "dot")
        names = dict(re.findall(r'^\s*(\d+)\[label = "(\w+)"', dot, re.M))
        graph: dict[str, set[str]] = {name: set() for name in names.values()}
        for source, target in re.findall(r"^\s*(\d+) -> (\d+)$", dot, re.M):
            graph[names[source]].add(names[target])
        return graph

    def rules_run(self) -> list[str]:
        """List the rule of each job that ran, by Snakemake's own log."""
        logs = sorted((self.folder / ".snakemake/log").glob("*.log"))
        return re.findall(r"^Finished jobid: \d+ \(Rule: (\w+)\)", logs[-1].read_text(), re.M)

    def tables(self) -> dict[str, str]:
        """Digest every result but what holds times or the state of the working tree."""
        provenance = self.results / "provenance.json"
        return {
            path.relative_to(self.folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.results.rglob("*"))
            if path.is_file() and path.suffix not in {".journal", ".fai"} and path != provenance
        }


@pytest.fixture(scope="session")
def tiny_config() -> dict[str, Any]:
    """Give the config of the tiny run; copy it before you change it."""
    return TINY


@pytest.fixture(scope="session")
def run_class() -> type[Run]:
    """Give the class of runs to tests that make their own."""
    return Run


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Give one whole run that no test changes: made once, a copy for each of pytest's workers."""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    first = Run(shared / "first")
    with FileLock(shared / "first.lock"):
        if not first.folder.exists():
            first.folder.mkdir()
            first.configure(TINY)
            first.snakemake("--cores", "2")
    return Run(shutil.copytree(first.folder, own / "finished"))


@pytest.fixture
def new_run(tmp_path: Path) -> Callable[..., Run]:
    """Make a working folder with a config and nothing else."""

    def make(config: dict[str, Any] = TINY, folder: str = "run") -> Run:
        run = Run(tmp_path / folder)
        run.folder.mkdir()
        run.configure(config)
        return run

    return make


@pytest.fixture
def finished_copy(finished: Run, tmp_path: Path) -> Run:
    """Copy the finished run, to be changed."""
    return Run(shutil.copytree(finished.folder, tmp_path / "copy"))


@pytest.fixture
def sources_copy(tmp_path: Path) -> Path:
    """Copy the workflow's own files, to be changed."""
    copy = tmp_path / "sources"
    copy.mkdir()
    ignore = shutil.ignore_patterns("__pycache__")
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=ignore)
        elif source.exists():
            shutil.copy2(source, copy / name)
    return copy
