"""Put all methods into one table, compare the model with each, and say it in words."""

from cisgrammar.common.files import read_table, whole_file, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.evaluate.comparison import all_differences, cost_of_jobs, in_order, verdict
from cisgrammar.evaluate.comparison_page import page

files, params, family = snakemake.input, snakemake.params, snakemake.wildcards.family
with log_to(snakemake.log[0]):
    model = [read_table(path).assign(method=family) for path in files.model]
    others = [*files.baselines, *files.controls, *([files.removed] if files.removed else [])]
    table = in_order([*model, *map(read_table, others)])
    write_table(table, snakemake.output.comparison)
    differences = all_differences(table, family, params.seed)
    write_table(differences, snakemake.output.differences)
    ceiling = read_table(files.ceiling).iloc[0] if files.ceiling else None
    sentence = verdict(table, family, differences[differences["score"] == "r2"])
    with whole_file(snakemake.output.page) as path:
        path.write_text(page(sentence, table, differences, family, ceiling))
    mine = [
        cost_of_jobs(family, fold, jobs)
        for fold, jobs in enumerate(zip(params.tuning, params.training, strict=True))
    ]
    others = map(read_table, [*files.baseline_costs, *files.control_costs])
    write_table(in_order([*mine, *others]), snakemake.output.costs)
