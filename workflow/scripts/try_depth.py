"""Train the first fold's model on a share of the open entries, and measure."""

from cisgrammar.common.devices import start_on_device
from cisgrammar.common.files import read_h5ad, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.common.seeds import derive_seed
from cisgrammar.data.cells_by_peaks import thin
from cisgrammar.data.folds import read_folds
from cisgrammar.evaluate.depth_study import embed_expression, measure
from cisgrammar.models.checkpoints import load_model
from cisgrammar.training.final_model import train_final
from cisgrammar.training.loop import Checkpoints
from cisgrammar.training.tuning import read_best

FOLD = 0
files, params, wildcards = snakemake.input, snakemake.params, snakemake.wildcards
name, share = wildcards.model, float(wildcards.share)
with log_to(snakemake.log[0]):
    device = start_on_device(snakemake.threads, params.training, snakemake.resources)
    checkpoints = Checkpoints.of_config(params.checkpoint, snakemake.config[name])
    dataset = read_h5ad(files.accessibility)
    folds = read_folds(files.folds, dataset.var_names)
    thinned = dataset.copy()
    if files.model:
        model = load_model(files.model)
    else:
        thinned.X = thin(dataset.X, share, derive_seed(params.seed, "try_depth", share))
        model, _ = train_final(
            name, thinned, folds, FOLD,
            params.settings, read_best(files.best), params.training, device, checkpoints,
        )  # fmt: skip
    seed = derive_seed(params.seed, "try_depth")
    expression = read_h5ad(files.expression) if files.expression else None
    independent = embed_expression(expression, dataset.obs_names, seed)
    measures = measure(
        model.cpu(), dataset, thinned, folds, FOLD, independent, seed, **params.embedding
    )
    measures.insert(0, "share", share)
    write_table(measures, snakemake.output.measures)
    checkpoints.remove()
