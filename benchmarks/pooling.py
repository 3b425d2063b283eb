"""Pool 200,000 cells by 20,000 genes once the neighbours are known: time and memory."""

from __future__ import annotations

import argparse

import measure
import numpy as np
from networks import ROOT  # noqa: F401 (puts cisgrammar on the path)
from scipy import sparse

from cisgrammar.cells.pooling import pool_counts

CELLS, GENES, DENSITY = 200_000, 20_000, 0.05
POOLS, CELLS_PER_POOL = 1_000, 120


def run(runs: int = 3, cells: int = CELLS) -> list[dict[str, object]]:
    counts, members = random_counts(cells)
    tasks = {"pool_counts": lambda: pool_counts(counts, members)}
    size = f"{cells} cells, {GENES} genes, {counts.nnz / 1e6:.0f} million counts"
    table = measure.rows("pooling", size, 1, measure.alternate(tasks, runs))
    matrix = matrix_size(counts)
    added = measure.in_new_process("pooling.py", "--memory", cells)
    memory = {"count matrix": [matrix], "added by pooling": [added]}
    return table + measure.rows("pooling", size, 1, memory, unit="MiB", reference="count matrix")


def random_counts(cells: int) -> tuple[sparse.csr_matrix, np.ndarray]:
    """Make counts with equally many genes in each cell, and random pools."""
    rng = np.random.default_rng(0)
    per_cell = int(GENES * DENSITY)
    gaps = rng.integers(1, 2 * GENES // per_cell - 1, (cells, per_cell), dtype=np.int32)
    genes = np.cumsum(gaps, axis=1, dtype=np.int32, out=gaps)
    data = rng.integers(1, 10, cells * per_cell, dtype=np.int32).astype(np.float32)
    indptr = np.arange(0, cells * per_cell + 1, per_cell)
    counts = sparse.csr_matrix((data, genes.ravel() % GENES, indptr), shape=(cells, GENES))
    return counts, rng.integers(0, cells, (POOLS, CELLS_PER_POOL))


def matrix_size(counts: sparse.csr_matrix) -> float:
    """MiB of a sparse matrix."""
    return (counts.data.nbytes + counts.indices.nbytes + counts.indptr.nbytes) / 2**20


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=CELLS)
    parser.add_argument("--memory", type=int, metavar="CELLS")
    arguments = parser.parse_args()
    if arguments.memory:
        counts, members = random_counts(arguments.memory)
        print(measure.added_memory(lambda: pool_counts(counts, members)))
    else:
        print(measure.layout(run(cells=arguments.cells)))
