"""Compare TF activity and importance of bases with what was planted in the simulated multiome."""

from cisgrammar.common.files import read_h5ad, read_matrix, read_table, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.common.seeds import derive_seed
from cisgrammar.common.threads import set_threads
from cisgrammar.evaluate.multiome_truth import (
    activity_pairs,
    activity_table,
    effects_both_ways,
    sites_found,
    summarise,
)
from cisgrammar.interpret.tf_activity import standardise
from cisgrammar.models.checkpoints import load_model
from cisgrammar.motifs.meme import read_meme

N_PEAKS = 100  # to mutate

files, params, out = snakemake.input, snakemake.params, snakemake.output
with log_to(snakemake.log[0]):
    set_threads(snakemake.threads)
    model, cells = load_model(files.model), read_h5ad(files.accessibility)
    planted, types = read_matrix(files.activities), cells.obs["cell_type"]
    motifs = read_meme(files.motifs)
    names = [motif.name for motif in motifs]
    n, seed = params.settings["n_backgrounds"], derive_seed(params.seed, "tf_activity")
    effects = effects_both_ways(model, cells.varm["codes"], motifs, n_backgrounds=n, seed=seed)
    activity = activity_table(effects, names, planted, types)
    z = standardise(effects[params.settings["change_of"]])
    sites, seed = read_table(files.sites), derive_seed(params.seed, "sites_found")
    found = sites_found(model, cells, sites, planted, n_peaks=N_PEAKS, seed=seed)
    write_table(activity, out.activity)
    write_table(activity_pairs(z, names, planted, types), out.pairs)
    write_table(found, out.sites)
    write_table(summarise(activity, found, params.settings["change_of"]), out.summary)
