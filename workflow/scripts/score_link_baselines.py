"""Score pairs of gene and peak by simple methods."""

from cisgrammar.common.files import read_h5ad, read_table, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.data.gene_peaks import describe_peaks, pools_by_expression
from cisgrammar.genome.candidates import Candidates
from cisgrammar.interpret.link_baselines import baseline_table

files, params = snakemake.input, snakemake.params
with log_to(snakemake.log[0]):
    cells, counts = read_h5ad(files.accessibility), read_h5ad(files.expression)
    candidates = Candidates.of_tables(
        read_table(files.genes), read_table(files.pairs), cells.var_names, files.pairs
    )
    expression, pools = pools_by_expression(
        cells, counts, candidates.genes["gene"], params.components, **params.pools, seed=params.seed
    )
    table = baseline_table(
        candidates, cells.X, expression, pools, describe_peaks(cells),
        **params.settings, seed=params.seed,
    )  # fmt: skip
    pairs = candidates.table(cells.var_names)[["gene", "peak"]]
    write_table(pairs.join(table), snakemake.output.table)
