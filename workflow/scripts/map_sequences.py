"""Lay out sequences by the motifs in them; count which families stand together."""

from cisgrammar.common.files import read_h5ad, read_table, write_h5ad, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.common.seeds import derive_seed
from cisgrammar.common.threads import set_threads
from cisgrammar.interpret.motif_space import (
    activations,
    carriers,
    co_occurrence,
    combinations,
    embed_sequences,
    family_scores,
    only_trusted,
)
from cisgrammar.models.checkpoints import load_model
from cisgrammar.models.prediction import scanner

with log_to(snakemake.log[0]):
    set_threads(snakemake.threads)
    dataset = read_h5ad(snakemake.input.dataset)
    models = map(load_model, snakemake.input.models)
    scanners = {fold: scanner(model) for fold, model in enumerate(models)}
    activated, names = activations(dataset.varm["codes"], scanners)
    filters = read_table(snakemake.input.filters)
    families = read_table(snakemake.input.families, has={"family": filters["family"]})
    scores = family_scores(activated, names, filters, families, dataset.var)
    scores.obsm["X_umap"] = embed_sequences(
        activated, seed=derive_seed(snakemake.params.seed, "map_sequences")
    )
    write_h5ad(scores, snakemake.output.scores)
    consistency = read_table(snakemake.input.consistency, index_col="family")
    carried = carriers(only_trusted(scores, consistency), snakemake.params.share)
    write_table(combinations(carried), snakemake.output.combinations)
    write_table(co_occurrence(carried), snakemake.output.pairs)
