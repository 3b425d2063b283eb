"""Compare predictions of simulated populations with the truth."""

from cisgrammar.common.files import read_h5ad, read_table, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.evaluate.population_truth import compare_populations

files = snakemake.input
with log_to(snakemake.log[0]):
    table = compare_populations(
        read_h5ad(files.dataset),
        read_h5ad(files.predictions),
        read_table(files.genes, index_col="gene"),
        read_h5ad(files.expectation),
        snakemake.params.seed,
    )
    write_table(table, snakemake.output.truth)
