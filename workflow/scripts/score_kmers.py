"""Score k-mers on a fold's peaks that no model saw, per cell and per peak."""

from cisgrammar.common.files import read_h5ad, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.common.threads import set_threads
from cisgrammar.data.folds import read_folds
from cisgrammar.evaluate.cell_kmers import score_kmers

with log_to(snakemake.log[0]):
    set_threads(snakemake.threads)
    dataset = read_h5ad(snakemake.input.dataset, backed="r")
    folds = read_folds(snakemake.input.folds, dataset.var_names)
    fold, seed = int(snakemake.wildcards.fold), snakemake.params.seed
    per_cell, per_peak = score_kmers(dataset, folds, fold, seed)
    write_table(per_cell, snakemake.output.per_cell)
    write_table(per_peak, snakemake.output.per_peak)
