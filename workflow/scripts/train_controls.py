"""Train one fold's model again on shuffled sequences and on permuted targets."""

import pandas as pd

from cisgrammar.common.costs import Cost
from cisgrammar.common.devices import start_on_device
from cisgrammar.common.files import read_h5ad, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.common.seeds import derive_seed
from cisgrammar.data.folds import TEST, read_folds, rows_of
from cisgrammar.data.spoiling import spoil
from cisgrammar.evaluate.comparison import score_row
from cisgrammar.models.prediction import predict
from cisgrammar.training.final_model import train_final
from cisgrammar.training.tuning import read_best

name, fold = snakemake.wildcards.model, int(snakemake.wildcards.fold)
files, params = snakemake.input, snakemake.params
with log_to(snakemake.log[0]):
    device = start_on_device(snakemake.threads, params.training, snakemake.resources)
    best = read_best(files.best)
    dataset = read_h5ad(files.dataset)
    folds = read_folds(files.folds, dataset.var_names)
    test = rows_of(folds, fold, TEST)
    scores, costs = [], []
    for control in params.controls:
        spoiled = spoil(dataset, control, derive_seed(params.seed, "controls", control))
        with Cost() as cost:
            model, _ = train_final(
                name, spoiled, folds, fold, params.settings, best, params.training, device
            )
        inputs = model.read_inputs(spoiled[:, test]).to(device)
        predicted = predict(model, inputs).cpu().numpy()
        scores.append(score_row(control, fold, spoiled.X[:, test].T, predicted))
        costs.append(cost.row(control, fold))
    write_table(pd.concat(scores), snakemake.output.scores)
    write_table(pd.concat(costs), snakemake.output.costs)
