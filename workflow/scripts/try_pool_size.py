"""Train one fold on pools of another size, and measure."""

import json
from pathlib import Path

from anndata import read_h5ad

from cisgrammar.common.devices import resolve_device
from cisgrammar.common.files import write_table
from cisgrammar.common.logs import log_to
from cisgrammar.common.threads import set_threads
from cisgrammar.evaluate.pool_sizes import try_pool_size

params = snakemake.params
with log_to(snakemake.log[0]):
    set_threads(snakemake.threads)
    training = params.training
    device = resolve_device(
        training["device"], snakemake.resources.get("gpu", 0), training["deterministic"]
    )
    measures = try_pool_size(
        read_h5ad(snakemake.input.dataset),
        folds=params.folds,
        family=snakemake.wildcards.family,
        settings=params.settings,
        hyperparameters=json.loads(Path(snakemake.input.best).read_text()),
        training=training,
        seed=params.seed,
        device=device,
    )
    measures.insert(0, "cells_per_pool", int(snakemake.wildcards.q))
    write_table(measures, snakemake.output.measures)
