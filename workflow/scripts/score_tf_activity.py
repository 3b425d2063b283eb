"""Put known motifs into shuffled peaks, and read what that does in each cell."""

from anndata import read_h5ad
from scipy import sparse

from cisgrammar.cells.expression import log_expression
from cisgrammar.common.devices import start_on_device
from cisgrammar.common.files import write_h5ad, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.common.seeds import derive_seed
from cisgrammar.genome.tss import read_tss, with_gene_names
from cisgrammar.interpret.influence import mean_by
from cisgrammar.interpret.tf_activity import (
    activity_against_expression,
    as_activity,
    insertion_effects,
    rank_distinct,
    that_fit,
)
from cisgrammar.models.checkpoints import load_model
from cisgrammar.motifs.databases import choose_motifs, load_database

files, params, settings = snakemake.input, snakemake.params, snakemake.params.settings
with log_to(snakemake.log[0]):
    device = start_on_device(snakemake.threads, params.training, snakemake.resources)
    model = load_model(files.model).to(device)
    cells = read_h5ad(files.accessibility, backed="r")
    known = load_database(params.database["source"], params.database["tf_names"])
    database = choose_motifs(known, settings["motifs"])
    database = that_fit(database, cells.varm["codes"].shape[1])
    effects = insertion_effects(
        model,
        cells.varm["codes"],
        database.motifs,
        n_backgrounds=settings["n_backgrounds"],
        of_logits=settings["change_of"] == "logits",
        seed=derive_seed(params.seed, "tf_activity"),
    )
    motifs = database.table.set_index("motif")
    activity = as_activity(effects, cells.obs[["cell_type"]], motifs)
    expression, genes = sparse.csr_matrix((cells.n_obs, 0)), cells.var[:0]
    if files.expression:
        counts = read_h5ad(files.expression)
        expression, genes = log_expression(counts, cells.obs_names), counts.var
        if files.annotation:
            genes = with_gene_names(genes, read_tss(files.annotation, **params.genome))
    tests = activity_against_expression(activity, expression, genes)
    expressed = activity.var_names.isin(tests["motif"][tests["r"].notna()])
    activity.var["rank"] = rank_distinct(activity, activity.n_vars)
    activity.var["rank_of_expressed"] = rank_distinct(activity, activity.n_vars, expressed)
    write_table(tests, snakemake.output.expression)
    write_table(mean_by(activity), snakemake.output.by_cell_type, index=True)
    write_h5ad(activity, snakemake.output.activity)
