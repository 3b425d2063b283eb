"""Give every filter its family, and describe the families."""

from cisgrammar.common.files import read_table, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.common.threads import set_threads
from cisgrammar.motifs.clusters import clusters_of_targets
from cisgrammar.motifs.databases import load_database
from cisgrammar.motifs.families import assign_filters, family_table
from cisgrammar.motifs.meme import read_meme
from cisgrammar.motifs.tomtom import called_matches

settings = snakemake.params.database
with log_to(snakemake.log[0]):
    set_threads(snakemake.threads)
    database = load_database(settings["source"], settings["tf_names"])
    clusters = read_table(snakemake.input.clusters)
    motifs = read_meme(snakemake.input.motifs)
    table = read_table(snakemake.input.table, has={"motif": [motif.name for motif in motifs]})
    calibration = read_table(snakemake.input.calibration)
    filters = assign_filters(
        motifs,
        table,
        called_matches(read_table(snakemake.input.hits), calibration),
        database,
        clusters_of_targets(database.table, clusters, settings["shared_tfs"]),
        settings["cut"],
    )
    write_table(filters, snakemake.output.filters)
    families = family_table(
        filters, motifs, table, clusters, snakemake.params.n_folds, snakemake.params.min_share
    )
    write_table(families, snakemake.output.families)
