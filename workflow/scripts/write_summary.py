"""Write what went in, what the models are worth, what they found, and warnings on one page."""

from pathlib import Path

from cisgrammar.common.files import whole_file
from cisgrammar.common.logs import log_to
from cisgrammar.summary.files import Files
from cisgrammar.summary.page import body, document
from cisgrammar.summary.sections import sections

params, page = snakemake.params, Path(snakemake.output.page)
with log_to(snakemake.log[0]):
    written = sections(Files(page.parent, snakemake.input), params.models)
    with whole_file(page) as path:
        path.write_text(document(page.parent.name, body(written, params.made)), encoding="utf-8")
    with whole_file(snakemake.output.body) as path:
        path.write_text(body(written), encoding="utf-8")
