"""Put the folds' motifs into one MEME file and one table."""

from itertools import chain

import pandas as pd

from cisgrammar.common.files import read_table, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.motifs.meme import read_meme, write_meme

with log_to(snakemake.log[0]):
    motifs = [read_meme(path) for path in snakemake.input.motifs]
    write_meme(list(chain(*motifs)), snakemake.output.motifs)
    tables = [
        read_table(path, has={"motif": [motif.name for motif in of_fold]})
        for path, of_fold in zip(snakemake.input.tables, motifs, strict=True)
    ]
    write_table(pd.concat(tables), snakemake.output.table)
