"""Train one fold's model with the hyperparameters that tuning found."""

import json
from pathlib import Path

from anndata import read_h5ad

from cisgrammar import models
from cisgrammar.devices import resolve_device
from cisgrammar.files import read_table, write_table
from cisgrammar.logs import log_to
from cisgrammar.threads import set_threads
from cisgrammar.training import Split, train

with log_to(snakemake.log[0]):
    set_threads(snakemake.threads)
    training = snakemake.params.training
    device = resolve_device(
        training["device"], snakemake.resources.get("gpu", 0), training["deterministic"]
    )
    best = json.loads(Path(snakemake.input.best).read_text())
    dataset, folds = read_h5ad(snakemake.input.dataset), read_table(snakemake.input.folds)
    split = Split.of_fold(dataset, folds, int(snakemake.wildcards.fold), device)
    model = models.build(
        snakemake.wildcards.family, dataset.n_obs, snakemake.params.settings, best, best["seed"]
    ).to(device)
    history = train(
        model,
        split,
        learning_rate=best["learning_rate"],
        batch_size=best["batch_size"],
        epochs=training["epochs"],
        patience=training["patience"],
        seed=best["order_seed"],
    )
    models.save(model, snakemake.output.model)
    write_table(history, snakemake.output.history)
