"""Train one fold on pools of another size, and measure."""

from cisgrammar.common.devices import start_on_device
from cisgrammar.common.files import read_h5ad, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.evaluate.pool_sizes import try_pool_size
from cisgrammar.training.tuning import read_best

params = snakemake.params
with log_to(snakemake.log[0]):
    device = start_on_device(snakemake.threads, params.training, snakemake.resources)
    measures = try_pool_size(
        read_h5ad(snakemake.input.dataset),
        folds=params.folds,
        model=snakemake.wildcards.model,
        settings=params.settings,
        hyperparameters=read_best(snakemake.input.best),
        training=params.training,
        seed=params.seed,
        device=device,
    )
    measures.insert(0, "cells_per_pool", int(snakemake.wildcards.q))
    write_table(measures, snakemake.output.measures)
