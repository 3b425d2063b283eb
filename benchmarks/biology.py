"""From filters to biology at the paper's size: 6,000 motifs aligned, 18,000 sequences mapped."""

from __future__ import annotations

import argparse

import measure
import numpy as np
import torch
from networks import FILTERS, WIDTH

from cisgrammar.interpret.motif_space import activations, embed_sequences
from cisgrammar.models.kernels.conv_maxpool import conv_maxpool
from cisgrammar.motifs.databases import load_database
from cisgrammar.motifs.meme import Motif
from cisgrammar.motifs.tomtom import compare, shuffled_matches

DATABASE = "jaspar:CORE:vertebrates:2024"
FOLDS, SEQUENCES, LENGTH = 10, 18_000, 1_000


def run(threads: list[int], folds: int = FOLDS, sequences: int = SEQUENCES) -> list[dict]:
    known = load_database(DATABASE, None).motifs
    motifs = drawn_motifs(folds * FILTERS)
    compare(motifs[:10], known, 0.05)  # compiles
    size = f"{len(motifs)} motifs of width {WIDTH}, {len(known)} known ones"
    table = []
    for n_threads in threads:
        measure.set_threads(n_threads)
        seconds = {
            "alignment": [measure.timed(lambda: compare(motifs, known, 0.05))],
            "and of their shuffled columns": [
                measure.timed(lambda: shuffled_matches(motifs, known, 0.05, rate=0.05, seed=0))
            ],
        }
        table += measure.rows("Tomtom", size, n_threads, seconds)

    measure.set_threads(threads[-1])
    seconds, size = {}, f"{sequences} sequences of {LENGTH} bases, {folds * FILTERS} filters"

    def whole() -> None:
        codes = np.random.default_rng(0).integers(0, 4, (sequences, LENGTH), dtype=np.uint8)
        scanners = {fold: scanner(fold) for fold in range(folds)}
        found = []
        seconds["activations"] = [
            measure.timed(lambda: found.append(activations(codes, scanners)[0]))
        ]
        seconds["principal components and UMAP"] = [
            measure.timed(lambda: embed_sequences(found[0], seed=0))
        ]

    memory = measure.added_memory(whole)
    table += measure.rows("motif space", size, threads[-1], seconds)
    return table + measure.rows("motif space", size, threads[-1], {"memory": [memory]}, unit="MiB")


def drawn_motifs(number: int) -> list[Motif]:
    matrices = np.random.default_rng(0).dirichlet([0.3] * 4, (number, WIDTH)).transpose(0, 2, 1)
    return [Motif(f"m{i}", matrix, 100) for i, matrix in enumerate(matrices)]


def scanner(fold: int):
    filters = torch.randn(FILTERS, 4, WIDTH, generator=torch.Generator().manual_seed(fold))
    return lambda codes: conv_maxpool(torch.from_numpy(codes), filters).maxima[..., 0].numpy()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, nargs="+", default=[2])
    parser.add_argument("--folds", type=int, default=FOLDS)
    parser.add_argument("--sequences", type=int, default=SEQUENCES)
    arguments = parser.parse_args()
    print(measure.layout(run(arguments.threads, arguments.folds, arguments.sequences)))
