"""How far it goes: cells by genes from a file to pools, and peaks by pools to influence.

Cells are simulated, sparse, of several types. Each stage is a process of its own that calls what
the rule of its name calls; what was held at most is measured for each step of it. With
`--cells 1000000` have 20 GB of disk and 16 GB of memory at hand.

`--maps 10000` makes the pools of a map of all cells and of maps of so many of them, of cells that
are there, for some seeds: which types the pools cover. `--rare` makes the rarest type rarer.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from types import ModuleType
from typing import Any

import h5py
import measure
import numba
import numpy as np
import pandas as pd
import scanpy as sc
import torch
from anndata import AnnData, read_h5ad
from anndata.io import write_elem
from defaults import section, settings_of
from networks import FILTERS, WIDTH
from scipy import sparse

from cisgrammar.cells import components, pooling
from cisgrammar.cells import embedding as cells_module
from cisgrammar.cells.embedding import embed_cells
from cisgrammar.common.files import write_h5ad
from cisgrammar.common.threads import set_threads
from cisgrammar.counts.multiome import read_cells
from cisgrammar.data.dataset import build_dataset, gene_filter
from cisgrammar.data.fold_splits import split_folds
from cisgrammar.data.folds import VALIDATION, rows_of
from cisgrammar.genome.regions import sequence_codes
from cisgrammar.models.checkpoints import load_model, save_model
from cisgrammar.training.final_model import train_final

TYPES = 20
DEPTH, DEPTH_SD = 1000, 0.35  # counts of a cell: median, and standard deviation of its ln
BLOCK = 5000  # cells simulated at a time
POOLS, LENGTH = 1000, 240
PEAKS_DETECTED = 0.5  # of pools, on average
CHROMOSOMES = 20
RARE = 1.35  # with `--rare`: a type has so many times the cells of the one before
UMAP_CELLS = 100_000
MAP_SEEDS = 3
STAGES = ("simulate_cells", "embed_cells", "pool_cells")
STAGES_OF_MAPS = ("compare_maps",)
STAGES_OF_PEAKS = ("simulate_peaks", "build_dataset", "train_model", "score_influence")
ALL_STAGES = STAGES + STAGES_OF_MAPS + STAGES_OF_PEAKS

Table = list[dict[str, object]]


def simulate_cells(folder: Path, n_cells: int, n_genes: int, rare: bool, table: Table) -> None:
    """Write an h5ad of multinomial draws from lognormal expression, each type with its own."""
    rng = np.random.default_rng(0)
    ln = rng.normal(0, 1.8, n_genes) + rng.normal(0, 1, (TYPES, n_genes)) * (
        rng.random((TYPES, n_genes)) < 0.1
    )
    cumulative = np.cumsum(np.exp(ln), axis=1)
    cumulative /= cumulative[:, -1:]
    shares = RARE ** np.arange(TYPES) if rare else np.arange(1, TYPES + 1)
    types = rng.choice(TYPES, n_cells, p=shares / shares.sum())
    depths = np.maximum(DEPTH * np.exp(rng.normal(0, DEPTH_SD, n_cells)), 50).astype(np.int64)
    with measure.watched("simulate", table), h5py.File(folder / "counts.h5ad", "w") as file:
        file.attrs.update({"encoding-type": "anndata", "encoding-version": "0.1.0"})
        labels = pd.Categorical.from_codes(types, [f"type {i}" for i in range(TYPES)])
        obs = pd.DataFrame({"cell_type": labels}, index=[f"cell{i}" for i in range(n_cells)])
        write_elem(file, "obs", obs)
        write_elem(file, "var", pd.DataFrame(index=[f"gene{i}" for i in range(n_genes)]))
        matrix = file.create_group("X")
        matrix.attrs.update(
            {
                "encoding-type": "csr_matrix",
                "encoding-version": "0.1.0",
                "shape": (n_cells, n_genes),
            }
        )
        options = {"maxshape": (None,), "chunks": (1_000_000,), "compression": "gzip"}
        options["compression_opts"] = 1
        data = matrix.create_dataset("data", (0,), np.float32, **options)
        indices = matrix.create_dataset("indices", (0,), np.int32, **options)
        indptr = [np.zeros(1, np.int64)]
        for start in range(0, n_cells, BLOCK):
            block = slice(start, start + BLOCK)
            values, genes, sizes = draw(cumulative, types[block], depths[block], rng)
            for stored, new in ((data, values), (indices, genes)):
                stored.resize(len(stored) + len(new), axis=0)
                stored[-len(new) :] = new
            indptr.append(indptr[-1][-1] + np.cumsum(sizes))
        matrix["indptr"] = np.concatenate(indptr)
    stored = (folder / "counts.h5ad").stat().st_size / 1e9
    detected = int(indptr[-1][-1]) / n_cells
    table[-1]["found"] = f"{detected:.0f} genes a cell, {stored:.1f} GB in the file"


def draw(
    cumulative: np.ndarray, types: np.ndarray, depths: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw counts of some cells: values, genes, and how many of them each cell has."""
    sizes = np.zeros(len(types), np.int64)
    genes = np.zeros((len(types), depths.max()), np.int32)
    values = np.zeros(genes.shape, np.float32)
    ends = np.cumsum(depths)
    _draw(cumulative, types, rng.random(ends[-1]), ends, values, genes, sizes)
    there = np.arange(genes.shape[1]) < sizes[:, None]
    return values[there], genes[there], sizes


