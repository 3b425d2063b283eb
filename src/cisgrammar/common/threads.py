"""One number of threads for everything that computes, and the same bytes for any number.

Import this before the first matrix product: what MKL is told here, it reads once.
"""

from __future__ import annotations

import os
import sys

# Without it MKL cuts a product into pieces by the number of threads, and its last digits follow.
# No slower in our shapes; other BLAS libraries ignore it.
os.environ.setdefault("MKL_CBWR", "AUTO,STRICT")

import numba
from threadpoolctl import threadpool_limits


def set_threads(n_threads: int) -> None:
    """Let torch, numba and BLAS use this many threads each.

    Parameters
    ----------
    n_threads
        At least 1, usually Snakemake's `threads`. More than the processors this process may
        use are not taken. Results do not depend on it.
    """
    n_threads = min(n_threads, numba.config.NUMBA_NUM_THREADS)  # type: ignore[attr-defined]
    if torch := sys.modules.get("torch"):  # a job that does without need not load it
        torch.set_num_threads(n_threads)
    numba.set_num_threads(n_threads)
    threadpool_limits(n_threads)
