"""Draw where along the window the families of motifs act, in which cell type."""

from pathlib import Path

from cisgrammar.common.files import read_table
from cisgrammar.common.logs import log_to
from cisgrammar.interpret.family_influence import trusted
from cisgrammar.motifs.meme import read_meme
from cisgrammar.plots.cell_types import asked_order
from cisgrammar.plots.notes import draw_or_note
from cisgrammar.plots.positions import family_positions
from cisgrammar.plots.style import save

files, params = snakemake.input, snakemake.params
with log_to(snakemake.log[0]):
    table, families = read_table(files.table), read_table(files.families)
    kept = trusted(families, read_table(files.consistency, index_col="family"))
    figure = draw_or_note(
        family_positions,
        table[table["family"].map(kept)],
        families,
        read_meme(files.motifs),
        score=params.score,
        order=asked_order(files.cell_types),
        origin="the middle of the window" if params.origin is None else "the TSS",
    )
    save(figure, Path(snakemake.output.positions).with_suffix(""))
