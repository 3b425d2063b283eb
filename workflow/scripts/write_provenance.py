"""Write down config, versions, commit and checksums."""

import json

from cisgrammar.common.files import whole_file
from cisgrammar.common.logs import log_to
from cisgrammar.common.provenance import provenance

with log_to(snakemake.log[0]):
    found = provenance(snakemake.params.config, snakemake.input)
    with whole_file(snakemake.output[0]) as path:
        path.write_text(json.dumps(found, indent=2, sort_keys=True) + "\n")
