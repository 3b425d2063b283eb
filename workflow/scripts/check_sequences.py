"""Check that sequences that the user has fit the config: their folds, and the known motifs."""

from cisgrammar.checks.asked_models import attributed_models
from cisgrammar.checks.given import check_given
from cisgrammar.checks.settings import DatabaseSettings
from cisgrammar.common.files import read_h5ad, write_table
from cisgrammar.common.logs import log_to

settings = snakemake.params.settings
database = DatabaseSettings(settings["database"]["source"], settings["database"]["tf_names"])
with log_to(snakemake.log[0]):
    data, variants = read_h5ad(snakemake.input.dataset), snakemake.input.variants or None
    bases = settings["attributions"] and settings["attributions"] | {
        "models": attributed_models(settings)
    }
    haplotypes = bool(variants) and settings["variants"]["haplotypes"]
    order = settings["cell_type_order"]
    table = check_given(data, settings["folds"], database, variants, bases, haplotypes, order)
    write_table(table, snakemake.output.table)
