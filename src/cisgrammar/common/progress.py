"""How far long work has come: whole lines, which do not run into those of Snakemake."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from tqdm import tqdm

SECONDS = 30  # from one line to the next, and to the first


class _Lines:
    """Takes what tqdm writes over one line, and writes lines."""

    def write(self, text: str) -> None:
        if text := text.strip():
            sys.stderr.write(f"{text}\n")

    def flush(self) -> None:
        sys.stderr.flush()


def progress(
    items: Iterable[Any] | None,
    what: str,
    total: int | None = None,
    done: int = 0,
    every: float = SECONDS,
) -> tqdm:
    """Go through items, and say on the terminal or in the job's own output how far it is.

    Parameters
    ----------
    items
        What is worked on. None: call ``update(n)`` on what is returned.
    what
        What they are, in the plural.
    total
        How many there are; None asks ``items``.
    done
        How many were done before.
    every
        Seconds between two lines. Work that is done sooner says nothing.

    Examples
    --------
    >>> [item for item in progress([1, 2], "peaks")]
    [1, 2]
    """
    line = "{desc}: {n_fmt} of {total_fmt}, {remaining} left at this speed{postfix}"
    return tqdm(
        items, desc=what, total=total, initial=done, bar_format=line, file=_Lines(),
        miniters=1, mininterval=every, delay=every, position=0, leave=False,
    )  # fmt: skip
