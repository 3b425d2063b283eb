"""Train one fold's model with the hyperparameters that tuning found."""

import json
from pathlib import Path

from anndata import read_h5ad

from cisgrammar import models
from cisgrammar.common.devices import resolve_device
from cisgrammar.common.files import read_table, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.common.threads import set_threads
from cisgrammar.training.final_model import train_final
from cisgrammar.training.loop import Checkpoints

wildcards, training = snakemake.wildcards, snakemake.params.training
checkpoint = Path(snakemake.params.checkpoint)
with log_to(snakemake.log[0]):
    set_threads(snakemake.threads)
    device = resolve_device(
        training["device"], snakemake.resources.get("gpu", 0), training["deterministic"]
    )
    best = json.loads(Path(snakemake.input.best).read_text())
    dataset = read_h5ad(snakemake.input.dataset, backed="r")
    folds = read_table(snakemake.input.folds)
    settings = snakemake.params.settings
    every = snakemake.config[wildcards.family].get("checkpoint_epochs")
    model, history = train_final(
        wildcards.family, dataset, folds, int(wildcards.fold), settings, best, training, device,
        None if every is None else Checkpoints(checkpoint, every),
    )  # fmt: skip
    models.save(model, snakemake.output.model)
    write_table(history, snakemake.output.history)
    checkpoint.unlink(missing_ok=True)
