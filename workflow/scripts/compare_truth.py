"""Compare a run on simulated data with what was planted."""

import pandas as pd

from cisgrammar.cells.pool_members import read_members
from cisgrammar.common.files import read_h5ad, read_matrix, read_table, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.data.folds import read_folds
from cisgrammar.evaluate.truth import compare, compare_families
from cisgrammar.motifs.clusters import clusters_of_targets
from cisgrammar.motifs.databases import load_database
from cisgrammar.motifs.meme import read_meme

files, settings = snakemake.input, snakemake.params.database
with log_to(snakemake.log[0]):
    planted = read_meme(files.planted)
    activities, dataset = read_matrix(files.activities), read_h5ad(files.dataset)
    database = load_database(settings["source"], settings["tf_names"])
    clustered = read_table(files.clusters)
    clusters = clusters_of_targets(database.table, clustered, settings["shared_tfs"])
    comparison = compare(
        *(planted, activities, read_h5ad(files.expectation)),
        dataset=dataset,
        members=read_members(files.members, dataset.obs),
        folds=read_folds(files.folds, dataset.var_names),
        evaluation=read_table(files.evaluation),
        motifs=read_meme(files.motifs),
        influence=read_h5ad(files.influence),
        known=database.motifs,
    )
    families, summary = compare_families(
        *(planted, activities),
        target_clusters=clusters,
        influence=read_h5ad(files.families),
        regulators=read_table(files.regulators),
    )
    summary = pd.concat([comparison.summary, summary])
    tables = summary, families, comparison.motifs, comparison.pairs
    for table, name in zip(tables, ("summary", "families", "motifs", "pairs"), strict=True):
        write_table(table, snakemake.output[name])
