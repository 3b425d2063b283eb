"""Train one fold's model again on shuffled labels, and score it on these: the control."""

from cisgrammar.common.devices import start_on_device
from cisgrammar.common.files import read_h5ad, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.common.seeds import derive_seed
from cisgrammar.data.cells_by_peaks import shuffle_within_cells
from cisgrammar.data.folds import read_folds
from cisgrammar.evaluate.held_out import score_test_part
from cisgrammar.training.final_model import train_final
from cisgrammar.training.loop import Checkpoints
from cisgrammar.training.tuning import read_best

name, fold = snakemake.wildcards.model, int(snakemake.wildcards.fold)
files, params = snakemake.input, snakemake.params
with log_to(snakemake.log[0]):
    device = start_on_device(snakemake.threads, params.training, snakemake.resources)
    checkpoints = Checkpoints.of_config(params.checkpoint, snakemake.config[name])
    dataset = read_h5ad(files.dataset)
    folds = read_folds(files.folds, dataset.var_names)
    dataset.X = shuffle_within_cells(dataset.X, derive_seed(params.seed, "train_shuffled"))
    model, _ = train_final(
        name, dataset, folds, fold,
        params.settings, read_best(files.best), params.training, device, checkpoints,
    )  # fmt: skip
    per_cell, per_peak = score_test_part(model.cpu(), dataset, folds, fold)
    write_table(per_cell, snakemake.output.per_cell)
    write_table(per_peak, snakemake.output.per_peak)
    checkpoints.remove()
