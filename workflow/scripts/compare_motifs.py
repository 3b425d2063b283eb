"""Compare what families of motifs do in each cell type, model by model."""

from pathlib import Path

from cisgrammar.common.files import read_matrix, read_table, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.evaluate.motif_agreement import (
    compare_families,
    of_kmers,
    of_known_motifs,
    of_labels,
)
from cisgrammar.plots.cell_types import cell_type_colours
from cisgrammar.plots.motif_agreement import agreement_heatmap
from cisgrammar.plots.notes import draw_or_note
from cisgrammar.plots.style import save

files, params, out = snakemake.input, snakemake.params, snakemake.output
with log_to(snakemake.log[0]):
    clusters, types = read_table(files.clusters), list(cell_type_colours(files.cell_types))
    effects = {}
    for model, path in zip(params.models, files.effects, strict=True):
        if Path(path).name == "kmers.tsv":
            effects[model] = of_kmers(read_table(path), clusters, types)
        elif Path(path).name == "tf_activity_by_cell_type.tsv":
            effects[model] = of_known_motifs(read_matrix(path), clusters)
        else:
            effects[model] = of_labels(read_matrix(path), types)
    found = compare_families(effects, types, set(clusters["cluster_name"]))
    write_table(found, out.table)
    save(draw_or_note(agreement_heatmap, found), Path(out.figure).with_suffix(""))
