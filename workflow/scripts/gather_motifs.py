"""Put the folds' motifs into one MEME file and one table."""

import pandas as pd

from cisgrammar.common.files import read_table, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.motifs.meme import read_meme, write_meme

with log_to(snakemake.log[0]):
    motifs = [motif for path in snakemake.input.motifs for motif in read_meme(path)]
    write_meme(motifs, snakemake.output.motifs)
    write_table(pd.concat(map(read_table, snakemake.input.tables)), snakemake.output.table)
