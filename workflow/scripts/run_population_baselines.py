"""Fit baselines of populations on one fold, and predict its test genes."""

from cisgrammar.common.files import read_h5ad, write_h5ad
from cisgrammar.common.logs import log_to
from cisgrammar.common.seeds import derive_seed
from cisgrammar.data.folds import read_folds
from cisgrammar.evaluate.population_baselines import predict_baselines

fold = int(snakemake.wildcards.fold)
with log_to(snakemake.log[0]):
    dataset = read_h5ad(snakemake.input.dataset)
    folds = read_folds(snakemake.input.folds, dataset.var_names)
    seed = derive_seed(snakemake.params.seed, "population baselines", fold)
    predicted = predict_baselines(dataset, folds, fold, seed, **snakemake.params.kmers)
    write_h5ad(predicted, snakemake.output.predictions)
