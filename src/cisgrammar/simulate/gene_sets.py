"""Gene sets that go with planted motifs, and some that go with none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from cisgrammar.common.files import whole_file

SIZE = 40  # genes of a set, where so many bear the motif
N_RANDOM = 12


def draw_gene_sets(
    has_site: np.ndarray,
    motifs: Sequence[str],
    genes: Sequence[str],
    rng: np.random.Generator,
) -> dict[str, list[str]]:
    """Draw a process for each motif, of genes that bear it, and processes of any genes.

    Parameters
    ----------
    has_site
        Genes x motifs: whether the motif stands in the gene's promoter.
    motifs, genes
        Their names.

    Returns
    -------
    Name of a set to its genes, in the genes' order.
    """
    sets = {}
    for column, motif in enumerate(motifs):
        bearers = np.flatnonzero(has_site[:, column])
        chosen = rng.choice(bearers, size=min(SIZE, len(bearers)), replace=False)
        sets[f"process of {motif}"] = [genes[row] for row in np.sort(chosen)]
    for number in range(1, N_RANDOM + 1):
        chosen = rng.choice(len(genes), size=min(SIZE, len(genes)), replace=False)
        sets[f"random process {number}"] = [genes[row] for row in np.sort(chosen)]
    return sets


def write_gmt(sets: Mapping[str, Sequence[str]], path: Path) -> None:
    """Write gene sets as GMT: name, description, genes."""
    with whole_file(path) as part, part.open("w") as lines:
        for name, genes in sets.items():
            lines.write("\t".join([name, "simulated", *genes]) + "\n")
