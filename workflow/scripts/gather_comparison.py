"""Put all methods into one table, compare the model with each, and say it in words."""

from cisgrammar.common.costs import add_up
from cisgrammar.common.files import read_table, whole_file, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.evaluate.comparison import all_differences, in_order, verdict
from cisgrammar.evaluate.comparison_page import page

files, params, model = snakemake.input, snakemake.params, snakemake.wildcards.model
with log_to(snakemake.log[0]):
    mine = [read_table(path).assign(method=model) for path in files.model]
    others = [*files.baselines, *files.controls, *([files.removed] if files.removed else [])]
    table = in_order([*mine, *map(read_table, others)])
    write_table(table, snakemake.output.comparison)
    differences = all_differences(table, model, params.seed)
    write_table(differences, snakemake.output.differences)
    ceiling = read_table(files.ceiling).iloc[0] if files.ceiling else None
    sentence = verdict(table, model, differences[differences["score"] == "r2"])
    with whole_file(snakemake.output.page) as path:
        path.write_text(page(sentence, table, differences, model, ceiling))
    costs = add_up(map(read_table, [*files.tuning_costs, *files.training_costs]))
    others = map(read_table, [*files.baseline_costs, *files.control_costs])
    write_table(in_order([costs, *others]), snakemake.output.costs)
