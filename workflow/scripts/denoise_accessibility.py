"""Denoise chosen peaks, score genes by their promoters, and compare these with expression."""

import torch

from cisgrammar.common.devices import start_on_device
from cisgrammar.common.files import read_h5ad, read_table, write_h5ad, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.common.notes import Notes
from cisgrammar.genome.gene_peaks import as_matrix
from cisgrammar.interpret.denoising import read_genes
from cisgrammar.interpret.denoising_tables import (
    DenoisingSettings,
    denoise_peaks,
    expression_of,
    note_absent,
    score_genes,
    tables_of,
)
from cisgrammar.models.checkpoints import load_model

files, params, out = snakemake.input, snakemake.params, snakemake.output
settings, notes = DenoisingSettings(**params.settings), Notes()
with log_to(snakemake.log[0]):
    device = start_on_device(snakemake.threads, params.training, snakemake.resources)
    model = load_model(files.model).to(device)
    cells = read_h5ad(files.accessibility, backed="r")
    types, codes = cells.obs["cell_type"], torch.from_numpy(cells.varm["codes"])
    write_h5ad(denoise_peaks(model, cells, settings, notes), out.peaks)
    promoters = read_table(files.promoters)
    genes, shares = as_matrix(promoters, cells.var_names)
    note_absent(genes, params.annotated, bool(files.expression), notes)
    counts = read_h5ad(files.expression) if files.expression else None
    expression = expression_of(counts, cells.obs_names, genes)
    reading = read_genes(model, codes, cells.X, types, genes, shares, expression)
    tables = tables_of(reading, genes, cells.obs)
    for table, path in zip(tables, (out.by_cell_type, out.per_gene, out.per_cell), strict=True):
        write_table(table, path, index=path != out.per_cell)
    write_h5ad(score_genes(model, cells, genes, shares, reading, settings, notes), out.genes)
    write_table(notes.table(), out.notes)
