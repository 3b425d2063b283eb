"""Time things side by side; describe the machine; lay out tables."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib.metadata
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import numba
import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))  # where cisgrammar is, for what is imported after this
COLUMNS = ("subject", "size", "threads", "what", "unit", "median", "min", "max", "runs", "ratio")


def set_threads(n_threads: int) -> None:
    """Like `cisgrammar.common.threads.set_threads`, also where threadpoolctl is not installed."""
    torch.set_num_threads(n_threads)
    numba.set_num_threads(min(n_threads, numba.config.NUMBA_NUM_THREADS))


def alternate(
    tasks: dict[str, Callable[[], object]], runs: int, budget: float = 60.0
) -> dict[str, list[float]]:
    """Run each task in turn, again and again, after one run of each that is not counted.

    Parameters
    ----------
    tasks
        Name to what is timed.
    runs
        Rounds, at least 1.
    budget
        Seconds after which no new round starts.

    Returns
    -------
    Seconds of each run by name.
    """
    seconds: dict[str, list[float]] = {name: [] for name in tasks}
    for task in tasks.values():
        timed(task)
    started = time.perf_counter()
    for _ in range(runs):
        for name, task in tasks.items():
            seconds[name].append(timed(task))
        if time.perf_counter() - started > budget:
            break
    return seconds


def timed(task: Callable[[], object]) -> float:
    """Seconds that a task takes, to the end of what it left running on a GPU."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    started = time.perf_counter()
    task()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - started


def rows(
    subject: str,
    size: str,
    threads: int | str,
    values: dict[str, list[float]],
    *,
    unit: str = "s",
    reference: str | None = None,
) -> list[dict[str, object]]:
    """Make a row per task; `ratio` is how many of it fit into the reference, by medians."""
    table = []
    for what, runs in values.items():
        ratio = median(values[reference]) / median(runs) if reference else None
        numbers = (median(runs), min(runs), max(runs), len(runs), ratio)
        table.append(
            dict(zip(COLUMNS, (subject, size, threads, what, unit, *numbers), strict=True))
        )
    return table


def layout(table: list[dict[str, object]]) -> str:
    """Lay a table out in Markdown."""
    lines = [COLUMNS, ["---"] * len(COLUMNS)]
    lines += [[_text(row[column]) for column in COLUMNS] for row in table]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _text(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def added_memory(task: Callable[[], object]) -> float:
    """MiB that a task holds at most beyond what was there before it."""
    gc.collect()
    if torch.cuda.is_available():
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        task()
        torch.cuda.synchronize()
        return (torch.cuda.max_memory_allocated() - before) / 2**20
    _forget_peak()
    before = _status("VmRSS")
    task()
    return (_status("VmHWM") - before) / 1024


@contextlib.contextmanager
def watched(step: str, table: list[dict[str, object]]) -> Iterator[None]:
    """Add a row to a table: what a step took, and the most that the process held meanwhile."""
    _forget_peak()
    started, processor = time.perf_counter(), time.process_time()
    yield
    table.append(
        {
            "step": step,
            "seconds": time.perf_counter() - started,
            "processor seconds": time.process_time() - processor,
            "peak GB": _status("VmHWM") * 1024 / 1e9,
        }
    )


def _forget_peak() -> None:
    ctypes.CDLL(None).malloc_trim(0)  # give back what is free, so that using it again counts
    Path("/proc/self/clear_refs").write_text("5")


def _status(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field))


def in_new_process(script: str, *arguments: object, **environment: str) -> float:
    """Run a script of this folder in a fresh process; the number that it prints last."""
    command = [sys.executable, str(ROOT / "benchmarks" / script), *map(str, arguments)]
    result = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True, env=os.environ | environment
    )
    return float(result.stdout.split()[-1])


def machine() -> dict[str, object]:
    """Describe what the figures belong to."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "processor": _processor(),
        "processors": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "load_at_start": os.getloadavg()[0],
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in ("torch", "numba", "numpy", "triton")},
    }


def _commit() -> str | None:
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty"]
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":")[1].strip()
    return platform.processor()


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
