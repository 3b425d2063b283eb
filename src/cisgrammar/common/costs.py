"""What a piece of work takes: wall time and memory, which differ from run to run."""

from __future__ import annotations

import contextlib
import re
import resource
import time
from collections.abc import Iterable
from pathlib import Path

import pandas as pd


class Cost:
    """Measure the wall time and the peak memory of a block.

    Attributes
    ----------
    seconds
        Wall time.
    memory_mb
        The most memory that the process held meanwhile, in MiB, what it held
        before included.

    Notes
    -----
    Linux can forget a process's peak, so that each block has its own;
    elsewhere the peak is that of the whole process so far.

    Examples
    --------
    >>> with Cost() as cost:
    ...     _ = sum(range(1000))
    >>> cost.seconds < 10
    True
    """

    seconds: float
    memory_mb: float

    def __enter__(self) -> Cost:
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")
        self._start = time.perf_counter()
        return self

    def __exit__(self, *exception: object) -> None:
        self.seconds = time.perf_counter() - self._start
        self.memory_mb = _peak_mb()

    def row(self, method: str, fold: int) -> pd.DataFrame:
        """Give a row for a table of costs; apart from scores, which are the same in each run."""
        row = {"method": method, "fold": fold, "seconds": self.seconds, "memory_mb": self.memory_mb}
        return pd.DataFrame([row])


def _peak_mb() -> float:
    try:
        status = Path("/proc/self/status").read_text()
        return int(re.findall(r"VmHWM:\s*(\d+)", status)[0]) / 1024
    except (OSError, IndexError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def add_up(costs: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Add up what several jobs took for one method and fold.

    Parameters
    ----------
    costs
        Rows of :meth:`Cost.row`, of jobs that ran one after the other.

    Returns
    -------
    Columns method, fold, seconds (their sum), memory_mb (the highest).
    """
    together = pd.concat(costs, ignore_index=True).groupby(["method", "fold"], sort=False)
    return together.agg({"seconds": "sum", "memory_mb": "max"}).reset_index()
