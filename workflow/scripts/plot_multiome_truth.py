"""Draw TF activity against what was planted."""

from pathlib import Path

from cisgrammar.common.files import read_table
from cisgrammar.common.logs import log_to
from cisgrammar.plots.cell_types import cell_type_colours
from cisgrammar.plots.style import save
from cisgrammar.plots.truth import influence_against_truth

with log_to(snakemake.log[0]):
    figure = influence_against_truth(
        read_table(snakemake.input.pairs),
        cell_type_colours(snakemake.input.cell_types),
        "tf_activity",
        y_label="TF activity (mean z-score)",
        effect_on="accessibility",
    )
    save(figure, Path(snakemake.output.figure).with_suffix(""))
