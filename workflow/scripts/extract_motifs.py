"""Average the windows that excite each filter into a motif."""

import torch

from cisgrammar.common.files import read_h5ad, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.common.threads import set_threads
from cisgrammar.data.folds import TRAIN, read_folds, rows_of
from cisgrammar.models.checkpoints import load_model
from cisgrammar.motifs.filters import filter_motifs
from cisgrammar.motifs.meme import write_meme

fold = int(snakemake.wildcards.fold)
with log_to(snakemake.log[0]):
    set_threads(snakemake.threads)
    dataset = read_h5ad(snakemake.input.dataset)
    folds = read_folds(snakemake.input.folds, dataset.var_names)
    codes = dataset.varm["codes"][rows_of(folds, fold, TRAIN)]
    model = load_model(snakemake.input.model)
    found = map(torch.cat, zip(*model.scan(torch.from_numpy(codes)), strict=True))
    motifs, table = filter_motifs(
        codes,
        *(windows.numpy() for windows in found),  # maxima, positions, reverse
        width=model.filter_width,
        fold=fold,
        min_sequences=snakemake.params.min_sequences,
    )
    write_meme(motifs, snakemake.output.motifs)
    write_table(table, snakemake.output.table)
