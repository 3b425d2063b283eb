"""Draw facets, dictionary, syntax and spacing of neurons."""

from pathlib import Path

from cisgrammar.common.files import read_table
from cisgrammar.common.logs import log_to
from cisgrammar.motifs.meme import read_meme
from cisgrammar.plots.neurons import dictionary_logos, facet_logos, spacing_curves, syntax_trees
from cisgrammar.plots.notes import draw_or_note
from cisgrammar.plots.style import save

files, out = snakemake.input, snakemake.output
with log_to(snakemake.log[0]):
    facets, dictionary = read_table(files.facets), read_table(files.dictionary)
    syntax, spacing = read_table(files.syntax), read_table(files.spacing)
    sequences, links = read_table(files.sequences), read_table(files.links)
    entries = read_meme(files.entries) if len(dictionary) else []
    motifs = read_meme(files.motifs) if len(facets) else []
    figures = {
        out.facets: draw_or_note(facet_logos, facets, motifs, sequences),
        out.dictionary: draw_or_note(dictionary_logos, dictionary, entries),
        out.trees: draw_or_note(syntax_trees, syntax, dictionary, entries, links),
        out.spacing: draw_or_note(spacing_curves, spacing),
    }
    for path, figure in figures.items():
        save(figure, Path(path).with_suffix(""))
