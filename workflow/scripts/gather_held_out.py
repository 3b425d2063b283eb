"""Average the scores of held-out peaks of all folds."""

from cisgrammar.common.files import read_table, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.evaluate.held_out import summarise_folds

files = snakemake.input
with log_to(snakemake.log[0]):
    pairs = {
        "measured": (files.per_cell, files.per_peak),
        "kmer_ridge": (files.kmers_per_cell, files.kmers_per_peak),
        "shuffled": (files.shuffled_per_cell, files.shuffled_per_peak),
    }
    scores = {
        labels: [tuple(map(read_table, pair)) for pair in zip(*tables, strict=True)]
        for labels, tables in pairs.items()
    }
    write_table(summarise_folds(scores), snakemake.output.scores)
