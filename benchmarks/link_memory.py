"""Memory of the second stage of links as data grow, at the published sizes of the network.

    python benchmarks/link_memory.py [--cells 2500 5000 10000] [--threads 2]

Cells x genes x peaks are drawn at random: 0.7 genes and 7 peaks for each cell, 40 candidates for
each gene, 3% of peaks open and 10% of genes found in a cell. Each size is a process of its own
that calls what the rules `train_links` and `score_links` call. Few genes are trained on, for one
epoch, scored and fitted, for each is like the next; what is kept of a fitted gene is 33 kB.
The first stage is a small network, for only what it gives is used here.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import replace

import measure
import numpy as np
import pandas as pd
import torch
import yaml
from anndata import AnnData
from defaults import SCHEMA, settings_of
from scale import layout
from scipy import sparse

from cisgrammar.checks.config import complete_config
from cisgrammar.common.threads import set_threads
from cisgrammar.data.gene_batches import GenePeaks
from cisgrammar.genome.candidates import Candidates
from cisgrammar.interpret.link_evidence import fit_effects
from cisgrammar.interpret.link_table import LinkScores, score_effects, score_genes
from cisgrammar.models.checkpoints import build_model
from cisgrammar.training.link_data import gather_gene_peaks, network_of
from cisgrammar.training.link_model import train_attention

LENGTH, NEAR, APART = 1344, 40, 2500  # bases, candidates of a gene, bases between peaks
SHARES = {"peaks": 0.03, "genes": 0.1}
FIRST_STAGE = {"stem_filters": 4, "tower_filters": [4] * 6, "last_filters": 4, "length": LENGTH}
PARTS = {"train": 32, "validation": 8, "test": 4}  # genes that the network sees
FITTED = 300  # genes of which it is asked what their own cells say


def made(n_cells: int) -> tuple[AnnData, AnnData, Candidates]:
    """Draw cells x peaks, cells x genes, and the genes' candidates."""
    rng = np.random.default_rng(0)
    n_genes = 7 * n_cells // 10
    n_peaks = 10 * n_genes
    cells = AnnData(
        sparse.random(n_cells, n_peaks, SHARES["peaks"], "csr", np.float32, rng),
        var=pd.DataFrame(index=[f"p{i}" for i in range(n_peaks)]),
    )
    cells.X.data[:] = 1
    cells.varm["codes"] = rng.integers(0, 4, (n_peaks, LENGTH), dtype=np.uint8)
    names = [f"g{i}" for i in range(n_genes)]
    counts = AnnData(
        sparse.random(n_cells, n_genes, SHARES["genes"], "csr", np.float32, rng),
        var=pd.DataFrame(index=names),
    )
    counts.X.data[:] = 1 + rng.poisson(1, counts.X.nnz)
    promoters = 10 * np.arange(n_genes) + 5
    first = np.clip(promoters - NEAR // 2, 0, n_peaks - NEAR - 1)
    peaks = first[:, None] + np.arange(NEAR + 1)
    peaks = peaks[peaks != promoters[:, None]].reshape(n_genes, NEAR)
    genes = pd.DataFrame(
        {"gene": names, "gene_name": names, "chrom": "chr1", "strand": "+", "promoter": promoters}
    ).assign(tss=APART * promoters)
    distances = APART * (peaks - promoters[:, None])
    indptr = np.arange(0, n_genes * NEAR + 1, NEAR)
    return cells, counts, Candidates(genes, indptr, peaks.ravel(), distances.ravel())


def first_genes(data: GenePeaks, n: int) -> GenePeaks:
    """Keep the pairs of the first genes."""
    its = data.candidates
    end = its.indptr[n]
    kept = Candidates(its.genes[:n], its.indptr[: n + 1], its.peaks[:end], its.distances[:end])
    return replace(data, candidates=kept)


def run_size(n_cells: int, threads: int) -> list[dict[str, object]]:
    """Measure one size in this process."""
    set_threads(threads)
    table: list[dict[str, object]] = []
    config = yaml.safe_load((measure.ROOT / "config/demo_links.yaml").read_text())
    settings = complete_config(config | {"links": {}}, SCHEMA, source="defaults")["links"]
    with measure.watched("draw", table):
        cells, counts, candidates = made(n_cells)
    first = build_model("scbasset", n_cells, settings_of("scbasset") | FIRST_STAGE, {}, 1).eval()
    with measure.watched("gather", table), torch.no_grad():
        data, parts = gather_gene_peaks(first, cells, counts, candidates, settings, seed=1)
    its = np.full(len(candidates), "", dtype=object)
    ends = np.cumsum(list(PARTS.values()))
    for (part, n), end in zip(PARTS.items(), ends, strict=True):
        its[end - n : end] = part
    with measure.watched(f"train, {PARTS['train']} genes", table):
        model, _ = train_attention(data, its, parts, network_of(settings) | {"epochs": 1}, seed=1)
    rng = np.random.default_rng(1)
    background = rng.permutation(cells.n_vars)
    types = rng.integers(0, 10, n_cells).astype(str)
    scores = LinkScores.empty(len(candidates.peaks), len(candidates), len(np.unique(types)))
    tested = np.flatnonzero(its == "test")
    with measure.watched(f"score, {len(tested)} genes", table):
        score_genes(scores, model, data, tested, background, parts, target=settings["target"])
    few, scores = first_genes(data, FITTED), LinkScores.empty(FITTED * NEAR, FITTED, 10)
    with measure.watched(f"own cells, {FITTED} genes", table):
        effects = fit_effects(
            few, scores.expected, scores.of_promoters, scores.of_matched, background, 1
        )
        score_effects(scores, few, effects, background, types)
    size = f"{n_cells:,} cells x {len(candidates):,} genes x {cells.n_vars:,} peaks"
    return [{"stage": size} | row for row in table]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--cells", type=int, nargs="+", default=[2500, 5000, 10_000])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--one", action="store_true", help="only this size, here")
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(run_size(arguments.cells[0], arguments.threads)))
    else:
        print(json.dumps(measure.machine()), flush=True)
        table = []
        for n_cells in arguments.cells:
            command = [sys.executable, __file__, "--one", "--cells", str(n_cells)]
            command += ["--threads", str(arguments.threads)]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            table += json.loads(done.stdout.splitlines()[-1])
            print(layout(table), flush=True)
