"""Search one fold's hyperparameters."""

import json

from anndata import read_h5ad
from cisgrammar.data.split import Split

from cisgrammar import models
from cisgrammar.common.devices import resolve_device
from cisgrammar.common.files import read_table, whole_file, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.common.seeds import derive_seed
from cisgrammar.common.threads import set_threads
from cisgrammar.training.tuning import tune

family, fold = snakemake.wildcards.family, int(snakemake.wildcards.fold)
with log_to(snakemake.log[0]):
    set_threads(snakemake.threads)
    device = resolve_device(
        snakemake.params.device, snakemake.resources.get("gpu", 0), snakemake.params.deterministic
    )
    dataset = read_h5ad(snakemake.input.dataset, backed="r")
    folds = read_table(snakemake.input.folds)
    best, trials = tune(
        family,
        Split.of_fold(dataset, folds, fold, device),
        models.complete_settings(family, snakemake.params.settings, dataset.obs),
        **snakemake.params.tuning,
        seed=derive_seed(snakemake.params.seed, "tune", family, fold),
        journal=snakemake.params.journal,
    )
    write_table(trials, snakemake.output.trials)
    with whole_file(snakemake.output.best) as path:
        path.write_text(json.dumps(best, indent=2) + "\n")
