"""Compare scBasset's embedding of cells with LSI's, where cells are dense and where sparse.

The multiome of config/demo_atac.yaml (dense: about 1,200 open peaks a cell of 800 cells and 6,000
peaks) and a sparse one (400, 1,000 and 4,000) are simulated with some seeds; scBasset is trained
through the library as that config has it, but for what ``--set`` says. A row for each is appended
to a table; what it already has is not done again, so that a run that was stopped goes on.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import measure
import numpy as np
import pandas as pd
import yaml
from anndata import AnnData, read_h5ad
from defaults import SCHEMA

from cisgrammar.cells.components import lsi
from cisgrammar.checks.config import complete_config
from cisgrammar.common.files import read_table, write_h5ad, write_table
from cisgrammar.common.seeds import derive_seed
from cisgrammar.common.threads import set_threads
from cisgrammar.data.accessibility import build_accessibility
from cisgrammar.data.fold_splits import split_folds
from cisgrammar.evaluate.embedding_metrics import (
    cell_type_asw,
    clustering_scores,
    ilisi,
    label_score,
)
from cisgrammar.evaluate.held_out import score_test_part
from cisgrammar.evaluate.multiome_truth import activity_table
from cisgrammar.interpret.cell_embedding import KEY, cell_embedding
from cisgrammar.interpret.tf_activity import insertion_effects
from cisgrammar.motifs.meme import read_meme
from cisgrammar.simulate.multiome import simulate_multiome
from cisgrammar.simulate.settings import MultiomeSettings
from cisgrammar.training.final_model import train_final
from cisgrammar.training.tuning import trial_seed

SPARSE = {"n_cells": 1000, "n_peaks": 4000, "open_per_cell": 400}
KINDS: dict[str, dict[str, Any]] = {"dense": {}, "sparse": SPARSE}


@dataclass(frozen=True)
class Case:
    """A simulated data set, with its folds and truth."""

    cells: AnnData
    folds: pd.DataFrame
    truth: Path

    @property
    def labels(self) -> list[str]:
        """Give the cells' types."""
        return self.cells.obs["cell_type"].astype(str).tolist()


def read_config() -> dict[str, Any]:
    path = measure.ROOT / "config/demo_atac.yaml"
    return complete_config(yaml.safe_load(path.read_text()), SCHEMA, source=str(path))


def simulate(kind: str, seed: int, config: dict[str, Any], folder: Path) -> Case:
    """Simulate a data set, or read it where it was simulated before."""
    folder = folder / f"{kind}{seed}"
    if not (folder / "accessibility.h5ad").exists():
        settings = MultiomeSettings(**(config["simulation"]["multiome"] | KINDS[kind]))
        simulate_multiome(folder, settings, seed=seed)
        cells, _ = build_accessibility(
            read_h5ad(folder / "atac.h5ad"),
            folder / "genome.fa",
            folder / "genome_index",
            **config["accessibility"],
        )
        write_h5ad(cells, folder / "accessibility.h5ad")
    cells = read_h5ad(folder / "accessibility.h5ad")
    return Case(cells, split_folds(cells.var, **config["folds"], seed=seed), folder / "truth")


def scores(embedding: np.ndarray, labels: list[str], seed: int, name: str) -> dict[str, float]:
    return {
        f"ari_{name}": clustering_scores(embedding, labels, seed)["ari"],
        f"asw_{name}": cell_type_asw(embedding, labels),
        f"label_{name}": label_score(embedding, labels, 50),
    }


def run_one(case: Case, seed: int, section: dict[str, Any]) -> dict[str, float]:
    """Train on the first fold, and compare with LSI."""
    search = section["search"]
    tuned = derive_seed(seed, "tune", "scbasset", 0)
    best = {
        "learning_rate": search["learning_rate"][0],
        "batch_size": search["batch_size"][0],
        "seed": trial_seed(tuned, 0),
        "order_seed": derive_seed(tuned, "order"),
    }
    settings = section["network"] | section["training"] | {"search": search}
    started = time.perf_counter()
    model, history = train_final(
        "scbasset", case.cells, case.folds, 0, settings, best, section["training"], "cpu"
    )
    seconds = time.perf_counter() - started
    embedding, by_logits = (
        cell_embedding(model, case.cells.obs, case.cells.varm["codes"], of).obsm[KEY]
        for of in ("weights", "logits")
    )
    batches = case.cells.obs["batch"]
    clusters = derive_seed(seed, "compare_embeddings")
    components = lsi(case.cells.X, embedding.shape[1], clusters)[:, 1:]
    per_cell, _ = score_test_part(model, case.cells, case.folds, 0)
    return {
        "open_per_cell": case.cells.X.nnz / case.cells.n_obs,
        "epochs": len(history),
        **scores(embedding, case.labels, clusters, "weights"),
        **scores(components, case.labels, clusters, "lsi"),
        **scores(by_logits, case.labels, clusters, "logits"),
        "ilisi_weights": ilisi(embedding, batches),
        "ilisi_lsi": ilisi(components, batches),
        "ilisi_logits": ilisi(by_logits, batches),
        "auroc": per_cell["auroc"].mean(),
        **activity(model, case, section["tf_activity"], seed),
        "seconds": seconds,
    }


def activity(model: Any, case: Case, section: dict[str, Any], seed: int) -> dict[str, float]:
    """Correlate the activity of planted motifs over cells with what was planted."""
    motifs = read_meme(case.truth / "motifs.meme")
    effects = insertion_effects(
        model, case.cells.varm["codes"], motifs, n_backgrounds=section["n_backgrounds"],
        of_logits=True, seed=derive_seed(seed, "tf_activity"),
    )  # fmt: skip
    planted = read_table(case.truth / "activities.tsv", index_col="motif")
    names = [motif.name for motif in motifs]
    r = activity_table({"logits": effects}, names, planted, case.cells.obs["cell_type"])["r_logits"]
    return {"median_r_activity": r.median(), "least_r_activity": r.min()}


def changed(section: dict[str, Any], changes: list[str]) -> dict[str, Any]:
    """Put values, ``training.epochs=100``, into the section of the model."""
    section = {name: dict(part) for name, part in section.items()}
    for change in changes:
        where, value = change.split("=", 1)
        part, key = where.split(".")
        if key not in section[part]:
            raise SystemExit(f"scbasset.{where}: no such key")
        section[part][key] = yaml.safe_load(value)
    return section


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("table", type=Path, help="TSV to which rows are added")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--set", nargs="*", default=[], help="such as training.epochs=100")
    parser.add_argument("--data", type=Path, help="folder that keeps the simulated data")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    set_threads(arguments.threads)
    config = read_config()
    section, settings = changed(config["scbasset"], arguments.set), " ".join(arguments.set)
    with tempfile.TemporaryDirectory() as temporary:
        for seed in arguments.seeds:
            for kind in arguments.kinds:
                key = {"settings": settings or "default", "kind": kind, "seed": seed}
                done = read_table(arguments.table) if arguments.table.exists() else pd.DataFrame()
                if len(done) and (done[list(key)] == pd.Series(key)).all(axis=1).any():
                    continue
                case = simulate(kind, seed, config, arguments.data or Path(temporary))
                row = key | run_one(case, seed, section)
                write_table(pd.concat([done, pd.DataFrame([row])]), arguments.table)
                print(row, flush=True)


if __name__ == "__main__":
    main()
