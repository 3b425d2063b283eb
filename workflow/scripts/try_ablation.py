"""Train a model of populations on a part of what it reads, and score it on the fold's genes."""

from cisgrammar.common.devices import start_on_device
from cisgrammar.common.files import read_h5ad, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.data.folds import read_folds
from cisgrammar.evaluate.population_ablations import ablate, score_ablation
from cisgrammar.training.final_model import train_final
from cisgrammar.training.loop import Checkpoints
from cisgrammar.training.tuning import read_best

files, params, wildcards = snakemake.input, snakemake.params, snakemake.wildcards
name, fold, what = wildcards.model, int(wildcards.fold), wildcards.ablation
with log_to(snakemake.log[0]):
    device = start_on_device(snakemake.threads, params.training, snakemake.resources)
    checkpoints = Checkpoints.of_config(params.checkpoint, snakemake.config[name])
    dataset = read_h5ad(files.dataset)
    folds = read_folds(files.folds, dataset.var_names)
    dataset, settings = ablate(dataset, params.settings, what, params.upstream)
    model, _ = train_final(
        name, dataset, folds, fold,
        settings, read_best(files.best), params.training, device, checkpoints,
    )  # fmt: skip
    write_table(score_ablation(model.cpu(), dataset, folds, fold, what), snakemake.output.scores)
    checkpoints.remove()