@numba.njit(parallel=True, cache=True)
def _draw(cumulative, types, uniform, ends, values, genes, sizes):  # type: ignore[no-untyped-def]
    for cell in numba.prange(len(types)):
        counts = np.zeros(cumulative.shape[1], np.int32)
        start = ends[cell - 1] if cell else 0
        for gene in np.searchsorted(cumulative[types[cell]], uniform[start : ends[cell]]):
            counts[min(gene, len(counts) - 1)] += 1
        for gene in range(len(counts)):
            if counts[gene]:
                genes[cell, sizes[cell]], values[cell, sizes[cell]] = gene, counts[gene]
                sizes[cell] += 1


def embed(folder: Path, table: Table) -> None:
    """Do what the rule embed_cells does, approximately."""
    cells, settings = read(folder, table)
    watch(components, "randomised_components", "components", table)
    watch(cells_module, "_neighbours", "neighbours", table)
    watch(sc.tl, "umap", "UMAP", table)
    watch(cells_module, "nearest_in_sketch", "place the others", table)
    embed_cells(cells, **settings, seed=0)
    with measure.watched("write cells.h5ad", table):
        write_h5ad(cells, folder / "cells.h5ad")


def read(folder: Path, table: Table) -> tuple[AnnData, dict[str, Any]]:
    """Read and filter the cells; the settings are those by which they are embedded."""
    settings = section("cells") | {"exact_pca": False, "exact_neighbors": False}
    settings["umap_cells"] = UMAP_CELLS
    reading = section("counts") | {"cell_type": "cell_type", "batches": None}
    for key in ("path", "cell_table"):
        reading.pop(key)
    with measure.watched("read and filter", table):
        cells, _ = read_cells(
            folder / "counts.h5ad",
            reading=reading,
            chosen={key: settings.pop(key) for key in ("keep", "drop")},
            least={"min_genes": 200, "min_cells": 10},
        )
    del settings["min_genes"], settings["min_cells"]
    table[-1]["found"] = f"{cells.n_obs:,} cells x {cells.n_vars:,} genes"
    return cells, settings


def pool(folder: Path, table: Table) -> None:
    """Do what the rule pool_cells does."""
    with measure.watched("read cells.h5ad", table):
        cells = read_h5ad(folder / "cells.h5ad")
    watch(pooling, "sketch_seeds", "sketch", table)
    watch(pooling, "nearest_cells", "nearest cells", table)
    watch(pooling, "pool_counts", "pool", table)
    pools, _ = pooling.make_pools(cells, **section("pools"), seed=0)
    purity = pools.obs["purity"].mean()
    table[-1]["found"] = f"{pools.n_obs:,} pools, {pools.obs['cell_type'].nunique()} types of them"
    table[-1]["found"] += f", mean purity {purity:.3f}"
    write_h5ad(pools, folder / "pools.h5ad")


