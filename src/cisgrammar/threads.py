"""One number of threads for everything that computes."""

from __future__ import annotations

import numba
import torch
from threadpoolctl import threadpool_limits


def set_threads(n_threads: int) -> None:
    """Let torch, numba and BLAS use this many threads each, never more.

    Parameters
    ----------
    n_threads
        At least 1, usually Snakemake's `threads`. Results do not depend on it.

    Raises
    ------
    ValueError
        If it is below 1, or above what numba was started with: the number of processors this
        process may run on, or the environment's NUMBA_NUM_THREADS.
    """
    if not 1 <= n_threads <= numba.config.NUMBA_NUM_THREADS:
        raise ValueError(
            f"{n_threads} threads: must be from 1 to {numba.config.NUMBA_NUM_THREADS}, "
            "the number of processors this process may use"
        )
    torch.set_num_threads(n_threads)
    numba.set_num_threads(n_threads)
    threadpool_limits(n_threads)
