"""Draw the cells' embedding by cell type, cluster and batch; depth; embeddings compared."""

from pathlib import Path

from cisgrammar.common.files import read_h5ad, read_table
from cisgrammar.common.logs import log_to
from cisgrammar.plots.cell_types import cell_type_colours
from cisgrammar.plots.single_cells import (
    depth_against_intercept,
    embedding_map,
    embedding_metrics,
)
from cisgrammar.plots.style import save

files, out = snakemake.input, snakemake.output
with log_to(snakemake.log[0]):
    cells, colours = read_h5ad(files.embedding), cell_type_colours(files.cell_types)
    figures = {
        out.types: embedding_map(cells, "cell_type", colours=colours),
        out.clusters: embedding_map(cells, "leiden"),
        out.batches: embedding_map(cells, "batch"),
        out.tsne: embedding_map(cells, "cell_type", "X_tsne", colours),
        out.depth: depth_against_intercept(read_table(files.depth), colours),
        out.metrics: embedding_metrics(read_table(files.metrics)),
    }
    for path, figure in figures.items():
        save(figure, Path(path).with_suffix(""))
