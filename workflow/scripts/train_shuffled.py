"""Train one fold's model again on shuffled labels, and score it on these: the control."""

import json
from pathlib import Path

from anndata import read_h5ad

from cisgrammar.common.devices import resolve_device
from cisgrammar.common.files import read_table, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.common.seeds import derive_seed
from cisgrammar.common.threads import set_threads
from cisgrammar.data.accessibility import shuffle_within_cells
from cisgrammar.evaluate.held_out import score_test_part
from cisgrammar.training.final_model import train_final
from cisgrammar.training.loop import Checkpoints

fold, params = int(snakemake.wildcards.fold), snakemake.params
settings, training = params.settings, params.training
checkpoint = Path(params.checkpoint)
with log_to(snakemake.log[0]):
    set_threads(snakemake.threads)
    device = resolve_device(
        training["device"], snakemake.resources.get("gpu", 0), training["deterministic"]
    )
    best = json.loads(Path(snakemake.input.best).read_text())
    dataset, folds = read_h5ad(snakemake.input.dataset), read_table(snakemake.input.folds)
    dataset.X = shuffle_within_cells(dataset.X, derive_seed(params.seed, "train_shuffled"))
    model, _ = train_final(
        "scbasset", dataset, folds, fold, settings, best, training, device,
        Checkpoints(checkpoint, snakemake.config["scbasset"]["checkpoint_epochs"]),
    )  # fmt: skip
    per_cell, per_peak = score_test_part(model.cpu(), dataset, folds, fold)
    write_table(per_cell, snakemake.output.per_cell)
    write_table(per_peak, snakemake.output.per_peak)
    checkpoint.unlink(missing_ok=True)
