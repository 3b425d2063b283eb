"""Draw sequences by their motifs, and which families stand together."""

from pathlib import Path

from cisgrammar.common.files import read_h5ad, read_table
from cisgrammar.common.logs import log_to
from cisgrammar.interpret.motif_space import carriers, only_trusted
from cisgrammar.plots.motif_space import umap_by_family, upset
from cisgrammar.plots.notes import draw_or_note
from cisgrammar.plots.style import save

with log_to(snakemake.log[0]):
    scores = read_h5ad(snakemake.input.scores)
    consistency = read_table(snakemake.input.consistency, index_col="family")
    reproducible = only_trusted(scores, consistency)
    umap = draw_or_note(umap_by_family, scores.obsm["X_umap"], reproducible.to_df())
    save(umap, Path(snakemake.output.umap).with_suffix(""))
    figure = draw_or_note(upset, carriers(reproducible, snakemake.params.share))
    save(figure, Path(snakemake.output.upset).with_suffix(""))
