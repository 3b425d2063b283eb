"""Simulate genome, annotation and counts, or another kind of data, with the truth beside them."""

from pathlib import Path

from cisgrammar.common.logs import log_to
from cisgrammar.simulate.links import simulate_links
from cisgrammar.simulate.multiome import simulate_multiome
from cisgrammar.simulate.populations import simulate_populations
from cisgrammar.simulate.promoters import simulate_promoters
from cisgrammar.simulate.settings import (
    LinkSettings,
    MultiomeSettings,
    PopulationSettings,
    PromoterSettings,
)

params, folder = snakemake.params, Path(snakemake.output.genome).parent
section = dict(params.settings)
multiome, populations, links = (section.pop(kind) for kind in ("multiome", "populations", "links"))
with log_to(snakemake.log[0]):
    if multiome is not None:
        simulate_multiome(folder, MultiomeSettings(**multiome), seed=params.seed)
    elif links is not None:
        simulate_links(folder, LinkSettings(**links), seed=params.seed)
    elif populations is not None:
        around = PopulationSettings(**populations, **params.windows)
        simulate_populations(folder, around, seed=params.seed)
    else:
        settings = PromoterSettings(**section, **params.regions)
        simulate_promoters(folder, settings, seed=params.seed)
