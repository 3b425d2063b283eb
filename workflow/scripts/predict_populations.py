"""Predict each gene's expression in every population by the models that never saw it."""

from cisgrammar.common.files import read_h5ad, write_h5ad
from cisgrammar.common.logs import log_to
from cisgrammar.common.threads import set_threads
from cisgrammar.data.folds import read_folds
from cisgrammar.evaluate.population_predictions import predict_held_out
from cisgrammar.models.checkpoints import load_model

with log_to(snakemake.log[0]):
    set_threads(snakemake.threads)
    dataset = read_h5ad(snakemake.input.dataset)
    folds = read_folds(snakemake.input.folds, dataset.var_names)
    models = ((fold, load_model(path)) for fold, path in enumerate(snakemake.input.models))
    write_h5ad(predict_held_out(models, dataset, folds), snakemake.output.predictions)
