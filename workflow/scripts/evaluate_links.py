"""Score the model, its ablations and simple methods of links by each truth."""

from cisgrammar.common.files import read_h5ad, read_table, write_table
from cisgrammar.common.logs import log_to
from cisgrammar.evaluate.link_methods import (
    compare_planted,
    describe_best,
    evaluate,
    methods_of,
    read_truths,
    roles_of,
)
from cisgrammar.interpret.link_baselines import BASELINES

files, params, out = snakemake.input, snakemake.params, snakemake.output
with log_to(snakemake.log[0]) as logger:
    links = read_table(files.links)
    tables = [read_table(path) for path in files.ablations]
    methods = methods_of(links, dict(zip(params.ablations, tables, strict=True)))
    peaks = read_h5ad(files.accessibility, backed="r").var
    given = {kind: files[kind] for kind in params.truths}
    labels, tested = read_truths(given, peaks, links, methods)
    if files.planted:
        truth = read_table(files.planted)
        roles = roles_of(links, truth)
        labels["planted"] = roles == "link"
        by_type, activities = read_h5ad(files.by_type), read_table(files.activities)
        write_table(compare_planted(links, methods, roles, by_type, activities), out.planted)
    scores = evaluate(links, labels, tested, methods, params.settings, params.seed)
    write_table(scores, out.scores)
    if len(scores):
        logger.info("%s", describe_best(scores, [name for name in BASELINES if name in methods]))
