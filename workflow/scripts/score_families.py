"""Add up influence and effect by family: per pool, cell type, category, over folds, together."""

from cisgrammar.common.files import read_h5ad, read_table, write_h5ad, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.interpret.family_influence import (
    add_categories,
    add_pool_pca,
    consistency,
    family_correlations,
    means_of_label,
    stability,
    sum_by_family,
)
from cisgrammar.interpret.influence import with_score
from cisgrammar.motifs.meme import read_meme

with log_to(snakemake.log[0]):
    influence = read_h5ad(snakemake.input.influence)
    filters = read_table(snakemake.input.filters, has={"motif": influence.var_names})
    table = read_table(snakemake.input.families, has={"family": filters["family"]})
    motifs = read_meme(snakemake.input.motifs)
    families = sum_by_family(influence, filters, table, motifs)
    consistent = consistency(influence, filters, table)
    families.var["consistent"] = consistent["consistent"]
    write_table(consistent, snakemake.output.consistency, index=True)
    add_pool_pca(families, snakemake.params.score)
    labels = ["cell_type"]
    if snakemake.params.categories:
        add_categories(families, snakemake.params.categories)
        labels.append("category")
    write_h5ad(families, snakemake.output.influence)
    for label in labels:
        for name, means in means_of_label(families, label).items():
            write_table(means, snakemake.output[name], index=True)
    chosen = with_score(influence, snakemake.params.score)
    write_table(stability(chosen, filters, table), snakemake.output.stability)
    correlations = family_correlations(with_score(families, snakemake.params.score))
    write_table(correlations, snakemake.output.correlations, index=True)
