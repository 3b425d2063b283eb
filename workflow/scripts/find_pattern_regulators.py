"""Correlate families of patterns with the expression of the TFs that may be behind them."""

import numpy as np

from cisgrammar.common.files import read_h5ad, read_matrix, read_table, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.interpret.regulators import find_pattern_regulators, sum_by_label
from cisgrammar.models.registry import MODELS, POPULATIONS

files = snakemake.input
with log_to(snakemake.log[0]):
    expression = read_h5ad(files.expression)
    if MODELS[snakemake.wildcards.model].data is POPULATIONS:
        expression.X = np.power(10.0, expression.X)  # they are log10 of means
    families = read_table(files.families)
    regulators = find_pattern_regulators(
        read_matrix(files.by_label, families["family"]),
        families,
        sum_by_label(expression, snakemake.params.settings["by"]),
    )
    write_table(regulators, snakemake.output.regulators)
