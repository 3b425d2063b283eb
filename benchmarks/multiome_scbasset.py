"""scBasset on the simulated multiome, against its truth: cell types, TF activities, sites."""

from __future__ import annotations

import argparse
import logging
import time
from pathlib import Path

import anndata as ad
import numpy as np
import torch

from cisgrammar import models
from cisgrammar.accessibility import batch_numbers, shuffle_within_cells
from cisgrammar.cell_embedding import KEY, cell_embedding, depth_against_intercept
from cisgrammar.components import lsi
from cisgrammar.config import complete_config, read_schema
from cisgrammar.embedding_metrics import compare_embeddings
from cisgrammar.files import read_table
from cisgrammar.folds import TEST, rows_of, split_folds
from cisgrammar.held_out import score_held_out, summarise
from cisgrammar.motifs.meme import read_meme
from cisgrammar.multiome_truth import sites_found
from cisgrammar.peak_sequences import build_accessibility
from cisgrammar.simulate.multiome import simulate_multiome
from cisgrammar.tf_activity import activity_against, insertion_effects
from cisgrammar.threads import set_threads
from cisgrammar.training import Checkpoints, Split, train

SCHEMA = Path(__file__).parents[1] / "workflow/schemas/config.schema.yaml"
SEED = 1
SMALL = {
    "length": 400, "stem_filters": 64, "tower_filters": [64, 64, 64], "last_filters": 32,
    "augment_per_sequence": True,
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--cells", type=int, default=800)
    parser.add_argument("--peaks", type=int, default=6000)
    parser.add_argument("--batches", action="store_true", help="correct for batches")
    parser.add_argument("--shuffled", action="store_true", help="shuffle labels: the control")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO)
    set_threads(arguments.threads)
    folder = arguments.folder
    if not (folder / "truth/expectation.h5ad").exists():
        simulate_multiome(
            folder, seed=SEED, n_cells=arguments.cells, n_peaks=arguments.peaks,
            open_per_cell=0.2 * arguments.peaks,
        )  # fmt: skip
    settings = complete_config({"name": "x"}, read_schema(SCHEMA))["scbasset"] | SMALL
    cells, _ = build_accessibility(
        ad.read_h5ad(folder / "atac.h5ad"), folder / "genome.fa", folder,
        length=settings["length"], min_share=0.01,
    )  # fmt: skip
    if arguments.shuffled:
        cells.X = shuffle_within_cells(cells.X, SEED)
    if arguments.batches:
        settings["batch_of_target"] = batch_numbers(cells.obs["batch"])
    folds = split_folds(cells.var, n_folds=10, validation=0.05, by="random", seed=SEED)
    split = Split.of_fold(cells, folds, 0)
    model = models.build("scbasset", cells.n_obs, settings, {}, SEED)
    started = time.perf_counter()
    history = train(
        model, split, learning_rate=0.01, batch_size=64, epochs=arguments.epochs, patience=50,
        seed=SEED, checkpoints=Checkpoints(folder / "checkpoint.pt", every=5),
        on_epoch=lambda epoch, loss: print(epoch, f"{loss:.5f}", flush=True),
    )  # fmt: skip
    print(f"training: {time.perf_counter() - started:.0f} s")
    print(history.iloc[:: max(len(history) // 6, 1)].to_string())
    models.save(model, folder / "model.pt")
    report(model, cells, split, rows_of(folds, 0, TEST), folder)


def report(
    model: models.Model, cells: ad.AnnData, split: Split, test: np.ndarray, folder: Path
) -> None:
    print(summarise(*score_held_out(model, split.codes, split.targets, torch.from_numpy(test))))
    embedded = cell_embedding(model, cells.obs)
    _, r = depth_against_intercept(embedded, np.diff(cells.X.indptr))
    print(f"depth against intercept: r = {r:.3f}")
    embeddings = {"scbasset": embedded.obsm[KEY], "lsi": lsi(cells.X, 31, SEED)[:, 1:]}
    metrics = compare_embeddings(
        embeddings, cells.obs["cell_type"], batches=cells.obs["batch"], seed=SEED
    )
    print(metrics.round(3).T.to_string())

    motifs = read_meme(folder / "truth/motifs.meme")
    planted = read_table(folder / "truth/activities.tsv", index_col="motif")
    names = [motif.name for motif in motifs]
    truth = planted.loc[names, cells.obs["cell_type"].astype(str)].to_numpy().T
    for of_logits in (False, True):
        effects = insertion_effects(
            model, cells.varm["codes"], motifs, n_backgrounds=300, of_logits=of_logits, seed=SEED
        )
        table = activity_against(effects, truth, names)
        print("activity from logits" if of_logits else "activity from accessibility")
        print(table.round(2).T.to_string(), f"\nmedian {table['r'].median():.3f}")

    sites = read_table(folder / "truth/sites.tsv")
    found = sites_found(model, cells, sites, planted, n_peaks=100, seed=SEED)
    print(f"importance highest in the planted site: {found['right'].mean():.2f} of {len(found)}")


if __name__ == "__main__":
    main()
