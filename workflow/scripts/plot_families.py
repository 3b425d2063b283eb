"""Draw families: by cell type, beside known motifs, over folds, together, over pools."""

from pathlib import Path

from cisgrammar.common.files import read_h5ad, read_matrix, read_table
from cisgrammar.common.logs import log_to
from cisgrammar.interpret.family_influence import trusted
from cisgrammar.interpret.influence import with_score
from cisgrammar.motifs.databases import load_database
from cisgrammar.motifs.meme import read_meme
from cisgrammar.plots import families as panels
from cisgrammar.plots.cell_types import asked_order, cell_type_colours
from cisgrammar.plots.logos import alignment_gallery
from cisgrammar.plots.notes import draw_or_note
from cisgrammar.plots.style import save

files, params = snakemake.input, snakemake.params
with log_to(snakemake.log[0]):
    known = load_database(params.database["source"], params.database["tf_names"]).motifs
    motifs, families = read_meme(files.motifs), read_table(files.families)
    z, raw = (read_matrix(path, families["family"]) for path in (files.z, files.by_cell_type))
    influence = with_score(read_h5ad(files.influence), params.score)
    # what matches by chance is set aside too
    kept = trusted(families, influence.var)
    families["reproducible"] = kept.to_numpy()
    examples = panels.examples_of(families[kept.to_numpy()], read_table(files.filters))
    categories = panels.category_of_types(params.categories)
    score = {"score": params.score}
    order = score | {"order": asked_order(files.cell_types)}
    colours = score | {"colours": cell_type_colours(files.cell_types)}
    correlations = read_matrix(files.correlations, families["family"]).loc[kept, kept]
    figures = {
        "heatmap": (panels.family_heatmap, (z, families, motifs, raw, categories), order),
        "gallery": (alignment_gallery, (examples, motifs, known), {}),
        "stability": (panels.family_stability, (read_table(files.stability), families), colours),
        "correlations": (panels.correlation_heatmap, (correlations,), {}),
        "pools": (panels.pools_by_family, (influence,), score),
    }
    for name, (draw, tables, options) in figures.items():
        save(draw_or_note(draw, *tables, **options), Path(snakemake.output[name]).with_suffix(""))
