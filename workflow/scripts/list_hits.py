"""List every hit of the known motifs, as FIMO does."""

from cisgrammar.common.files import read_h5ad, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.common.threads import set_threads
from cisgrammar.motifs.databases import load_database
from cisgrammar.motifs.fimo import hits

settings = snakemake.params.database
with log_to(snakemake.log[0]):
    set_threads(snakemake.threads)
    dataset = read_h5ad(snakemake.input.dataset)
    motifs = load_database(settings["source"], settings["tf_names"]).motifs
    found = hits(dataset.varm["codes"], dataset.var_names, motifs, snakemake.params.threshold)
    write_table(found, snakemake.output.hits)
