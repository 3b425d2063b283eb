"""Predict a fold's test genes and score the predictions."""

import pandas as pd
from anndata import AnnData

from cisgrammar.common.files import read_h5ad, write_h5ad, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.common.threads import set_threads
from cisgrammar.data.folds import TEST, read_folds, rows_of
from cisgrammar.evaluate.scores import scores, scores_by
from cisgrammar.models.checkpoints import load_model
from cisgrammar.models.prediction import predict, spread_of_members

fold = int(snakemake.wildcards.fold)
with log_to(snakemake.log[0]):
    set_threads(snakemake.threads)
    dataset = read_h5ad(snakemake.input.dataset)
    folds = read_folds(snakemake.input.folds, dataset.var_names)
    test = dataset[:, rows_of(folds, fold, TEST)]
    model = load_model(snakemake.input.model)
    inputs = model.read_inputs(test)
    predicted, spread = predict(model, inputs).numpy(), spread_of_members(model, inputs)
    observed = test.X.T
    row = {"fold": fold, **scores(observed, predicted)}
    write_table(pd.DataFrame([row]), snakemake.output.evaluation)
    write_table(scores_by(observed, predicted, test.obs_names, 0), snakemake.output.per_pool)
    write_table(scores_by(observed, predicted, test.var_names, 1), snakemake.output.per_gene)
    layers = {} if spread is None else {"spread": spread.numpy().T}
    predictions = AnnData(predicted.T, obs=test.obs[[]], var=test.var[[]], layers=layers)
    write_h5ad(predictions, snakemake.output.predictions)
