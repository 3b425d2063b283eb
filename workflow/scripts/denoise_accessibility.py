"""Denoise chosen peaks, score genes by their promoters, and compare these with expression."""

import numpy as np
import pandas as pd
import torch
from anndata import AnnData, read_h5ad

from cisgrammar.cells.expression import log_expression
from cisgrammar.common.devices import start_on_device
from cisgrammar.common.files import read_table, write_h5ad, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.common.notes import Notes
from cisgrammar.genome.gene_peaks import as_matrix
from cisgrammar.interpret.denoising import (
    choose_genes,
    denoise,
    gene_scores,
    named_rows,
    read_genes,
)
from cisgrammar.interpret.specific_peaks import specific_peaks
from cisgrammar.models.checkpoints import load_model

NO_GENES = "Genes have no scores: {} (`genome.gtf`, `scbasset.denoising.promoter_reach`)."
NO_RNA = "Scores are not compared with expression: the cells have no RNA."

files, params, out = snakemake.input, snakemake.params, snakemake.output
settings, notes = params.settings, Notes()
with log_to(snakemake.log[0]):
    device = start_on_device(snakemake.threads, params.training, snakemake.resources)
    model = load_model(files.model).to(device)
    cells = read_h5ad(files.accessibility, backed="r")
    types, codes = cells.obs["cell_type"].astype(str), torch.from_numpy(cells.varm["codes"])

    rows, unknown = named_rows(settings["peaks"], cells.var)
    if unknown:
        notes.add("peaks", f"Not among the peaks that the model learned: {', '.join(unknown)}.")
    if not settings["peaks"]:
        chosen = specific_peaks(cells.X, types, settings["n_peaks"])
        rows = np.sort([row for row, _ in chosen])
    blocks = denoise(model, codes[rows]) if len(rows) else []
    predicted = np.concatenate([np.zeros((0, cells.n_obs), np.float32), *blocks]).T
    write_h5ad(AnnData(predicted, cells.obs, cells.var.iloc[rows]), out.peaks)

    promoters = read_table(files.promoters, dtype={"gene": str, "peak": str})
    genes, shares = as_matrix(promoters, cells.var_names)
    expression = None
    if genes.empty:
        why = "no annotation is given" if not params.annotated else "none has a peak at its TSS"
        notes.add("genes", NO_GENES.format(why))
    if not files.expression:
        notes.add("expression", NO_RNA)
    elif len(genes):
        counts = read_h5ad(files.expression)
        expression = log_expression(counts, cells.obs_names)
        expression = expression[:, counts.var_names.get_indexer(genes.index)]
    reading = read_genes(model, codes, cells.X, types, genes, shares, expression)
    table = pd.concat([genes[["gene_name", "n_peaks"]], reading.by_cell_type], axis=1)
    write_table(table.rename_axis("gene"), out.by_cell_type, index=True)
    per_cell = reading.per_cell.assign(cell=cells.obs_names, cell_type=types.to_numpy())
    write_table(per_cell[["cell", "cell_type", "r_raw", "r_denoised"]], out.per_cell)
    per_gene = pd.concat([genes[["gene_name", "n_peaks"]], reading.per_gene], axis=1)
    write_table(per_gene.rename_axis("gene"), out.per_gene, index=True)

    few, unknown = choose_genes(settings["genes"], settings["n_genes"], genes, reading)
    if unknown:
        notes.add("genes", f"Not among the genes with a promoter peak: {', '.join(unknown)}.")
    scores = np.concatenate(list(gene_scores(model, codes, shares[few]))).astype(np.float32)
    write_h5ad(AnnData(scores, cells.obs, genes.iloc[few]), out.genes)
    write_table(notes.table(), out.notes)
