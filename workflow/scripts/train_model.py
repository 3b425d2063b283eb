"""Train one fold's model with the hyperparameters that tuning found."""

from cisgrammar.common.costs import Cost
from cisgrammar.common.devices import start_on_device
from cisgrammar.common.files import read_h5ad, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.data.folds import read_folds
from cisgrammar.models.checkpoints import save_model
from cisgrammar.training.final_model import train_final
from cisgrammar.training.loop import Checkpoints
from cisgrammar.training.tuning import read_best

name, fold = snakemake.wildcards.model, int(snakemake.wildcards.fold)
files, params, out = snakemake.input, snakemake.params, snakemake.output
with log_to(snakemake.log[0]), Cost() as cost:
    device = start_on_device(snakemake.threads, params.training, snakemake.resources)
    checkpoints = Checkpoints.of_config(params.checkpoint, snakemake.config[name])
    dataset = read_h5ad(files.dataset, backed="r")
    folds = read_folds(files.folds, dataset.var_names)
    model, history = train_final(
        name, dataset, folds, fold,
        params.settings, read_best(files.best), params.training, device, checkpoints,
    )  # fmt: skip
    save_model(model, out.model)
    write_table(history, out.history)
    checkpoints.remove()
write_table(cost.row(name, fold), out.costs)
