"""Fit the baselines on one fold and score them on its test sequences."""

import pandas as pd

from cisgrammar.common.costs import Cost
from cisgrammar.common.files import read_h5ad, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.common.seeds import derive_seed
from cisgrammar.data.folds import read_folds
from cisgrammar.evaluate.baselines import FoldData, check_methods, options_of, predict
from cisgrammar.evaluate.comparison import score_row

fold, settings = int(snakemake.wildcards.fold), snakemake.params.settings
with log_to(snakemake.log[0]):
    dataset = read_h5ad(snakemake.input.dataset)
    folds = read_folds(snakemake.input.folds, dataset.var_names)
    check_methods(settings["baselines"], dataset.X)
    hits = read_h5ad(snakemake.input.hits).X if snakemake.input.hits else None
    data = FoldData.of_fold(
        dataset,
        folds,
        fold,
        motif_scores=hits,
        seed=derive_seed(snakemake.params.seed, "baselines", fold),
        n_threads=snakemake.threads,
    )
    observed = data.targets[data.test]
    scores, costs = [], []
    for method in settings["baselines"]:
        with Cost() as cost:
            predicted = predict(method, data, **options_of(method, settings))
        scores.append(score_row(method, fold, observed, predicted))
        costs.append(cost.row(method, fold))
    write_table(pd.concat(scores), snakemake.output.scores)
    write_table(pd.concat(costs), snakemake.output.costs)
