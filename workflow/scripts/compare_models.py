"""Score all models on the cell types and sequences that they have in common."""

from pathlib import Path

from cisgrammar.common.devices import start_on_device
from cisgrammar.common.files import read_h5ad, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.use.model_comparison import compare_models, means_of_types
from cisgrammar.use.trained import load

files, params = snakemake.input, snakemake.params
with log_to(snakemake.log[0]):
    device = start_on_device(snakemake.threads, params.training, snakemake.resources)
    results = Path(snakemake.output.table).parent
    models = {name: load(results / name, device, n) for name, n in params.folds.items()}
    measured = {params.sequences: means_of_types(read_h5ad(files.cells), models.values())}
    if files.expression:
        measured["genes"] = means_of_types(read_h5ad(files.expression), models.values())
    table = compare_models(models, measured, params.settings, params.seed)
    write_table(table, snakemake.output.table)
