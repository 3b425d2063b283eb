"""Score the best hit of each known motif in each sequence."""

from anndata import AnnData

from cisgrammar.common.files import read_h5ad, write_h5ad
from cisgrammar.common.logs import log_to
from cisgrammar.common.threads import set_threads
from cisgrammar.motifs.databases import load_database
from cisgrammar.motifs.fimo import scan

settings = snakemake.params.database
with log_to(snakemake.log[0]):
    set_threads(snakemake.threads)
    dataset = read_h5ad(snakemake.input.dataset)
    database = load_database(settings["source"], settings["tf_names"])
    scores = scan(dataset.varm["codes"], database.motifs, snakemake.params.threshold)
    table = database.table.set_index("motif")
    write_h5ad(AnnData(scores, obs=dataset.var[[]], var=table), snakemake.output.scores)
