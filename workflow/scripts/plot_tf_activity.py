"""Draw TF activity by cell type, and on the map of cells beside expression."""

from pathlib import Path

import pandas as pd
from anndata import read_h5ad

from cisgrammar.cells.expression import log_expression
from cisgrammar.common.files import read_table
from cisgrammar.common.logs import log_to
from cisgrammar.motifs.databases import load_database
from cisgrammar.plots.style import save
from cisgrammar.plots.tf_activity import activity_heatmap, activity_maps, best_expressed, row_names

files, out, database = snakemake.input, snakemake.output, snakemake.params.database
with log_to(snakemake.log[0]):
    activity = read_h5ad(files.activity)
    by_cell_type = read_table(files.by_cell_type, index_col="motif")
    tests = read_table(files.tests, dtype={"gene": str})
    shown = activity.var["rank"].dropna().sort_values().index[: snakemake.params.n_shown]
    logos = {
        motif.name: motif.matrix
        for motif in load_database(database["source"], database["tf_names"]).motifs
    }
    best = best_expressed(tests)
    figure = activity_heatmap(by_cell_type.loc[shown], activity.var, logos, best["r"])
    save(figure, Path(out.heatmap).with_suffix(""))

    with_tf = activity.var["rank_of_expressed"].dropna().sort_values().index
    few = list(with_tf if len(with_tf) else shown)[: snakemake.params.n_maps]
    points = read_h5ad(files.embedding, backed="r").obsm["X_umap"]
    panels = activity[:, few].to_df().set_axis(row_names(activity.var).loc[few], axis=1)
    expression = None
    if files.expression and len(with_tf):
        counts = read_h5ad(files.expression)
        logs = log_expression(counts, activity.obs_names)
        columns = counts.var_names.get_indexer(best.loc[few, "gene"])
        labels = [f"{tf} expression" for tf in best.loc[few, "tf"]]
        expression = pd.DataFrame(logs[:, columns].toarray(), activity.obs_names, labels)
    figure = activity_maps(points, panels, expression)
    save(figure, Path(out.maps).with_suffix(""))
