"""Draw influence by cell type beside logos, the strongest motifs, and pools by influence."""

from pathlib import Path

from cisgrammar.common.files import read_h5ad, read_matrix, read_table
from cisgrammar.common.logs import log_to
from cisgrammar.interpret.influence import with_score
from cisgrammar.motifs.meme import read_meme
from cisgrammar.plots.cell_types import asked_order, cell_type_colours
from cisgrammar.plots.influence import influence_heatmap, pools_pca
from cisgrammar.plots.logos import logo_gallery
from cisgrammar.plots.notes import draw_or_note
from cisgrammar.plots.style import save

n_motifs, score = snakemake.params.n_motifs, snakemake.params.score
with log_to(snakemake.log[0]):
    motifs = {motif.name: motif for motif in read_meme(snakemake.input.motifs)}
    by_cell_type = read_matrix(snakemake.input.by_cell_type, rows=motifs)
    z = read_matrix(snakemake.input.z, rows=motifs)
    heatmap = influence_heatmap(
        z,
        list(motifs.values()),
        by_cell_type,
        n_motifs,
        score=score,
        order=asked_order(snakemake.input.cell_types),
    )
    save(heatmap, Path(snakemake.output.heatmap).with_suffix(""))
    strongest = by_cell_type.abs().max(axis=1).sort_values(ascending=False, kind="stable").index
    table = read_table(snakemake.input.table, has={"motif": motifs})
    gallery = logo_gallery([motifs[name] for name in strongest[:n_motifs]], table)
    save(gallery, Path(snakemake.output.gallery).with_suffix(""))
    influence = with_score(read_h5ad(snakemake.input.influence), score)
    pca = draw_or_note(pools_pca, influence, cell_type_colours(snakemake.input.cell_types))
    save(pca, Path(snakemake.output.pca).with_suffix(""))
