"""Correlate gene sets, marker genes and annotations of cells with families, over pools."""

from cisgrammar.cells.pool_annotations import annotate_pools, correlate_annotations
from cisgrammar.cells.pool_members import read_members
from cisgrammar.common.files import read_h5ad, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.common.notes import Notes
from cisgrammar.common.seeds import derive_seed
from cisgrammar.interpret.gene_sets import read_gmt
from cisgrammar.interpret.influence import with_score
from cisgrammar.interpret.processes import markers_or_note, sets_or_note

files, params = snakemake.input, snakemake.params
sizes = {key: params.gene_sets[key] for key in ("min_size", "max_size", "n_top", "n_clusters")}
with log_to(snakemake.log[0]):
    families, notes = with_score(read_h5ad(files.families), params.score), Notes()
    pools = read_h5ad(files.expression) if files.expression else None
    sets = read_gmt(files.gmt) if files.gmt and pools is not None else None
    table = sets_or_note(families, pools, sets, sizes, files.gmt, notes)
    write_table(table, snakemake.output.sets)
    markers = markers_or_note(families, pools, params.gene_sets["markers"], notes)
    write_table(markers, snakemake.output.markers)
    annotations = annotate_pools(
        read_h5ad(files.cells, backed="r"),  # counts stay in the file
        read_members(files.members, families.obs),
        families.obs_names,
        **params.annotations,
        seed=derive_seed(params.seed, "pseudotime"),
        notes=notes,
    )
    write_table(annotations, snakemake.output.pools, index=True)
    correlations = correlate_annotations(families, annotations)
    write_table(correlations, snakemake.output.annotations)
    write_table(notes.table(), snakemake.output.notes)