def compare_maps(folder: Path, sizes: list[int], table: Table) -> None:
    """Make pools by a map of all cells and by maps of some: how well each covers the types."""
    cells, settings = read(folder, [])
    embed_cells(cells, **settings | {"umap_cells": min(sizes)}, seed=0)
    found = cells.obsm["X_pca"]  # by each map the same
    cells_module.log_pca = lambda *_: found
    settings["drop_first_pc"] = False
    rarest = cells.obs["cell_type"].value_counts().index[::-1][:3]
    for seed in range(MAP_SEEDS):
        for size in [None, *sizes]:
            name = "all cells" if size is None else f"{size:,} cells"
            with measure.watched(f"map of {name}, seed {seed}", table):
                embed_cells(cells, **settings | {"umap_cells": size}, seed=seed)
            pools, _ = pooling.make_pools(cells, **section("pools"), seed=seed)
            seeds = cells.obs["cell_type"].astype(str)[pools.obs["seed"]].value_counts()
            table[-1]["found"] = (
                f"{pools.obs['cell_type'].nunique()} types of pools, {len(seeds)} of seeds; seeds "
                + ", ".join(f"{seeds.get(t, 0)} of {t}" for t in rarest)
                + f" ({', '.join(str((cells.obs['cell_type'] == t).sum()) for t in rarest)} cells)"
                f"; fewest of a type {seeds.min()}; mean purity {pools.obs['purity'].mean():.3f}"
            )
            print(layout(table[-1:]), file=sys.stderr, flush=True)  # the next may take long


def watch(module: ModuleType, name: str, step: str, table: Table) -> None:
    """Measure a function of a module whenever it is called."""
    function: Callable[..., object] = getattr(module, name)

    @wraps(function)
    def measured(*arguments: object, **keywords: object) -> object:
        with measure.watched(step, table):
            return function(*arguments, **keywords)

    setattr(module, name, measured)


