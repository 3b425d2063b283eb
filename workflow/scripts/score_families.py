"""Add up influence and effect by family: per pool, cell type, category, over folds, together."""

from anndata import read_h5ad

from cisgrammar.common.files import read_table, write_h5ad, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.interpret.family_influence import (
    add_categories,
    consistency,
    family_correlations,
    mean_by_family,
    pool_pca,
    stability,
    sum_by_family,
)
from cisgrammar.interpret.influence import EFFECT, INFLUENCE, with_score, z_scores
from cisgrammar.motifs.meme import read_meme

with log_to(snakemake.log[0]):
    influence = read_h5ad(snakemake.input.influence)
    filters, table = read_table(snakemake.input.filters), read_table(snakemake.input.families)
    motifs = read_meme(snakemake.input.motifs)
    families = sum_by_family(influence, filters, table, motifs)
    consistent = consistency(influence, filters, table)
    families.var["consistent"] = consistent["consistent"]
    write_table(consistent, snakemake.output.consistency, index=True)
    chosen = pool_pca(with_score(families, snakemake.params.score))
    for key in ("obsm", "varm", "uns"):
        getattr(families, key).update(getattr(chosen, key))
    labels = ["cell_type"]
    if snakemake.params.categories:
        add_categories(families, snakemake.params.categories)
        labels.append("category")
    write_h5ad(families, snakemake.output.influence)
    for label in labels:
        for score, layer in ((INFLUENCE, None), (EFFECT, EFFECT)):
            means = mean_by_family(families, label, layer)
            write_table(means, snakemake.output[f"{score}_by_{label}"], index=True)
            write_table(z_scores(means), snakemake.output[f"{score}_by_{label}_z"], index=True)
    chosen = with_score(influence, snakemake.params.score)
    write_table(stability(chosen, filters, table), snakemake.output.stability)
    correlations = family_correlations(with_score(families, snakemake.params.score))
    write_table(correlations, snakemake.output.correlations, index=True)
