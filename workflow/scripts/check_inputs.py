"""Check the inputs, and that they fit each other, before anything else runs."""

from pathlib import Path

from cisgrammar.checks.preflight import preflight
from cisgrammar.checks.settings import InputFiles, Settings
from cisgrammar.common.files import write_table
from cisgrammar.common.logs import log_to

params = snakemake.params
work = snakemake.output.get("work") or params.work
config = params.get("settings") or snakemake.config
given = {key: path or None for key, path in snakemake.input.items()}
files = InputFiles(
    counts=given["counts"],
    fasta=given["genome"],
    work=work,
    annotation=given["annotation"],
    regions=given["regions"],
    cell_table=given["cell_table"],
    peak_counts=given["peaks"],
    peak_bed=given["peak_bed"],
    blacklist=given["blacklist"],
)
sections = {"counts": params.counts, "genome": params.genome}
with log_to(snakemake.log[0]):
    Path(work).mkdir(parents=True, exist_ok=True)
    table = preflight(files, Settings.of_config(config | sections))
    write_table(table, snakemake.output.table)
