"""Scan sequences for known motifs with FIMO's statistics, both strands: 700 motifs of JASPAR."""

from __future__ import annotations

import argparse
import time

import measure
import numpy as np
from networks import ROOT  # noqa: F401 (puts cisgrammar on the path)

from cisgrammar.motifs.databases import load_database
from cisgrammar.motifs.fimo import scan

SEQUENCES, LENGTH, MOTIFS = 2_000, 1_000, 700
DATABASE = "jaspar:CORE:vertebrates:2024"


def run(threads: list[int], runs: int = 5, sequences: int = SEQUENCES) -> list[dict[str, object]]:
    codes = np.random.default_rng(0).integers(0, 4, (sequences, LENGTH), dtype=np.uint8)
    motifs = load_database(DATABASE, None).motifs[:MOTIFS]
    size = f"{sequences} sequences of {LENGTH} bases, {len(motifs)} motifs"
    table = []
    for n_threads in threads:
        measure.set_threads(n_threads)
        times = measure.alternate({"scan": lambda: scan(codes, motifs)}, runs)
        table += measure.rows("motif scan", size, n_threads, times)
        started = time.process_time()
        scan(codes, motifs)
        spent = {"scan, processor time": [time.process_time() - started]}
        table += measure.rows("motif scan", size, n_threads, spent)
    return table


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--sequences", type=int, default=SEQUENCES)
    arguments = parser.parse_args()
    print(measure.layout(run(arguments.threads, sequences=arguments.sequences)))
