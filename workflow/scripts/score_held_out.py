"""Score one fold's predictions of peaks that the model never saw, per cell and per peak."""

from cisgrammar.common.files import read_h5ad, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.common.threads import set_threads
from cisgrammar.data.folds import read_folds
from cisgrammar.evaluate.held_out import score_test_part
from cisgrammar.models.checkpoints import load_model

with log_to(snakemake.log[0]):
    set_threads(snakemake.threads)
    dataset = read_h5ad(snakemake.input.dataset, backed="r")
    folds = read_folds(snakemake.input.folds, dataset.var_names)
    model = load_model(snakemake.input.model)
    per_cell, per_peak = score_test_part(model, dataset, folds, int(snakemake.wildcards.fold))
    write_table(per_cell, snakemake.output.per_cell)
    write_table(per_peak, snakemake.output.per_peak)
