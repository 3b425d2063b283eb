"""Draw cells and peaks before and after denoising, and genes' scores against expression."""

from pathlib import Path

import numpy as np

from cisgrammar.common.files import read_h5ad, read_table
from cisgrammar.common.logs import log_to
from cisgrammar.plots.cell_types import cell_type_colours
from cisgrammar.plots.denoising import accessibility_against_expression, denoised_heatmap
from cisgrammar.plots.style import save

files, out = snakemake.input, snakemake.output
with log_to(snakemake.log[0]):
    colours = cell_type_colours(files.cell_types)
    denoised = read_h5ad(files.denoised)
    rng = np.random.default_rng(snakemake.params.seed)
    n_cells = min(snakemake.params.n_cells, denoised.n_obs)
    some = np.sort(rng.choice(denoised.n_obs, n_cells, replace=False))
    raw = read_h5ad(files.accessibility)[some, denoised.var_names].X.toarray()
    types = denoised.obs["cell_type"].iloc[some]
    figure = denoised_heatmap(raw, np.asarray(denoised.X[some]), types, colours)
    save(figure, Path(out.heatmap).with_suffix(""))
    if "agreement" in out.keys():  # noqa: SIM118
        per_cell, per_gene = read_table(files.per_cell), read_table(files.per_gene)
        figure = accessibility_against_expression(per_cell, per_gene, colours)
        save(figure, Path(out.agreement).with_suffix(""))
