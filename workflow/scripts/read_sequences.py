"""Read sequences and targets that the user has already."""

from cisgrammar.checks.folds import describe_folds
from cisgrammar.common.files import write_h5ad, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.data.given import describe, read_given, read_scover_table

files, cell_type = snakemake.input, snakemake.params.cell_type
with log_to(snakemake.log[0]):
    labels = files.get("labels")
    if fasta := files.get("fasta"):
        dataset = read_given(fasta, files.targets, files.get("regions"), labels, cell_type)
    else:
        dataset = read_scover_table(files.targets, labels, cell_type)
    found = describe(dataset)
    # from the config: as a param, other folds would read the sequences again
    check, parts = describe_folds(dataset.var, snakemake.config["folds"])
    found.loc[len(found)] = [check, parts, "ok", ""]
    write_table(found, snakemake.output.preflight)
    write_h5ad(dataset, snakemake.output.dataset)
