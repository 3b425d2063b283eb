"""Score predictions of populations: by fold, by gene, across populations, and their differences."""

from cisgrammar.common.files import read_h5ad, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.evaluate.population_scores import (
    cross_scores,
    difference_scores,
    gains,
    score_genes,
    score_predictions,
    summarise,
)

files, out, model = snakemake.input, snakemake.output, snakemake.wildcards.model
with log_to(snakemake.log[0]):
    dataset, predictions = read_h5ad(files.dataset), read_h5ad(files.predictions)
    baselines = {fold: read_h5ad(path) for fold, path in enumerate(files.baselines)}
    scores = score_predictions(dataset, predictions, model, baselines)
    write_table(scores, out.scores)
    write_table(summarise(scores), out.summary)
    write_table(gains(dataset, scores, model), out.gains)
    write_table(score_genes(dataset, predictions), out.genes)
    write_table(cross_scores(dataset, predictions), out.cross)
    differences = difference_scores(dataset, predictions, model, baselines)
    write_table(differences, out.differences)
