"""Draw the scores of the model, of baselines and controls, and the noise ceiling."""

from pathlib import Path

from cisgrammar.common.files import read_table
from cisgrammar.common.logs import log_to
from cisgrammar.plots.evaluation import method_comparison
from cisgrammar.plots.style import save

with log_to(snakemake.log[0]):
    table = read_table(snakemake.input.comparison)
    ceiling = {}
    if snakemake.input.ceiling:
        ceiling = read_table(snakemake.input.ceiling).iloc[0].to_dict()
    figure = method_comparison(table, snakemake.wildcards.model, ceiling)
    save(figure, Path(snakemake.output.figure).with_suffix(""))
