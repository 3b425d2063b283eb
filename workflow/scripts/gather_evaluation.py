"""Put the folds' scores into one table, with their mean and the scores of all test genes."""

from anndata import concat

from cisgrammar.common.files import read_h5ad, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.evaluate.scores import scores, summarise

with log_to(snakemake.log[0]):
    dataset = read_h5ad(snakemake.input.dataset)
    folds = [read_h5ad(path) for path in snakemake.input.predictions]
    pooled = concat(folds, axis="var")
    rows = [scores(dataset[:, p.var_names].X.T, p.X.T) for p in (*folds, pooled)]
    write_table(summarise(rows[:-1], rows[-1]), snakemake.output.evaluation)
