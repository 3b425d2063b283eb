"""Correlate gene sets, marker genes and annotations of cells with families, over pools."""

from anndata import read_h5ad

from cisgrammar.files import read_table, write_table
from cisgrammar.gene_sets import correlate_markers, correlate_sets, no_sets, read_gmt
from cisgrammar.influence import with_score
from cisgrammar.logs import log_to
from cisgrammar.pool_annotations import annotate_pools, correlate_annotations
from cisgrammar.seeds import derive_seed

params = snakemake.params
sizes = {key: params.gene_sets[key] for key in ("min_size", "max_size", "n_top", "n_clusters")}
with log_to(snakemake.log[0]):
    families = with_score(read_h5ad(snakemake.input.families), params.score)
    pools = read_h5ad(snakemake.input.pools)
    sets = no_sets(families)
    if gmt := params.gene_sets["gmt"]:
        sets = correlate_sets(families, pools, read_gmt(gmt), **sizes, source=gmt)
    write_table(sets, snakemake.output.sets)
    markers = correlate_markers(families, pools, params.gene_sets["markers"])
    write_table(markers, snakemake.output.markers)
    annotations = annotate_pools(
        read_h5ad(snakemake.input.cells),
        read_table(snakemake.input.members),
        pools.obs_names,
        **params.annotations,
        seed=derive_seed(params.seed, "pseudotime"),
    )
    write_table(annotations, snakemake.output.pools, index=True)
    correlations = correlate_annotations(families, annotations)
    write_table(correlations, snakemake.output.annotations)