def simulate_peaks(folder: Path, n_peaks: int, table: Table) -> None:
    """Write a genome, peaks side by side on it, and pools by peaks."""
    rng = np.random.default_rng(0)
    with measure.watched("simulate", table):
        per_chromosome = -(-n_peaks // CHROMOSOMES)
        with (folder / "genome.fa").open("wb") as file:
            for i in range(CHROMOSOMES):
                bases = np.frombuffer(b"ACGT", np.uint8)[
                    rng.integers(0, 4, per_chromosome * LENGTH)
                ]
                file.write(b">chr%d\n%s\n" % (i + 1, bases.tobytes()))
        number = np.arange(n_peaks)
        start = number % per_chromosome * LENGTH
        chrom = "chr" + pd.Series(number // per_chromosome + 1).astype(str)
        regions = pd.DataFrame(
            {"chrom": chrom, "start": start, "end": start + LENGTH, "strand": "+"}
        )
        regions.index = pd.Index(chrom + ":" + regions["start"].astype(str), name="name")
        rate = np.exp(rng.normal(np.log(-np.log(1 - PEAKS_DETECTED)), 0.7, n_peaks))
        blocks = [
            sparse.csr_matrix(rng.poisson(rate, (10, n_peaks)).astype(np.float32))
            for _ in range(POOLS // 10)
        ]
        obs = pd.DataFrame({"cell_type": "one"}, index=[f"pool{i}" for i in range(POOLS)])
        pools = AnnData(sparse.vstack(blocks, format="csr"), obs=obs, var=regions[[]])
        pools.obsm["X_umap"] = np.zeros((POOLS, 2), np.float32)
        write_h5ad(pools, folder / "pools_of_peaks.h5ad")
        regions.to_csv(folder / "regions.tsv", sep="\t")
    table[-1]["found"] = f"{pools.X.nnz / 1e6:.0f} million counts"


def dataset(folder: Path, table: Table) -> None:
    """Do what the rule build_dataset does."""
    with measure.watched("read pools.h5ad", table):
        pools = read_h5ad(folder / "pools_of_peaks.h5ad")
        regions = pd.read_csv(folder / "regions.tsv", sep="\t", index_col="name")
    with measure.watched("sequences", table):
        windows = regions.rename_axis("name").reset_index()
        codes, known = sequence_codes(windows, folder / "genome.fa", folder / "genome")
    with measure.watched("filter peaks", table):
        found = gene_filter(pools[:, regions.index].X, **section("dataset"))
    with measure.watched("join", table):
        data = build_dataset(pools, regions, codes, known & found)
    table[-1]["found"] = f"{data.n_vars:,} sequences x {data.n_obs:,} pools"
    with measure.watched("write dataset.h5ad", table):
        write_h5ad(data, folder / "dataset.h5ad")


def training(folder: Path, table: Table) -> None:
    """Do what the rule train_model does, for one epoch."""
    with measure.watched("read dataset.h5ad, split", table):
        data = read_h5ad(folder / "dataset.h5ad")
        folds = split_folds(data.var, **section("folds"), seed=0)
    best = {"learning_rate": 0.005, "batch_size": 128, "sigma_motifs": 1e-4, "sigma_net": 1e-3}
    best |= {"seed": 0, "order_seed": 0}
    settings = settings_of("scover") | {"filters": FILTERS, "width": WIDTH}
    once = {"epochs": 1, "patience": None}
    with measure.watched("train one epoch", table):
        model, history = train_final("scover", data, folds, 0, settings, best, once, "cpu")
    steps = -(-(folds["fold0"] == "train").sum() // best["batch_size"])
    table[-1]["found"] = f"{steps:,} steps, loss {history['train_loss'].item():.4f}"
    save_model(model, folder / "model.pt")
    folds.to_csv(folder / "folds.tsv", sep="\t", index=False)


def influence(folder: Path, table: Table) -> None:
    """Do what the rule score_influence does."""
    with measure.watched("read dataset.h5ad", table):
        data = read_h5ad(folder / "dataset.h5ad")
        rows = rows_of(pd.read_csv(folder / "folds.tsv", sep="\t"), 0, VALIDATION)
        codes = torch.from_numpy(data.varm["codes"][rows])
    with measure.watched("influence and effect", table):
        scores, _ = load_model(folder / "model.pt").influence_and_effect(codes)
    table[-1]["found"] = f"{tuple(scores.shape)} over {len(rows):,} sequences"


def run_stage(stage: str, arguments: argparse.Namespace) -> Table:
    """Run one stage in this process."""
    set_threads(arguments.threads)
    folder, table = arguments.folder, []
    if stage == "simulate_cells":
        simulate_cells(folder, arguments.cells, arguments.genes, arguments.rare, table)
    elif stage == "compare_maps":
        compare_maps(folder, arguments.maps, table)
    elif stage == "simulate_peaks":
        simulate_peaks(folder, arguments.peaks, table)
    else:
        work = {
            "embed_cells": embed,
            "pool_cells": pool,
            "build_dataset": dataset,
            "train_model": training,
            "score_influence": influence,
        }
        work[stage](folder, table)
    return [{"stage": stage} | row for row in table]


def layout(table: Table) -> str:
    """Lay a table out in Markdown."""
    columns = ["stage", "step", "seconds", "processor seconds", "peak GB", "found"]
    lines = [columns, ["---"] * len(columns)]
    for row in table:
        values = [row.get(column, "") for column in columns]
        lines.append([f"{v:.1f}" if isinstance(v, float) else str(v) for v in values])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=0, help="0 leaves cells out")
    parser.add_argument("--genes", type=int, default=20_000)
    parser.add_argument("--rare", action="store_true", help="cells of much rarer types")
    parser.add_argument("--maps", type=int, nargs="*", default=[], help="cells that maps are of")
    parser.add_argument("--peaks", type=int, default=0, help="0 leaves peaks out")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--folder", type=Path, required=True, help="for files; they stay there")
    parser.add_argument("--stage", choices=ALL_STAGES, help="only this one, here")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    if arguments.stage:
        print(json.dumps(run_stage(arguments.stage, arguments)))
    else:
        stages = STAGES * bool(arguments.cells) + STAGES_OF_MAPS * bool(arguments.maps)
        stages += STAGES_OF_PEAKS * bool(arguments.peaks)
        print(json.dumps(measure.machine()), flush=True)
        table: Table = []
        for stage in stages:
            command = [sys.executable, __file__, "--stage", stage, *sys.argv[1:]]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            table += json.loads(done.stdout.splitlines()[-1])
            print(layout(table), flush=True)
