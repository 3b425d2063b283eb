"""Draw losses and AUROC in training, and the scores on held-out peaks."""

from pathlib import Path

import pandas as pd

from cisgrammar.common.files import read_table
from cisgrammar.common.logs import log_to
from cisgrammar.plots.single_cells import held_out_auroc
from cisgrammar.plots.style import save
from cisgrammar.plots.training import auroc_curves, cross_entropy_curves

files, figures = snakemake.input, snakemake.output
with log_to(snakemake.log[0]):
    histories = pd.concat(
        read_table(path).assign(fold=fold) for fold, path in enumerate(files.histories)
    )
    save(cross_entropy_curves(histories), Path(figures.losses).with_suffix(""))
    save(auroc_curves(histories), Path(figures.aurocs).with_suffix(""))
    tables = [
        ("measured", "cell", files.per_cell),
        ("measured", "peak", files.per_peak),
        ("kmer_ridge", "cell", files.kmers_per_cell),
        ("kmer_ridge", "peak", files.kmers_per_peak),
        ("shuffled", "cell", files.shuffled_per_cell),
        ("shuffled", "peak", files.shuffled_per_peak),
    ]
    scores = pd.concat(
        read_table(path)[["auroc"]].assign(labels=labels, per=per)
        for labels, per, paths in tables
        for path in paths
    )
    save(held_out_auroc(scores), Path(figures.scores).with_suffix(""))
