"""Write down config, versions, commit and checksums."""

import json

from cisgrammar.files import whole_file
from cisgrammar.logs import log_to
from cisgrammar.provenance import provenance

with log_to(snakemake.log[0]):
    found = provenance(snakemake.params.config, snakemake.input)
    with whole_file(snakemake.output[0]) as path:
        path.write_text(json.dumps(found, indent=2, sort_keys=True) + "\n")
