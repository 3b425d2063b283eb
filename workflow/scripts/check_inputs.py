"""Check the inputs, and that they fit each other, before anything else runs."""

from cisgrammar.files import write_table
from cisgrammar.logs import log_to
from cisgrammar.preflight import preflight

params, config = snakemake.params, snakemake.config
with log_to(snakemake.log[0]):
    table = preflight(
        counts=snakemake.input.counts,
        fasta=snakemake.input.genome,
        annotation=snakemake.input.annotation,
        work=params.work,
        **params.counts,
        **params.genome,
        **config["regions"],
        cells_per_pool=config["pools"]["cells_per_pool"],
        n_pools=config["pools"]["n_pools"],
    )
    write_table(table, snakemake.output.table)
