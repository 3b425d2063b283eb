"""Join the scores of ablations with the whole model's, and draw them."""

from pathlib import Path

import pandas as pd

from cisgrammar.common.files import read_table, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.evaluate.ablation_table import join_ablations
from cisgrammar.plots.populations import population_ablations
from cisgrammar.plots.style import save

files, out, model = snakemake.input, snakemake.output, snakemake.wildcards.model
with log_to(snakemake.log[0]):
    ablations = pd.concat(map(read_table, files.ablations), ignore_index=True)
    table = join_ablations(ablations, read_table(files.scores), model)
    write_table(table, out.table)
    save(population_ablations(table), Path(out.figure).with_suffix(""))
