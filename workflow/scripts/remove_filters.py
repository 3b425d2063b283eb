"""Predict without some filters: those that match nothing known, the others, each family."""

import pandas as pd

from cisgrammar.common.files import read_h5ad, read_table, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.common.threads import set_threads
from cisgrammar.data.folds import read_folds
from cisgrammar.evaluate.filter_removal import known_families, score_subsets
from cisgrammar.models.checkpoints import load_model

files = snakemake.input
with log_to(snakemake.log[0]):
    set_threads(snakemake.threads)
    dataset = read_h5ad(files.dataset)
    folds = read_folds(files.folds, dataset.var_names)
    filters = read_table(files.filters)
    families = read_table(files.families, has={"family": filters["family"]})
    known, fill = known_families(families), snakemake.params.fill
    scores = [
        score_subsets(load_model(path), dataset, folds, fold, filters, known, fill)
        for fold, path in enumerate(files.models)
    ]
    write_table(pd.concat(scores), snakemake.output.scores)
