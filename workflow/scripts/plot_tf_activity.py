"""Draw TF activity by cell type, and on the map of cells beside expression."""

from pathlib import Path

from cisgrammar.common.files import read_h5ad, read_matrix, read_table
from cisgrammar.common.logs import log_to
from cisgrammar.motifs.databases import load_database
from cisgrammar.plots.cell_types import asked_order
from cisgrammar.plots.style import save
from cisgrammar.plots.tf_activity import (
    activity_heatmap,
    activity_maps,
    best_expressed,
    expression_panels,
    row_names,
)

files, out, database = snakemake.input, snakemake.output, snakemake.params.database
with log_to(snakemake.log[0]):
    activity = read_h5ad(files.activity)
    by_cell_type = read_matrix(files.by_cell_type, activity.var_names)
    tests = read_table(files.tests)
    shown = activity.var["rank"].dropna().sort_values().index[: snakemake.params.n_shown]
    motifs = load_database(database["source"], database["tf_names"]).motifs
    logos = {motif.name: motif.matrix for motif in motifs}
    best = best_expressed(tests)
    order = asked_order(files.cell_types)
    figure = activity_heatmap(by_cell_type.loc[shown], activity.var, logos, best["r"], order)
    save(figure, Path(out.heatmap).with_suffix(""))

    with_tf = activity.var["rank_of_expressed"].dropna().sort_values().index
    few = list(with_tf if len(with_tf) else shown)[: snakemake.params.n_maps]
    points = read_h5ad(files.embedding, backed="r").obsm["X_umap"]
    panels = activity[:, few].to_df().set_axis(row_names(activity.var).loc[few], axis=1)
    expression = None
    if files.expression and len(with_tf):
        counts = read_h5ad(files.expression)
        expression = expression_panels(counts, activity.obs_names, best.loc[few])
    save(activity_maps(points, panels, expression), Path(out.maps).with_suffix(""))
