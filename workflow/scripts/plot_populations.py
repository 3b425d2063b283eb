"""Draw how well populations are predicted, and what their own models know beyond the tissue's."""

from pathlib import Path

from cisgrammar.common.files import read_table
from cisgrammar.common.logs import log_to
from cisgrammar.plots.populations import (
    cross_heatmap,
    gain_against_similarity,
    gene_r_against_variance,
    population_scores,
)
from cisgrammar.plots.style import save

files, figures, model = snakemake.input, snakemake.output, snakemake.wildcards.model
with log_to(snakemake.log[0]):
    for draw, table, path in (
        (population_scores, files.scores, figures.scores),
        (gain_against_similarity, files.gains, figures.gains),
        (gene_r_against_variance, files.genes, figures.genes),
        (cross_heatmap, files.cross, figures.cross),
    ):
        save(draw(read_table(table), model), Path(path).with_suffix(""))
