"""Average over folds what k-mers do, and name the known motif that each is most like."""

from cisgrammar.common.files import read_h5ad, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.interpret.kmer_effects import KEYS, average_over_folds, kmer_effects, nearest_motifs
from cisgrammar.models.checkpoints import load_model
from cisgrammar.motifs.databases import load_database

settings, n_kmers = snakemake.params.database, snakemake.params.n_kmers
with log_to(snakemake.log[0]):
    dataset = read_h5ad(snakemake.input.dataset)
    codes, cell_types = dataset.varm["codes"], dataset.obs["cell_type"].tolist()
    models = map(load_model, snakemake.input.models)
    table = average_over_folds([kmer_effects(model, codes, cell_types) for model in models])
    table = table.groupby("part", sort=False).head(n_kmers).reset_index(drop=True)
    known = load_database(settings["source"], settings["tf_names"]).motifs
    nearest = nearest_motifs(table["kmer"].unique().tolist(), known)
    table = table.join(nearest, on="kmer")
    first = [*KEYS, "folds", "strength", "motif", "tf", "motif_p"]
    write_table(table[first + [c for c in table if c not in first]], snakemake.output.kmers)
