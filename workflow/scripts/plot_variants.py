"""Draw the variants with the largest effects, and all by position and against chance."""

from pathlib import Path

from cisgrammar.common.files import read_table
from cisgrammar.common.logs import log_to
from cisgrammar.plots.notes import draw_or_note
from cisgrammar.plots.style import save
from cisgrammar.plots.variants import variant_heatmap, variant_overview

files, out = snakemake.input, snakemake.output
with log_to(snakemake.log[0]):
    summary, effects = read_table(files.summary), read_table(files.effects)
    n_shown = snakemake.params.n_shown["n_shown"]
    figures = {
        out.heatmap: draw_or_note(variant_heatmap, summary, effects, n_shown),
        out.overview: draw_or_note(variant_overview, summary, effects),
    }
    for path, figure in figures.items():
        save(figure, Path(path).with_suffix(""))
