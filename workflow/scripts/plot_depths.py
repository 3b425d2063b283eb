"""Join what was measured at each depth, and draw it."""

from pathlib import Path

import pandas as pd

from cisgrammar.common.files import read_table, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.plots.downsampling import downsampling
from cisgrammar.plots.style import save

with log_to(snakemake.log[0]):
    measures = pd.concat(map(read_table, snakemake.input.measures), ignore_index=True)
    write_table(measures, snakemake.output.table)
    save(downsampling(measures), Path(snakemake.output.figure).with_suffix(""))
