"""Draw the importance of bases in each mutated region as letters."""

import re
from pathlib import Path

from cisgrammar.common.files import read_h5ad, read_table
from cisgrammar.common.logs import log_to
from cisgrammar.plots.mutagenesis import region_logos
from cisgrammar.plots.style import save

params = snakemake.params
with log_to(snakemake.log[0]):
    effects = read_h5ad(snakemake.input.effects)
    sites = read_table(snakemake.input.sites)
    thresholds = read_table(snakemake.input.thresholds)
    thresholds = thresholds.set_index("cell_type")["threshold"]
    folder = Path(snakemake.output.folder)
    folder.mkdir(parents=True)
    for number, region in enumerate(effects.obs["region"].unique(), start=1):
        here = effects[effects.obs["region"] == region]
        named = sites[(sites["region"] == region) & (sites["q"] <= params.settings["max_q"])]
        figure = region_logos(here, named, thresholds, params.n_bases, params.n_rows)
        save(figure, folder / f"{number:02d}_{re.sub('[^A-Za-z0-9]+', '_', region)}")
