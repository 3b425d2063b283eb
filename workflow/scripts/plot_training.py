"""Draw the loss curves of all folds, and the scores on held-out sequences."""

from pathlib import Path

import pandas as pd

from cisgrammar.common.files import read_table
from cisgrammar.common.logs import log_to
from cisgrammar.plots.evaluation import r2_over_folds
from cisgrammar.plots.style import save
from cisgrammar.plots.training import loss_curves

with log_to(snakemake.log[0]):
    histories = pd.concat(
        read_table(path).assign(fold=fold) for fold, path in enumerate(snakemake.input.histories)
    )
    save(loss_curves(histories), Path(snakemake.output.losses).with_suffix(""))
    evaluation = read_table(snakemake.input.evaluation)
    ceiling = None
    if snakemake.input.truth:
        truth = read_table(snakemake.input.truth, index_col="metric")
        ceiling = truth.loc["ceiling_r2", "value"]
    elif snakemake.input.ceiling:
        ceiling = read_table(snakemake.input.ceiling)["r2"].iloc[0]
    save(r2_over_folds(evaluation, ceiling), Path(snakemake.output.scores).with_suffix(""))
