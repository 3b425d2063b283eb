"""Draw what single bases around TSSs are worth, over many genes and in single ones."""

import re
from pathlib import Path

from cisgrammar.common.files import read_table
from cisgrammar.common.logs import log_to
from cisgrammar.plots.gene_mutagenesis import effect_profile, gene_effects
from cisgrammar.plots.style import save

out = snakemake.output
with log_to(snakemake.log[0]):
    profile = read_table(snakemake.input.profile)
    save(effect_profile(profile), Path(out.profile).with_suffix(""))
    differences = read_table(snakemake.input.differences)
    folder = Path(out.folder)
    folder.mkdir(parents=True)
    keys = ["gene", "population", "other"]
    for number, (names, table) in enumerate(differences.groupby(keys, sort=False), start=1):
        gene = re.sub("[^A-Za-z0-9]+", "_", names[0])
        save(gene_effects(table), folder / f"{number:02d}_{gene}")
