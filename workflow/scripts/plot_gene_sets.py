"""Draw gene sets, markers and annotations of cells against families."""

from pathlib import Path

from cisgrammar.common.files import read_table
from cisgrammar.common.logs import log_to
from cisgrammar.common.notes import notes_about
from cisgrammar.interpret.family_influence import trusted
from cisgrammar.interpret.gene_sets import markers_and_annotations
from cisgrammar.plots.families import correlation_heatmap
from cisgrammar.plots.gene_sets import gene_set_heatmap
from cisgrammar.plots.notes import draw_or_note
from cisgrammar.plots.style import save

with log_to(snakemake.log[0]):
    notes = read_table(snakemake.input.notes)
    consistency = read_table(snakemake.input.consistency, index_col="family")
    kept = trusted(read_table(snakemake.input.families), consistency)
    aside = list(kept.index[~kept])
    if "sets" in snakemake.output.keys():  # noqa: SIM118
        sets = read_table(snakemake.input.sets).drop(columns=aside)
        figure = draw_or_note(gene_set_heatmap, sets, why=notes_about(notes, "gene sets"))
        save(figure, Path(snakemake.output.sets).with_suffix(""))
    if "markers" in snakemake.output.keys():  # noqa: SIM118
        table = markers_and_annotations(
            read_table(snakemake.input.markers), read_table(snakemake.input.annotations)
        )
        table = table.loc[table.index.isin(kept.index[kept])]
        why = " ".join(notes_about(notes, about) for about in ("markers", "annotations"))
        figure = draw_or_note(correlation_heatmap, table, why=why.strip())
        save(figure, Path(snakemake.output.markers).with_suffix(""))
