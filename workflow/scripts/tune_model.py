"""Search one fold's hyperparameters."""

from cisgrammar.common.costs import Cost
from cisgrammar.common.devices import start_on_device
from cisgrammar.common.files import read_h5ad, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.common.seeds import derive_seed
from cisgrammar.data.folds import read_folds
from cisgrammar.data.split import Split
from cisgrammar.models.registry import MODELS
from cisgrammar.training.tuning import tune, write_best
from cisgrammar.training.warm_start import leading_trials

name, fold = snakemake.wildcards.model, int(snakemake.wildcards.fold)
params, out = snakemake.params, snakemake.output
with log_to(snakemake.log[0]), Cost() as cost:
    device = start_on_device(snakemake.threads, params.training, snakemake.resources)
    implementation = MODELS[name].load()
    dataset = read_h5ad(snakemake.input.dataset, backed="r")
    folds = read_folds(snakemake.input.folds, dataset.var_names)
    split = Split.of_fold(dataset, folds, fold, device, implementation.read_inputs)
    settings = implementation.complete_settings(params.settings, dataset)
    settings = implementation.choose_settings(settings, split)
    candidates = None
    if first := snakemake.input.get("first"):
        space = implementation.search_space(settings)
        candidates = leading_trials(first, space, params.warm_start)
    best, trials = tune(
        name,
        split,
        settings,
        **params.tuning,
        candidates=candidates,
        seed=derive_seed(params.seed, "tune", name, fold),
        journal=params.journal,
    )
    write_table(trials, out.trials)
    write_best(best, out.best)
write_table(cost.row(name, fold), out.costs)
