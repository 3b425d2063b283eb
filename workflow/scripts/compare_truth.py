"""Compare a run on simulated data with what was planted."""

from anndata import read_h5ad

from cisgrammar.files import read_table, write_table
from cisgrammar.logs import log_to
from cisgrammar.motifs.databases import load_database
from cisgrammar.motifs.meme import read_meme
from cisgrammar.truth import compare

files = snakemake.input
with log_to(snakemake.log[0]):
    comparison = compare(
        read_meme(files.planted),
        read_table(files.activities, index_col="motif"),
        read_h5ad(files.expectation),
        dataset=read_h5ad(files.dataset),
        members=read_table(files.members),
        folds=read_table(files.folds),
        evaluation=read_table(files.evaluation),
        motifs=read_meme(files.motifs),
        influence=read_h5ad(files.influence),
        known=load_database(**snakemake.params.database).motifs,
    )
    write_table(comparison.summary, snakemake.output.summary)
    write_table(comparison.motifs, snakemake.output.motifs)
    write_table(comparison.pairs, snakemake.output.pairs)
