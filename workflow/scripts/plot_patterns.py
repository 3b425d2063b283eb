"""Draw the patterns of contributions as logos, and what their families do by label."""

from pathlib import Path

from cisgrammar.common.files import read_matrix, read_table
from cisgrammar.common.logs import log_to
from cisgrammar.motifs.meme import read_meme
from cisgrammar.plots.notes import draw_or_note
from cisgrammar.plots.patterns import family_contributions, pattern_logos
from cisgrammar.plots.style import save

files, out = snakemake.input, snakemake.output
with log_to(snakemake.log[0]):
    patterns, families = read_table(files.patterns), read_table(files.families)
    motifs = read_meme(files.motifs) if len(patterns) else []
    by_label = read_matrix(files.by_label, sorted(families["family"]))
    figures = {
        out.logos: draw_or_note(pattern_logos, patterns, motifs),
        out.heatmap: draw_or_note(family_contributions, by_label, families, motifs),
    }
    for path, figure in figures.items():
        save(figure, Path(path).with_suffix(""))
