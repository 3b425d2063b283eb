"""Score each family of motifs in each bin of the window and cell type, over the folds."""

from cisgrammar.common.files import read_h5ad, read_table, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.common.threads import set_threads
from cisgrammar.data.folds import VALIDATION, read_folds, rows_of
from cisgrammar.interpret.positions import bin_places, positions_table, scores_by_bin
from cisgrammar.models.checkpoints import load_model

files, origin = snakemake.input, snakemake.params.origin
with log_to(snakemake.log[0]):
    set_threads(snakemake.threads)
    dataset = read_h5ad(files.dataset)
    folds, filters = read_folds(files.folds, dataset.var_names), read_table(files.filters)
    families = list(read_table(files.families, has={"family": filters["family"]})["family"])
    codes, types = dataset.varm["codes"], dataset.obs["cell_type"].astype(str)
    scores = []
    for fold, path in enumerate(files.models):
        model = load_model(path)
        read = codes[rows_of(folds, fold, VALIDATION)]
        own = filters[filters["fold"] == fold]
        scores.append(scores_by_bin(model, read, own, families, types))
    length = codes.shape[1]
    middle = length // 2
    places = bin_places(
        length, model.filter_width, model.bins, middle if origin is None else origin
    )
    table = positions_table(scores, families, sorted(set(types)), places)
    write_table(table, snakemake.output.table)
