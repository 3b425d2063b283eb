"""Average the scores of held-out peaks of all folds."""

from cisgrammar.files import read_table, write_table
from cisgrammar.held_out import summarise_folds
from cisgrammar.logs import log_to

files = snakemake.input
with log_to(snakemake.log[0]):
    pairs = {
        "measured": (files.per_cell, files.per_peak),
        "shuffled": (files.shuffled_per_cell, files.shuffled_per_peak),
    }
    scores = {
        labels: [tuple(map(read_table, pair)) for pair in zip(*tables, strict=True)]
        for labels, tables in pairs.items()
    }
    write_table(summarise_folds(scores), snakemake.output.scores)
