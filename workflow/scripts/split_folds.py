"""Assign sequences to the folds' training, validation and test parts."""

from cisgrammar.common.files import read_h5ad, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.data.fold_splits import split_folds

with log_to(snakemake.log[0]):
    dataset = read_h5ad(snakemake.input.dataset)
    folds = split_folds(dataset.var, **snakemake.params.settings, seed=snakemake.params.seed)
    write_table(folds, snakemake.output.folds)
