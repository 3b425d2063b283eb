"""Group the known motifs into clusters, or take the user's."""

from cisgrammar.common.files import write_table
from cisgrammar.common.logs import log_to
from cisgrammar.common.threads import set_threads
from cisgrammar.motifs.clusters import cluster_database, read_clusters
from cisgrammar.motifs.databases import load_database

settings = snakemake.params.database
with log_to(snakemake.log[0]):
    set_threads(snakemake.threads)
    if settings["clusters"] is not None:
        clusters = read_clusters(settings["clusters"])
    else:
        database = load_database(settings["source"], settings["tf_names"])
        clusters = cluster_database(database, settings["cut"])
    write_table(clusters, snakemake.output.clusters)
