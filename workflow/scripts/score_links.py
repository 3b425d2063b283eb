"""Score pairs of gene and peak by the models that did not see the gene."""

import numpy as np

from cisgrammar.common.devices import start_on_device
from cisgrammar.common.files import read_h5ad, read_table, write_h5ad, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.data.folds import read_folds
from cisgrammar.data.gene_peaks import describe_peaks
from cisgrammar.genome.candidates import Candidates
from cisgrammar.interpret.link_scoring import score_by_folds
from cisgrammar.interpret.link_table import activities_of_types, link_table
from cisgrammar.models.checkpoints import load_model
from cisgrammar.training.link_data import gather_gene_peaks

files, params, out = snakemake.input, snakemake.params, snakemake.output
with log_to(snakemake.log[0]):
    device = start_on_device(snakemake.threads, params.device, snakemake.resources)
    cells = read_h5ad(files.accessibility)
    candidates = Candidates.of_tables(
        read_table(files.genes), read_table(files.pairs), cells.var_names, files.pairs
    )
    data, parts = gather_gene_peaks(
        load_model(files.model), cells, read_h5ad(files.expression), candidates, params.settings,
        seed=params.seed, variant=snakemake.wildcards.variant,
    )  # fmt: skip
    types = cells.obs["cell_type"].astype(str).to_numpy()
    folds = read_folds(files.folds, candidates.genes["gene"])
    scores = score_by_folds(
        files.models, data, folds, describe_peaks(cells), (types, parts), params.settings,
        seed=params.seed, device=device,
    )  # fmt: skip
    baselines = read_table(files.baselines).drop(columns=["gene", "peak"])
    names, calls = np.unique(types), params.settings["calls"]
    table = link_table(data, cells.var, scores, names, baselines, calls)
    write_table(table, out.links)
    write_table(scores.gene_table(folds), out.held_out)
    write_h5ad(activities_of_types(table, scores, names), out.by_type)
