"""Train the first fold's model on a share of the open entries, and measure."""

import json
from pathlib import Path

from anndata import read_h5ad

from cisgrammar import models
from cisgrammar.cells.components import log_pca
from cisgrammar.common.devices import resolve_device
from cisgrammar.common.files import read_table, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.common.seeds import derive_seed
from cisgrammar.common.threads import set_threads
from cisgrammar.data.accessibility import thin
from cisgrammar.evaluate.depth_study import measure
from cisgrammar.training.final_model import train_final
from cisgrammar.training.loop import Checkpoints

FOLD = 0
files, params, share = snakemake.input, snakemake.params, float(snakemake.wildcards.share)
training, settings, checkpoint = params.training, params.settings, Path(params.checkpoint)
with log_to(snakemake.log[0]):
    set_threads(snakemake.threads)
    dataset, folds = read_h5ad(files.accessibility), read_table(files.folds)
    thinned = dataset.copy()
    if files.model:
        model = models.load(files.model)
    else:
        device = resolve_device(
            training["device"], snakemake.resources.get("gpu", 0), training["deterministic"]
        )
        thinned.X = thin(dataset.X, share, derive_seed(params.seed, "try_depth", share))
        best = json.loads(Path(files.best).read_text())
        model, _ = train_final(
            "scbasset", thinned, folds, FOLD, settings, best, training, device,
            Checkpoints(checkpoint, snakemake.config["scbasset"]["checkpoint_epochs"]),
        )  # fmt: skip
    seed = derive_seed(params.seed, "try_depth")
    independent = None
    if files.expression:
        expression = read_h5ad(files.expression)[dataset.obs_names]
        independent = log_pca(expression.X, min(50, *(n - 1 for n in expression.shape)), seed)
    measures = measure(model.cpu(), dataset, thinned, folds, FOLD, independent, seed)
    measures.insert(0, "share", share)
    write_table(measures, snakemake.output.measures)
    checkpoint.unlink(missing_ok=True)
