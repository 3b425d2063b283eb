"""Add up influence by family: per pool, cell type and category, over folds, and together."""

from anndata import read_h5ad

from cisgrammar.family_influence import (
    add_categories,
    family_correlations,
    mean_by_family,
    pool_pca,
    stability,
    sum_by_family,
)
from cisgrammar.files import read_table, write_h5ad, write_table
from cisgrammar.influence import z_scores
from cisgrammar.logs import log_to
from cisgrammar.motifs.meme import read_meme

with log_to(snakemake.log[0]):
    influence = read_h5ad(snakemake.input.influence)
    filters, table = read_table(snakemake.input.filters), read_table(snakemake.input.families)
    motifs = read_meme(snakemake.input.motifs)
    families = pool_pca(sum_by_family(influence, filters, table, motifs))
    labels = ["cell_type"]
    if snakemake.params.categories:
        add_categories(families, snakemake.params.categories)
        labels.append("category")
    write_h5ad(families, snakemake.output.influence)
    for label in labels:
        means = mean_by_family(families, label)
        write_table(means, snakemake.output[f"by_{label}"], index=True)
        write_table(z_scores(means), snakemake.output[f"by_{label}_z"], index=True)
    write_table(stability(influence, filters, table), snakemake.output.stability)
    correlations = family_correlations(families)
    write_table(correlations, snakemake.output.correlations, index=True)
