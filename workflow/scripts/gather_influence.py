"""Join the folds' influence and effects; average both over the pools of each cell type."""

from cisgrammar.common.files import read_h5ad, read_matrix, read_table, write_h5ad, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.interpret.influence import EFFECT, INFLUENCE, gather, mean_by, z_scores

with log_to(snakemake.log[0]):
    motifs = read_table(snakemake.input.motifs, index_col="motif")
    dataset = read_h5ad(snakemake.input.dataset)
    tables, effects = (
        [read_matrix(path, columns=dataset.obs_names) for path in paths]
        for paths in (snakemake.input.influence, snakemake.input.effect)
    )
    influence = gather(tables, effects, motifs, dataset)
    write_h5ad(influence, snakemake.output.influence)
    for score, layer in ((INFLUENCE, None), (EFFECT, EFFECT)):
        means = mean_by(influence, layer=layer)
        write_table(means, snakemake.output[f"{score}_by_cell_type"], index=True)
        write_table(z_scores(means), snakemake.output[f"{score}_by_cell_type_z"], index=True)
