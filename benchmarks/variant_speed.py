"""How long effects of variants take: random substitutions, by the models of all folds.

Printed are the seconds for effects alone, with matched random variants beside them, and for known
motifs that the variants make or break.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import measure
import numpy as np
import pandas as pd

import cisgrammar
from cisgrammar.genome.sequence import BASES
from cisgrammar.motifs.databases import load_database
from cisgrammar.use.trained import Trained
from cisgrammar.use.variant_effects import variant_effects
from cisgrammar.use.variant_motifs import motif_changes
from cisgrammar.use.variant_places import plus_strand


def draw(trained: Trained, n: int, seed: int) -> pd.DataFrame:
    """Draw substitutions in windows, each window and base equally likely; none at an N."""
    rng, windows, rows = np.random.default_rng(seed), trained.windows, []
    codes = trained.dataset.varm["codes"]
    while len(rows) < n:
        row, at = int(rng.integers(len(windows))), int(rng.integers(trained.length))
        window = windows.iloc[row]
        base = int(plus_strand(codes[row], window["strand"])[at])
        if base < 4:
            other = BASES[(base + rng.integers(1, 4)) % 4]
            place = (window["chrom"], int(window["start"]) + at, BASES[base], other)
            rows.append((f"v{len(rows)}", *place))
    return pd.DataFrame(rows, columns=["variant", "chrom", "start", "ref", "alt"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("model", type=Path, help="folder of a model")
    parser.add_argument("--variants", type=int, default=10_000)
    parser.add_argument("--by", help="column of the targets to average over")
    parser.add_argument("--random", type=int, default=1000)
    parser.add_argument("--database", default="jaspar:CORE:vertebrates:2024")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    asked = parser.parse_args()
    measure.set_threads(asked.threads)
    trained = cisgrammar.load(asked.model)
    variants = draw(trained, asked.variants, asked.seed)
    print(f"{len(variants):,} variants, {len(trained.models)} folds, {trained.length:,} bases")
    for n_random in (0, asked.random):
        started = time.perf_counter()
        effects, _ = variant_effects(
            trained, variants, by=asked.by, all_folds=True, n_random=n_random
        )
        seconds = time.perf_counter() - started
        print(f"{len(effects):,} effects, {n_random:,} random variants a kind: {seconds:.1f} s")
    database, started = load_database(asked.database), time.perf_counter()
    motifs = motif_changes(trained, effects, database)
    seconds = time.perf_counter() - started
    print(
        f"{len(motifs):,} sites made or broken, of {len(database.motifs):,} motifs: {seconds:.1f} s"
    )


if __name__ == "__main__":
    main()
