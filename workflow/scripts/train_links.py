"""Train the cRE attention model in one fold of the genes, as it is or spoiled."""

from cisgrammar.common.devices import start_on_device
from cisgrammar.common.files import read_h5ad, read_table, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.common.seeds import derive_seed
from cisgrammar.data.folds import read_folds
from cisgrammar.genome.candidates import Candidates
from cisgrammar.models.checkpoints import load_model
from cisgrammar.models.cre_attention import save_attention
from cisgrammar.training.link_data import gather_gene_peaks, network_of
from cisgrammar.training.link_model import train_attention

files, params, out = snakemake.input, snakemake.params, snakemake.output
variant, fold = snakemake.wildcards.variant, int(snakemake.wildcards.fold)
with log_to(snakemake.log[0]):
    device = start_on_device(snakemake.threads, params.device, snakemake.resources)
    cells = read_h5ad(files.accessibility)
    candidates = Candidates.of_tables(
        read_table(files.genes), read_table(files.pairs), cells.var_names, files.pairs
    )
    data, parts = gather_gene_peaks(
        load_model(files.model), cells, read_h5ad(files.expression), candidates, params.settings,
        seed=params.seed, variant=variant,
    )  # fmt: skip
    folds = read_folds(files.folds, candidates.genes["gene"])
    model, history = train_attention(
        data, folds[f"fold{fold}"].to_numpy(), parts, network_of(params.settings, variant),
        seed=derive_seed(params.seed, "links", fold), device=device,
    )  # fmt: skip
    save_attention(model, out.model)
    write_table(history, out.history)
