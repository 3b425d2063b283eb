"""Assign genes to the folds' parts, and count what of the test part the others tell."""

from cisgrammar.common.files import read_h5ad, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.data.fold_splits import split_folds
from cisgrammar.data.leaks import count_leaks

with log_to(snakemake.log[0]):
    data = read_h5ad(snakemake.input.dataset)
    folds = split_folds(data.var, **snakemake.params.settings, seed=snakemake.params.seed)
    write_table(folds, snakemake.output.folds)
    write_table(count_leaks(data.var, data.varm["codes"], folds), snakemake.output.leaks)
