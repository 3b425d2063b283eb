"""One training step against the published layers: time, memory, and the first call's compiling."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable

import measure
import torch
from networks import DEVICE, LENGTH, Fast, Published, Step, random_data, spell_out, trained_step

BATCHES = (64, 128, 256, 512)
LENGTHS = (240, 1000)
PUBLISHED = "published layers"


def run(threads: list[int], runs: int = 7) -> list[dict[str, object]]:
    table = compile_time()
    for length in LENGTHS:
        for batch in BATCHES:
            for n_threads in threads if DEVICE == "cpu" else threads[-1:]:
                table += side_by_side(batch, length, n_threads, runs)
    return table + memory(batch=512, length=LENGTH)


def side_by_side(
    batch: int, length: int, n_threads: int, runs: int, budget: float = 60.0
) -> list[dict[str, object]]:
    measure.set_threads(n_threads)
    seconds = measure.alternate(steps(batch, length), runs, budget)
    size = f"B {batch}, L {length}"
    return measure.rows("training step", size, n_threads, seconds, reference=PUBLISHED)


def steps(batch: int, length: int) -> dict[str, Callable[[], object]]:
    """Give a step of each implementation, from the same weights."""
    torch.manual_seed(0)
    codes, targets = random_data(batch, length)
    published = Published(length)
    alone = Step(Fast(published), codes, targets, fused=True)
    fast: dict[str, Callable[[], object]] = {"cisgrammar": alone}
    if DEVICE == "cuda":
        fast = {
            "cisgrammar": trained_step(Fast(published), codes, targets),
            "cisgrammar, fp16": trained_step(Fast(published, "fp16"), codes, targets),
            "cisgrammar, kernel by kernel": alone,
        }
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    return {PUBLISHED: Step(published, spell_out(codes), targets, fused=False), **fast}


def compile_time() -> list[dict[str, object]]:
    """Time the very first step of a fresh process."""
    with tempfile.TemporaryDirectory() as empty:
        compiled = measure.in_new_process("training_step.py", "--first", NUMBA_CACHE_DIR=empty)
        cached = measure.in_new_process("training_step.py", "--first", NUMBA_CACHE_DIR=empty)
    seconds = {"first step, compiling": [compiled], "first step, from the cache": [cached]}
    return measure.rows("compiling", "B 8, L 240", 1, seconds)


def memory(batch: int, length: int) -> list[dict[str, object]]:
    """Memory that a step adds to a fresh process, data and libraries not counted."""
    names = {PUBLISHED: "published", "cisgrammar": "fast"}
    arguments = ("--memory", batch, length)
    added = {
        name: [measure.in_new_process("training_step.py", *arguments, which)]
        for name, which in names.items()
    }
    size = f"B {batch}, L {length}"
    return measure.rows("memory of a step", size, 1, added, unit="MiB", reference=PUBLISHED)


def added_memory(batch: int, length: int, which: str) -> float:
    measure.set_threads(1)
    _warm_up()
    both = steps(batch, length)
    step = both.pop(PUBLISHED) if which == "published" else both["cisgrammar"]
    return measure.added_memory(step)


def _warm_up() -> None:
    """Load and compile everything on a small batch, so that it is not taken for data."""
    for step in steps(8, 240).values():
        step()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--memory", nargs=3, metavar=("BATCH", "LENGTH", "WHICH"))
    parser.add_argument("--first", action="store_true")
    arguments = parser.parse_args()
    if arguments.memory:
        batch, length, which = arguments.memory
        print(added_memory(int(batch), int(length), which))
    elif arguments.first:
        print(measure.timed(steps(8, 240)["cisgrammar"]))
    else:
        print(measure.layout(run(arguments.threads)))
