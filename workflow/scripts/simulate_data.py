"""Simulate genome, annotation and counts, with the truth beside them."""

from pathlib import Path

from cisgrammar.logs import log_to
from cisgrammar.simulate import simulate

with log_to(snakemake.log[0]):
    simulate(
        Path(snakemake.output.counts).parent,
        seed=snakemake.params.seed,
        upstream=snakemake.params.regions["upstream"],
        downstream=snakemake.params.regions["downstream"],
        **snakemake.params.settings,
    )
