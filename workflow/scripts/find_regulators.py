"""Correlate families with the expression of the TFs that may be behind them."""

from cisgrammar.common.files import read_h5ad, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.interpret.influence import with_score
from cisgrammar.interpret.regulators import find_regulators, summarise_regulators

with log_to(snakemake.log[0]):
    families = with_score(read_h5ad(snakemake.input.families), snakemake.params.score)
    regulators = find_regulators(families, read_h5ad(snakemake.input.expression))
    write_table(regulators, snakemake.output.regulators)
    write_table(summarise_regulators(regulators), snakemake.output.summary)
