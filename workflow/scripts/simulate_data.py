"""Simulate genome, annotation and counts, or a multiome, with the truth beside them."""

from pathlib import Path

from cisgrammar.common.logs import log_to
from cisgrammar.simulate import simulate
from cisgrammar.simulate.multiome import simulate_multiome

folder, seed = Path(snakemake.output.genome).parent, snakemake.params.seed
settings = dict(snakemake.params.settings)
multiome = settings.pop("multiome")
with log_to(snakemake.log[0]):
    if multiome is not None:
        simulate_multiome(folder, seed=seed, **multiome)
    else:
        simulate(
            folder,
            seed=seed,
            upstream=snakemake.params.regions["upstream"],
            downstream=snakemake.params.regions["downstream"],
            **settings,
        )
