"""Draw TFs against families: all at once, and the best pairs pool by pool."""

from pathlib import Path

from cisgrammar.common.files import read_h5ad, read_table
from cisgrammar.common.logs import log_to
from cisgrammar.interpret.family_influence import trusted
from cisgrammar.interpret.influence import with_score
from cisgrammar.interpret.regulators import best_pairs, tf_expression
from cisgrammar.plots.cell_types import cell_type_colours
from cisgrammar.plots.notes import draw_or_note
from cisgrammar.plots.regulators import influence_against_expression, regulator_volcano
from cisgrammar.plots.style import save

with log_to(snakemake.log[0]):
    regulators = read_table(snakemake.input.regulators)
    families = with_score(read_h5ad(snakemake.input.families), snakemake.params.score)
    expression = tf_expression(read_h5ad(snakemake.input.expression), families, regulators)
    volcano = draw_or_note(regulator_volcano, regulators, score=snakemake.params.score)
    save(volcano, Path(snakemake.output.volcano).with_suffix(""))
    kept = trusted(families.var.reset_index(), families.var)
    of_kept = regulators[regulators["family"].isin(kept.index[kept])]
    scatter = draw_or_note(
        influence_against_expression,
        families,
        expression,
        best_pairs(of_kept),
        colours=cell_type_colours(snakemake.input.cell_types),
        score=snakemake.params.score,
    )
    save(scatter, Path(snakemake.output.scatter).with_suffix(""))
