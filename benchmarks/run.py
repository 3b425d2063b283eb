"""All benchmarks: a table on the screen, a table and a JSON in benchmarks/results/.

The search of a whole fold takes minutes and is asked for by --search.
"""

from __future__ import annotations

import argparse
import importlib
import json
import logging

import measure
import numba

RESULTS = measure.ROOT / "benchmarks" / "results"
SUBJECTS = {  # module -> whether it is measured on several numbers of threads
    "training_step": True,
    "side_by_side": True,
    "epoch": True,
    "influence": True,
    "pooling": False,
    "scan": True,
    "biology": True,
    "growth": False,
    "scbasset_step": True,
    "scbasset_epoch": True,
    "scbasset_memory": False,
    "scxpresso_epoch": True,
}

logger = logging.getLogger("benchmarks")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=SUBJECTS, default=list(SUBJECTS))
    parser.add_argument("--search", action="store_true", help="also search a whole fold")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    machine = measure.machine()
    threads = sorted({1, min(2, numba.config.NUMBA_NUM_THREADS), numba.config.NUMBA_NUM_THREADS})
    table = []
    for name in arguments.only:
        logger.info("measuring %s", name)
        try:
            subject = importlib.import_module(name)
        except ImportError as error:  # a bare machine
            logger.warning("%s left out: %s", name, error)
            continue
        table += subject.run(threads) if SUBJECTS[name] else subject.run()
        write(machine, table)
    if arguments.search:
        search = importlib.import_module("search")
        table += search.run(threads[-1], trials=100, epochs=40, sequences=search.SEQUENCES)
        write(machine, table)
    print(measure.layout(table))
    print(f"\n{RESULTS / 'benchmarks.md'}\n{RESULTS / 'benchmarks.json'}")


def write(machine: dict[str, object], table: list[dict[str, object]]) -> None:
    """Write what there is so far."""
    RESULTS.mkdir(exist_ok=True)
    figures = {"machine": machine, "table": table}
    (RESULTS / "benchmarks.json").write_text(json.dumps(figures, indent=1) + "\n")
    (RESULTS / "benchmarks.md").write_text(measure.layout(table) + "\n")


if __name__ == "__main__":
    main()
