"""Draw links by distance and cell type, how well genes are predicted, and methods compared."""

from pathlib import Path

import pandas as pd

from cisgrammar.common.files import read_h5ad, read_table
from cisgrammar.common.logs import log_to
from cisgrammar.plots.cell_types import asked_order, cell_type_colours
from cisgrammar.plots.links import (
    link_activities,
    link_methods,
    links_by_distance,
    links_held_out,
)
from cisgrammar.plots.style import save

files, out = snakemake.input, snakemake.output
with log_to(snakemake.log[0]):
    links = read_table(files.links)
    colours = cell_type_colours(files.cell_types)
    by_type = read_h5ad(files.by_type)
    called = by_type[:, (links["call"] == "strong").to_numpy()]
    activity = pd.DataFrame(called.X.T, columns=called.obs_names)
    figures = {
        "distances": links_by_distance(links, snakemake.params.reach, colours),
        "heatmap": link_activities(activity, asked_order(files.cell_types)),
        "held_out": links_held_out(read_table(files.held_out)),
    }
    if "methods" in out.keys():  # noqa: SIM118
        figures["methods"] = link_methods(read_table(files.scores))
    for name, figure in figures.items():
        save(figure, Path(out[name]).with_suffix(""))
