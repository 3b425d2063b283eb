"""Kill runs at random, in every way that runs die, and compare what comes of them byte by byte.

    python benchmarks/kills.py [--kills 200] [--every SECONDS] [--minutes M] [--seed 0]
                               [--config tiny scbasset] [--folder FOLDER] [--targets FILE ...]

An undisturbed run of each config comes first. Then runs are killed, one after another, and called
again until they end; a run that ends starts anew, until there were as many kills as asked for.
Times between kills are drawn from an exponential distribution, so no moment of a run is spared.
Ways: `group` (SIGKILL to all, as a node that dies), `parent` (SIGKILL to Snakemake alone), `job`
(SIGKILL to one of its processes), `terminate` (SIGTERM to Snakemake) and `interrupt` (SIGINT to
all, as Ctrl-C). Printed are kills by way, files that differ, and steps that had to be taken by
hand: `--unlock`, and any other. It fails where a file differs or another step was needed. Each run
that ended is told on standard error.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("tests/workflow", "tests/workflow/runs", "tests/unit", "src")
sys.path[:0] = [str(ROOT / folder) for folder in FOLDERS]

from conftest import TINY, Run  # noqa: E402
from test_scbasset import TINY_ATAC  # noqa: E402

CONFIGS = {"tiny": TINY, "scbasset": TINY_ATAC}
WAYS = ("group", "parent", "job", "terminate", "interrupt")
LONGEST_END = 300.0  # seconds that a run may take to end after a signal
BY_HAND = {"--unlock"}  # steps that a user may have to take
MOST_CALLS = 3  # in a row that fail without a kill
KILLS_PER_RUN = 6  # in the time of an undisturbed run


def in_proc() -> Iterator[tuple[int, int, str]]:
    """Give number, parent's number and command line of each process."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError):
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            command = (
                (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            )
            yield int(folder.name), int(parent), command


def below(process: int) -> list[int]:
    """List the processes that one started, and those that these did."""
    parents = {number: parent for number, parent, _ in in_proc()}
    found, todo = [], [process]
    while todo:
        one = todo.pop()
        started = [number for number, parent in parents.items() if parent == one]
        found += started
        todo += started
    return found


def commands(process: int) -> list[str]:
    """Give the command lines of the processes that one started, and those that these did."""
    started = set(below(process))
    return [command for number, _, command in in_proc() if number in started]


def kill(process: subprocess.Popen[str], way: str, draws: random.Random) -> None:
    """Send the signal of a way to whom it is for."""
    with contextlib.suppress(ProcessLookupError):
        if way == "group":
            os.killpg(process.pid, signal.SIGKILL)
        elif way == "parent":
            os.kill(process.pid, signal.SIGKILL)
        elif way == "terminate":
            os.kill(process.pid, signal.SIGTERM)
        elif way == "interrupt":
            os.killpg(process.pid, signal.SIGINT)
        elif jobs := below(process.pid):
            os.kill(draws.choice(jobs), signal.SIGKILL)


def wait_for_orphans(folder: Path) -> None:
    """Wait until jobs that outlived Snakemake have ended: they still write."""
    end = time.monotonic() + LONGEST_END
    while any(str(folder) in command for number, _, command in in_proc() if number != os.getpid()):
        if time.monotonic() > end:
            raise SystemExit(f"{folder}: jobs go on {LONGEST_END:.0f} s after Snakemake was killed")
        time.sleep(0.2)


def call(run: Run, targets: list[str]) -> subprocess.Popen[str]:
    """Start a run; its words go to a file, so that no pipe fills."""
    said = (run.folder / "said.txt").open("a")
    return run.start("--cores", "2", *targets, stdout=said, stderr=subprocess.STDOUT)


def ends(process: subprocess.Popen[str], seconds: float) -> bool:
    """Tell whether a run ends by itself within a time."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    return process.poll() is not None


class Killing:
    """Runs of one config that are killed, and what was seen."""

    def __init__(
        self, config: dict, folder: Path, draws: random.Random, asked: argparse.Namespace
    ) -> None:
        self.config, self.folder, self.draws, self.targets = config, folder, draws, asked.targets
        self.number, self.until = asked.kills, time.monotonic() + 60 * asked.minutes
        self.kills: Counter[str] = Counter()
        self.by_hand: Counter[str] = Counter()
        self.differences: list[str] = []
        start = time.monotonic()
        self.whole = self.undisturbed()
        self.every = asked.every or (time.monotonic() - start) / KILLS_PER_RUN

    def new_run(self, name: str) -> Run:
        """Make an empty working folder with the config."""
        run = Run(self.folder / name)
        shutil.rmtree(run.folder, ignore_errors=True)
        run.folder.mkdir(parents=True)
        run.configure(self.config)
        return run

    def undisturbed(self) -> dict[str, str]:
        """Run once without a kill, and digest what comes of it."""
        run = self.new_run("undisturbed")
        run.snakemake("--cores", "2", *self.targets)
        return run.tables()

    def more(self) -> bool:
        """Tell whether another kill is asked for."""
        return self.kills.total() < self.number and time.monotonic() < self.until

    def kill_all(self) -> None:
        """Kill as often as asked for; each run is called until it ends, and compared."""
        while self.more():
            self.one_run()
            sys.stderr.write(
                f"{self.folder.name}: {self.kills.total()} kills, "
                f"{len(self.differences)} differences, by hand: {dict(self.by_hand)}\n"
            )

    def one_run(self) -> None:
        """Kill a run and call it again until it ends; compare it."""
        run, failed = self.new_run("killed"), 0
        process = call(run, self.targets)
        while True:
            wait = self.draws.expovariate(1 / self.every)
            if self.more() and not ends(process, wait):
                way = self.draws.choice(WAYS)
                kill(process, way, self.draws)
                self.kills[way] += 1
                failed = 0
                if way == "job":
                    continue  # other jobs go on, and may be killed too
                if not ends(process, LONGEST_END):
                    going = [each.rpartition("/")[2].strip() for each in commands(process.pid)]
                    self.by_hand[f"killed again: {way} did not end {going}"] += 1
                    kill(process, "group", self.draws)
                process.wait()
                wait_for_orphans(run.folder)
            elif process.wait() == 0:
                break
            elif "Directory cannot be locked" in (run.folder / "said.txt").read_text()[-3000:]:
                run.snakemake("--unlock")
                self.by_hand["--unlock"] += 1
                (run.folder / "said.txt").write_text("")
            else:
                failed += 1
            if failed == MOST_CALLS:
                self.by_hand["call that fails again and again"] += 1
                said = (run.folder / "said.txt").read_text()
                self.differences.append(f"{run.folder}: {said[-500:]}")
                return
            process = call(run, self.targets)
        there = run.tables()
        self.differences += sorted(
            path for path in {*there, *self.whole} if there.get(path) != self.whole.get(path)
        )

    def report(self, name: str) -> str:
        """Say in words what was seen."""
        ways = ", ".join(f"{way} {n}" for way, n in sorted(self.kills.items()))
        steps = ", ".join(f"{step} {n}" for step, n in sorted(self.by_hand.items())) or "none"
        lines = [
            f"{name}: {self.kills.total()} kills ({ways}); {len(self.whole)} files; "
            f"{len(self.differences)} differences; by hand: {steps}"
        ]
        return "\n".join([*lines, *(f"  differs: {path}" for path in self.differences[:20])])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="of each config")
    parser.add_argument("--every", type=float, help="seconds from a kill to the next, on average")
    parser.add_argument("--minutes", type=float, default=math.inf, help="of each config at most")
    parser.add_argument("--config", nargs="+", choices=list(CONFIGS), default=list(CONFIGS))
    parser.add_argument("--targets", nargs="*", default=[], help="files to make; all by default")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, default=None, help="where runs are; a new one")
    asked = parser.parse_args()
    # what a shell starts in the background is deaf to Ctrl-C, and so is all that this starts then
    signal.signal(signal.SIGINT, signal.default_int_handler)
    bad = False
    with tempfile.TemporaryDirectory() as temporary:
        for name in asked.config:
            folder = (asked.folder or Path(temporary)).resolve() / name
            killing = Killing(CONFIGS[name], folder, random.Random(asked.seed), asked)
            killing.kill_all()
            sys.stdout.write(killing.report(name) + "\n")
            sys.stdout.flush()
            bad |= bool(killing.differences or set(killing.by_hand) - BY_HAND)
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
