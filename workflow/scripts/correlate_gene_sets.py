"""Correlate gene sets, marker genes and annotations of cells with families, over pools."""

from functools import partial

import pandas as pd
from anndata import read_h5ad

from cisgrammar.cells.pool_annotations import annotate_pools, correlate_annotations
from cisgrammar.common.files import read_table, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.common.notes import Notes
from cisgrammar.common.seeds import derive_seed
from cisgrammar.interpret.gene_sets import correlate_markers, correlate_sets, no_sets, read_gmt
from cisgrammar.interpret.influence import with_score

NO_EXPRESSION = "The data have no expression of genes, which TFs and gene sets are found by."

files, params = snakemake.input, snakemake.params
sizes = {key: params.gene_sets[key] for key in ("min_size", "max_size", "n_top", "n_clusters")}
with log_to(snakemake.log[0]):
    families = with_score(read_h5ad(files.families), params.score)
    sets, notes = no_sets(families), Notes()
    pools = read_h5ad(files.expression) if files.expression else None
    if pools is None:
        notes.add("gene sets", NO_EXPRESSION)
        notes.add("regulators", NO_EXPRESSION)
    elif files.gmt:
        gmt = files.gmt
        make = partial(correlate_sets, families, pools, read_gmt(gmt), **sizes, source=gmt)
        sets = notes.attempt("gene sets", make, sets)
    else:
        notes.add("gene sets", "No gene sets are configured (gene_sets.gmt).")
    write_table(sets, snakemake.output.sets)
    markers = correlate_markers(families, families, {})
    for name, genes in params.gene_sets["markers"].items() if pools is not None else ():
        make = partial(correlate_markers, families, pools, {name: genes})
        markers = pd.concat([markers, notes.attempt("markers", make, markers[:0])])
    write_table(markers, snakemake.output.markers)
    annotations = annotate_pools(
        read_h5ad(files.cells, backed="r"),  # counts stay in the file
        read_table(files.members),
        families.obs_names,
        **params.annotations,
        seed=derive_seed(params.seed, "pseudotime"),
        notes=notes,
    )
    write_table(annotations, snakemake.output.pools, index=True)
    correlations = correlate_annotations(families, annotations)
    write_table(correlations, snakemake.output.annotations)
    write_table(notes.table(), snakemake.output.notes)
